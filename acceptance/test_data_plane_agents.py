"""What agents ask of the data plane beyond what SDKs do: other forms of flags, and both versions of a rollout."""

import json
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest

from resources import FLAGS, Resources
from running import eventually
from test_native_rollout import bucket

STORED = "application/vnd.yardarm.flags+json"
ION = "application/ion;type=AWS.AppConfig.FeatureFlags;q=1.0,*/*;q=0.1"  # as the AppConfig agent sends it
DECIDES = {"is-sticky": "true", "x-yardarm-entity-rollout": "1"}
RULES = {
    "version": "1",
    "flags": {"f": {}},
    "values": {
        "f": {
            "_variants": [
                {"name": "gold", "enabled": True, "rule": '(eq $tier "gold")'},
                {"name": "rest", "enabled": False},
            ]
        }
    },
}
PLAIN = {"f": {"_variant": "rest", "enabled": False}}


def poll(there, token, **headers):
    """An answer as it was on the wire, and the next token."""
    path = f"/configuration?configuration_token={quote(token, safe='')}"
    answer = there.server.signed.call("GET", path, headers=headers)
    assert answer.status == 200, answer
    return answer, answer.headers["next-poll-configuration-token"]


@pytest.fixture
def flags(server, fresh_name):
    there = Resources(server, fresh_name, FLAGS)
    there.publish(RULES)
    return there


def test_yardarms_agent_gets_flags_as_they_are_stored(flags):
    answer, token = poll(flags, flags.session(), accept=f"{STORED}, application/json;q=0.5")
    assert answer.headers["content-type"] == STORED
    assert answer.json()["values"]["f"]["_variants"][0]["rule"] == '(eq $tier "gold")'
    deployed = parsedate_to_datetime(answer.headers["last-modified"])
    assert deployed == flags.deployment(1)["StartedAt"].replace(microsecond=0)
    again, _ = poll(flags, token, accept=STORED)
    assert (again.body, again.headers["content-type"]) == (b"", STORED)


def test_the_appconfig_agent_gets_flags_in_ion(flags):
    answer, token = poll(flags, flags.session(), accept=ION)
    assert answer.headers["content-type"] == "application/ion; type=AWS.AppConfig.FeatureFlags"
    assert answer.body.startswith(b"\xe0\x01\x00\xea") and b"gold" in answer.body
    assert "last-modified" in answer.headers
    again, _ = poll(flags, token, accept=ION)
    assert (again.body, again.headers["content-type"]) == (b"", answer.headers["content-type"])


def test_flags_without_variants_have_no_ion(server, fresh_name):
    there = Resources(server, fresh_name, FLAGS)
    there.publish({"version": "1", "flags": {"f": {}}, "values": {"f": {"enabled": True}}})
    answer, _ = poll(there, there.session(), accept=ION)
    assert (answer.headers["content-type"], answer.json()) == ("application/json", {"f": {"enabled": True}})


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/ion", "application/*;q=0.5", ",;q=;", STORED + ";q=0"])
def test_everybody_else_gets_what_sdks_get(flags, accept):
    answer, _ = poll(flags, flags.session(), accept=accept)
    assert (answer.headers["content-type"], answer.json()) == ("application/json", PLAIN)
    assert "last-modified" not in answer.headers


def test_a_session_may_change_its_mind(flags):
    token = flags.session()
    for accept, kind in [("*/*", "application/json"), (STORED, STORED), ("*/*", "application/json")]:
        answer, token = poll(flags, token, accept=accept)
        assert (bool(answer.body), answer.headers["content-type"]) == (True, kind)
        answer, token = poll(flags, token, accept=accept)
        assert not answer.body


def test_other_configuration_has_one_form_only(resources):
    resources.publish("a: 1", "application/x-yaml")
    answer, _ = poll(resources, resources.session(), accept=STORED)
    assert (answer.body, answer.headers["content-type"]) == (b"a: 1", "application/x-yaml")


class TestEntityRollout:
    @staticmethod
    def rollout(answer):
        return {name: value for name, value in answer.headers.items() if name.startswith("x-yardarm-")}

    def test_an_agent_can_tell_which_entity_gets_what(self, serve, fresh_name):
        there = Resources(serve("--growth-begins", "at-once"), fresh_name)
        there.publish("old")
        answer, token = poll(there, there.session(), **DECIDES)
        assert self.rollout(answer) == {}
        number = there.start(there.version("new"), there.strategy_in_seconds(duration=86_400, factor=50))["DeploymentNumber"]
        eventually(lambda: there.deployment(number)["PercentageComplete"] == 50.0)

        answer, token = poll(there, token, **DECIDES)
        told = self.rollout(answer)
        assert answer.body == b"new", "whoever decides gets the new version, wherever the session would be"
        assert told["x-yardarm-deployment"] == f"{there.app}/{there.env}/{number}"
        assert told["x-yardarm-exposure"] == "500000"
        previous, _ = poll(there, told["x-yardarm-previous"], **DECIDES)
        assert (previous.body, self.rollout(previous)) == (b"old", {})

        key = f"application/{there.app}/environment/{there.env}/deployment/{number}"
        for client in (f"client-{n}" for n in range(20)):
            session = there.server.signed.call(
                "POST",
                "/configurationsessions",
                json.dumps(
                    {
                        "ApplicationIdentifier": there.app,
                        "EnvironmentIdentifier": there.env,
                        "ConfigurationProfileIdentifier": there.profile,
                    }
                ).encode(),
                headers={"content-type": "application/json", "yardarm-client-id": client},
            ).json()
            served, _ = poll(there, session["InitialConfigurationToken"])
            assert served.body == (b"new" if bucket(key, client) < 500_000 else b"old"), client

        unchanged, token = poll(there, token, **DECIDES)
        assert unchanged.body == b"" and self.rollout(unchanged)["x-yardarm-exposure"] == "500000"
        there.stop(number)
        back, _ = poll(there, token, **DECIDES)
        assert (back.body, self.rollout(back)) == (b"old", {})

    @pytest.mark.parametrize("headers", [{}, {"is-sticky": "true"}, {"x-yardarm-entity-rollout": "1"}], ids=str)
    def test_other_clients_are_drawn_as_ever(self, resources, headers):
        resources.publish("old")
        resources.start(resources.version("new"), resources.strategy(minutes=60, factor=1))
        answer, _ = poll(resources, resources.session(), **headers)
        assert (answer.body, self.rollout(answer)) == (b"old", {})

    def test_before_the_first_deployment_is_done_there_is_no_version_for_the_others(self, resources):
        resources.start(resources.version("new"), resources.strategy(minutes=60, factor=1))
        answer, _ = poll(resources, resources.session(), **DECIDES)
        assert answer.body == b"new" and "x-yardarm-previous" not in answer.headers
