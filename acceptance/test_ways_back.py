"""Ways back: confirm or revert, stop with a reason, one flag reverted."""

import json

import pytest

from resources import FLAGS, Resources
from running import command


@pytest.fixture
def type_in(binary, resources):
    """Types a command about the resources' place, and answers what it says."""

    def type_in(*arguments, check=0, **more):
        env = {
            "YARDARM_URL": resources.server.url,
            "YARDARM_APPLICATION": resources.app_name,
            "YARDARM_ENVIRONMENT": resources.env_name,
            **more,
        }
        done = command(binary, *arguments, env=env, check=check)
        return done.stdout if check == 0 else done.stderr

    return type_in


def start_to_be_confirmed(there, version, strategy, seconds):
    """As a program does that knows boto3 only: a header of ours on StartDeployment."""

    def add(params, **_):
        params["headers"]["Yardarm-Confirm-Within"] = str(seconds)

    there.control.meta.events.register("before-call.appconfig.StartDeployment", add)
    try:
        return there.start(version, strategy)
    finally:
        there.control.meta.events.unregister("before-call.appconfig.StartDeployment", add)


def confirmation(there, number, method="GET", **headers):
    path = f"/yardarm/v1/applications/{there.app}/environments/{there.env}/deployments/{number}/confirmation"
    return there.server.signed.call(method, path, headers=headers or None)


def words(deployment):
    return [(event["EventType"], event["TriggeredBy"], event["Description"]) for event in deployment["EventLog"]]


class TestConfirmOrRevert:
    def test_what_is_confirmed_completes_and_says_by_whom(self, resources, type_in):
        resources.publish("old")
        made = start_to_be_confirmed(resources, resources.version("new"), resources.strategy(), 600)
        number = made["DeploymentNumber"]
        assert words(made) == [
            ("DEPLOYMENT_STARTED", "USER", "Deployment started; it is taken back unless it is confirmed within 600 s")
        ]
        resources.comes_to("BAKING", number)
        assert resources.read() == b"new"
        waiting = confirmation(resources, number).json()
        assert waiting["confirmWithinSeconds"] == 600 and waiting["confirmBy"] and "confirmedAt" not in waiting
        assert "is confirmed" in type_in("deployment", "confirm", "--reason", "it sells")
        done = resources.comes_to("COMPLETE", number)
        kind, by, text = words(done)[0]
        assert (kind, by) == ("DEPLOYMENT_COMPLETED", "APPCONFIG")
        assert text.startswith("Deployment completed, confirmed by ") and text.endswith(": it sells"), text
        confirmed = confirmation(resources, number).json()
        assert confirmed["reason"] == "it sells" and confirmed["confirmedBy"] and "confirmBy" not in confirmed

    def test_what_nobody_confirms_is_taken_back(self, resources):
        resources.publish("old")
        made = start_to_be_confirmed(resources, resources.version("new"), resources.strategy(), 10)
        number = made["DeploymentNumber"]
        resources.comes_to("BAKING", number)
        back = resources.comes_to("ROLLED_BACK", number, within=40)
        assert words(back)[:2] == [
            ("ROLLBACK_COMPLETED", "APPCONFIG", "Rollback completed"),
            ("ROLLBACK_STARTED", "APPCONFIG", "Rollback started: nobody has confirmed the deployment within 10 s"),
        ]
        assert resources.read() == b"old"
        assert confirmation(resources, number, "PUT").status == 400

    @pytest.mark.parametrize("seconds", ["9", "86401", "soon", "-1", ""])
    def test_times_that_make_no_sense_are_refused(self, resources, seconds):
        version = resources.version("x")
        with pytest.raises(resources.control.exceptions.BadRequestException, match="from 10 to 86400"):
            start_to_be_confirmed(resources, version, resources.strategy(), seconds)

    def test_what_is_not_there_to_be_confirmed_is_said(self, resources):
        number = resources.publish("x")["DeploymentNumber"]
        answer = confirmation(resources, number, "PUT")
        assert (answer.status, answer.json()["detail"]) == (400, f"Deployment {number} was not started to be confirmed.")
        assert confirmation(resources, 99).status == 404
        assert confirmation(resources, "many").status == 404


