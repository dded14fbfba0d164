"""Clients that say what they have made of what they were given: deployments that ask them, and the time they take."""

import json

import pytest

from resources import Resources
from running import eventually
from test_native_api import path_of, problem

GATE = "yardarm-require-acknowledgements"


class Shop(Resources):
    """An application with version `one` complete, and clients that hold both versions."""

    def __init__(self, server, fresh_name):
        super().__init__(server, fresh_name)
        self.publish("one")

    def rollout(self):
        return self.server.signed.call("GET", f"{path_of(self)}/rollout")

    def say(self, name, reason=None, **members):
        """A client acknowledges what it is given now, or refuses it."""
        answer = self.rollout()
        body = {
            "client": name,
            "software": "shop/1.4",
            "perEntity": True,
            "tag": answer.headers["etag"],
            "state": "refused" if reason else "applied",
        }
        rollout = answer.json().get("rollout")
        if rollout:
            body["deployment"] = rollout["deployment"]
        if reason:
            body["reason"] = reason
        return self.server.signed.call("POST", f"{path_of(self)}/acknowledgements", body | members)

    def all_say(self, *clients):
        for client in clients:
            answer = self.say(client)
            assert (answer.status, answer.body) == (204, b""), answer

    def deploy(self, asks, duration=4, factor=25, content="two"):
        """Starts a deployment that asks its clients; steps a second apart."""
        body = {
            "ConfigurationProfileId": self.profile,
            "ConfigurationVersion": str(self.version(content)),
            "DeploymentStrategyId": self.strategy_in_seconds(duration, factor=factor),
        }
        path = f"/applications/{self.app}/environments/{self.env}/deployments"
        return self.server.signed.call("POST", path, body, headers={GATE: asks})

    def clients(self, number):
        path = f"/yardarm/v1/applications/{self.app}/environments/{self.env_name}/deployments/{number}/clients"
        return self.server.signed.call("GET", path)

    def exposure(self, number):
        return self.deployment(number)["PercentageComplete"]


@pytest.fixture
def shop(server, fresh_name):
    return Shop(server, fresh_name)


def test_a_gate_holds_until_enough_clients_have_applied_a_step(shop):
    shop.all_say("a", "b", "c")
    started = shop.deploy("applied=60, refused=10")
    number = started.json()["DeploymentNumber"]
    assert "60 % of clients must have applied each step" in started.json()["EventLog"][0]["Description"]
    eventually(lambda: shop.exposure(number) == 25.0)
    shop.all_say("a")
    held = eventually(lambda: shop.clients(number).json().get("holds"))
    assert held == "1 of 3 clients have applied this step; 60 % must have."
    told = shop.clients(number).json()
    stands = {client["client"]: (client["standing"], client["software"]) for client in told["items"]}
    assert stands == {name: (word, "shop/1.4") for name, word in [("a", "applied"), ("b", "lags"), ("c", "lags")]}
    assert told["gate"] == {"appliedPercent": 60, "refusedPercent": 10}
    shop.all_say("b")
    for percent in [50.0, 75.0, 100.0]:
        eventually(lambda: shop.exposure(number) == percent)
        shop.all_say("a", "b", "c")
    shop.comes_to("COMPLETE", number)
    listed = shop.server.run("deployment", "clients", str(number), "-a", shop.app_name, "-e", shop.env_name, check=0)
    assert "3 exposed:" in listed.stdout and "shop/1.4" in listed.stdout


def test_silence_holds(shop):
    number = shop.deploy("applied=1", duration=1, factor=50).json()["DeploymentNumber"]
    eventually(lambda: shop.exposure(number) == 50.0)
    told = eventually(lambda: shop.clients(number).json().get("holds"))
    assert told == "No client is known that has the version: none has acknowledged anything lately."
    assert shop.deployment(number)["State"] == "DEPLOYING"
    shop.stop(number)
    problem(shop.clients(number), 409)


def test_refusals_above_the_share_roll_back_and_the_event_log_says_so(shop):
    shop.all_say("a", "b", "c")
    number = shop.deploy("applied=50", duration=3_600).json()["DeploymentNumber"]
    assert shop.say("b", "flag `checkout`: unknown\noperator").status == 204
    done = shop.comes_to("ROLLED_BACK", number)
    told = [(event["EventType"], event["TriggeredBy"], event["Description"]) for event in done["EventLog"][:2]]
    assert told == [
        ("ROLLBACK_COMPLETED", "APPCONFIG", "Rollback completed"),
        ("ROLLBACK_STARTED", "APPCONFIG", "Rollback initiated because 1 of 3 clients refused it"),
    ]


def test_the_way_back_is_measured_and_reported(serve, fresh_name):
    shop = Shop(serve(), fresh_name)
    shop.all_say("a", "b")
    number = shop.deploy("applied=50", duration=3_600).json()["DeploymentNumber"]
    shop.all_say("a", "b")
    shop.stop(number)
    shop.all_say("a", "b")
    where = ["--application", shop.app_name, "--environment", shop.env_name]

    def report():
        told = json.loads(shop.server.run("recovery", "report", "--output", "json", *where, check=0).stdout)
        return told if told["measured"] else None

    [back] = eventually(report)["items"]
    assert (back["of"], back["because"], back["clients"], back["ended"]) == ("rollback", "a request", 2, "complete")
    assert 0 <= back["servedMs"] <= back["halfMs"] <= back["nearlyAllMs"] <= back["allMs"]
    shop.server.restart()
    assert eventually(report)["items"] == [back], "it is in the log"
    table = shop.server.run("recovery", "report", *where, check=0).stdout
    assert "1 way back, 1 of them measured." in table
    other = Shop(shop.server, fresh_name)
    other.stop(other.deploy("applied=50", duration=3_600).json()["DeploymentNumber"])
    table = shop.server.run("recovery", "report", "--application", other.app_name, check=0).stdout
    assert "none acknowledge" in table and "none of them acknowledged by clients" in table


def test_known_good_versions_are_those_that_passed(shop):
    shop.publish("two")
    path = f"{path_of(shop)}/known-good"
    good = shop.server.signed.call("GET", path).json()["items"]
    assert [version["version"] for version in good] == [2, 1]
    shop.stop(good[0]["deploymentNumber"], AllowRevert=True)
    assert [version["version"] for version in shop.server.signed.call("GET", path).json()["items"]] == [1]
    listed = shop.server.run("deployment", "known-good", "-a", shop.app_name, "-e", shop.env_name, "-p", shop.profile_name)
    assert listed.stdout.splitlines()[1].startswith("1 ")


def test_bad_acknowledgements_are_refused(shop):
    for members in [
        {"client": ""},
        {"client": "x" * 65},
        {"client": "a\x1b[31m"},
        {"software": "x" * 65},
        {"tag": "x" * 257},
        {"state": "perhaps"},
        {"reason": "x" * 1_025},
        {"deployment": -1},
        {"unknown": 1},
    ]:
        problem(shop.say("a", **members), 400)
    problem(shop.server.signed.call("POST", f"{path_of(shop)}x/acknowledgements", {}), 404)


@pytest.mark.parametrize("asks", ["", "95", "applied=0", "applied=101", "applied=95, refused=-1", "applied=1, applied=2", "refused=5"])
def test_what_cannot_be_asked_is_refused(shop, asks):
    assert shop.deploy(asks).status == 400