class TestStop:
    def test_who_stops_and_says_why_is_in_the_event_log(self, resources, type_in):
        resources.publish("old")
        number = resources.start(resources.version("new"), "AppConfig.AllAtOnce")["DeploymentNumber"]
        assert "ROLLED_BACK" in type_in("deployment", "stop", str(number), "--reason", "it sells nothing")
        kind, by, text = words(resources.deployment(number))[0]
        assert (kind, by) == ("ROLLBACK_COMPLETED", "USER")
        assert text.startswith("Deployment rolled back by user request: it sells nothing ("), text

    def test_a_complete_one_is_reverted_only_when_that_is_said(self, resources, type_in):
        resources.publish("old")
        number = resources.publish("new")["DeploymentNumber"]
        assert "cannot be stopped" in type_in("deployment", "stop", check=1)
        assert "REVERTED" in type_in("deployment", "stop", "--revert")
        assert resources.read() == b"old"
        lines = type_in("deployment", "list").splitlines()
        assert lines[0].split() == ["NUMBER", "STATE", "PERCENT", "PROFILE", "VERSION", "STARTED"]
        assert lines[1].split()[:2] == [str(number), "REVERTED"]


class TestOneFlag:
    """Two flags change in turn, by different people; one of them goes back."""

    @pytest.fixture
    def there(self, server, fresh_name):
        there = Resources(server, fresh_name, FLAGS)
        for checkout, banner in ((False, False), (True, False), (True, True)):
            there.publish(self.document(checkout, banner), "application/json")
        return there

    def document(self, checkout, banner):
        flags = {"checkout": {"name": "Checkout"}, "banner": {"name": "Banner"}}
        return {"version": "1", "flags": flags, "values": {"checkout": {"enabled": checkout}, "banner": {"enabled": banner}}}

    def revert(self, there, flag, body=None, **headers):
        path = f"/yardarm/v1/applications/{there.app}/environments/{there.env}/configurations/{there.profile}"
        headers.setdefault("content-type", "application/json")
        return there.server.signed.call("POST", f"{path}/flags/{flag}/revert", body or b"", headers)

    def test_one_flag_goes_back_and_the_others_stay(self, binary, there):
        env = {
            "YARDARM_URL": there.server.url,
            "YARDARM_APPLICATION": there.app,
            "YARDARM_ENVIRONMENT": there.env,
            "YARDARM_PROFILE": there.profile,
            "YARDARM_STRATEGY": there.strategy(),
        }
        told = command(binary, "flag", "revert", "checkout", "--reason", "it sells nothing", env=env, check=0).stdout
        assert told.splitlines()[0] == "checkout is as in version 1 again: version 4."
        values = json.loads(there.read())
        assert (values["checkout"]["enabled"], values["banner"]["enabled"]) == (False, True)
        assert there.deployment(4)["Description"] == "flag checkout as in version 1: it sells nothing"
        command(binary, "flag", "revert", "checkout", env=env, check=0)
        values = json.loads(there.read())
        assert (values["checkout"]["enabled"], values["banner"]["enabled"]) == (True, True), "and undone the same way"

    def test_a_named_version_and_strategy(self, there):
        answer = self.revert(there, "banner", {"toVersion": 2, "strategy": there.strategy()}).json()
        assert answer == {"flag": "banner", "asInVersion": 2, "version": 4, "deployment": 4, "state": "COMPLETE"}
        assert json.loads(there.read())["banner"]["enabled"] is False

    def test_what_was_stored_and_not_deployed_is_not_deployed_on_the_way(self, there):
        there.version(self.document(False, False), "application/json")
        self.revert(there, "checkout", {"strategy": there.strategy()})
        values = json.loads(there.read())
        assert (values["checkout"]["enabled"], values["banner"]["enabled"]) == (False, True)

    def test_what_cannot_go_back_is_told_and_stores_nothing(self, there, resources):
        versions = lambda: len(there.control.list_hosted_configuration_versions(**there.in_profile)["Items"])
        before = versions()
        unknown = self.revert(there, "nothing")
        assert (unknown.status, "never was" in unknown.json()["detail"]) == (400, True), unknown
        unchanged = self.revert(there, "checkout", {"toVersion": 2})
        assert (unchanged.status, "the same before" in unchanged.json()["detail"]) == (400, True), unchanged
        assert self.revert(there, "no%20flag").status == 404
        assert self.revert(there, "checkout", {"toVersion": 77}).status == 404
        assert self.revert(there, "checkout", {"version": 1}).status == 400
        there.start(1, "AppConfig.AllAtOnce")
        assert self.revert(there, "checkout").status == 409
        assert versions() == before
        resources.publish("text")
        path = f"/yardarm/v1/applications/{resources.app}/environments/{resources.env}/configurations/{resources.profile}"
        answer = resources.server.signed.call("POST", f"{path}/flags/f/revert")
        assert (answer.status, "holds no feature flags" in answer.json()["detail"]) == (400, True), answer
