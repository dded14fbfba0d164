"""What a flag is for somebody, and why: of what is deployed, or of any stored version."""

from urllib.parse import quote

import pytest

from resources import FLAGS, Resources
from running import eventually
from test_native_api import path_of, problem
from test_native_rollout import bucket


def document(colour="blue"):
    variants = [
        {"name": "gold", "enabled": True, "rule": '(eq $tier "gold")', "attributeValues": {"colour": "yellow"}},
        {"name": "half", "enabled": True, "rule": "(and (exists key::\"targetingKey\") (split pct::50 by::$targetingKey))",
         "attributeValues": {"colour": colour}},
        {"name": "rest", "enabled": False},
    ]
    return {
        "version": "1",
        "flags": {"banner": {}, "checkout": {"attributes": {"colour": {"constraints": {"type": "string"}}}}},
        "values": {"banner": {"enabled": True}, "checkout": {"_variants": variants}},
    }


@pytest.fixture
def flags(server, fresh_name):
    there = Resources(server, fresh_name, FLAGS)
    there.publish(document(), VersionLabel="first")
    return there


def ask(there, what, body, **parts):
    return there.server.signed.call("POST", f"{path_of(there, **parts)}/{what}", body)


def ask_version(there, version, what, body):
    where = f"/yardarm/v1/applications/{there.app}/configurations/{there.profile}/versions/{quote(version)}/{what}"
    return there.server.signed.call("POST", where, body)


class TestEvaluate:
    def test_all_flags_are_evaluated_for_a_context(self, flags):
        answer = ask(flags, "evaluate", {"context": {"tier": "gold"}})
        assert (answer.status, answer.json()) == (
            200,
            {
                "version": 1,
                "label": "first",
                "flags": [
                    {"key": "banner", "value": True, "reason": "STATIC"},
                    {
                        "key": "checkout",
                        "value": {"colour": "yellow", "enabled": True},
                        "variant": "gold",
                        "reason": "TARGETING_MATCH",
                    },
                ],
            },
        )

    def test_keys_choose_and_attributes_are_keys(self, flags):
        body = {"keys": ["checkout.colour", "checkout.enabled", "checkout.colour"], "context": {"tier": "none"}}
        assert ask(flags, "evaluate", body).json()["flags"] == [
            {"key": "checkout.colour", "variant": "rest", "reason": "DISABLED"},
            {"key": "checkout.enabled", "value": False, "variant": "rest", "reason": "DISABLED"},
        ]

    def test_nothing_need_be_known(self, flags):
        assert [flag["reason"] for flag in ask(flags, "evaluate", {}).json()["flags"]] == ["STATIC", "DISABLED"]

    def test_names_do_as_well_as_ids(self, flags):
        names = {"app": flags.app_name, "env": flags.env_name, "profile": flags.profile_name}
        assert ask(flags, "evaluate", {}, **names).status == 200

    @pytest.mark.parametrize("body", [b"[]", b"{", {"context": []}, {"context": {"targetingKey": 1}}, {"contxt": {}}], ids=str)
    def test_a_wrong_body_is_refused(self, flags, body):
        problem(ask(flags, "evaluate", body), 400)

    def test_what_is_not_there_is_named(self, flags):
        assert "`chekout`" in problem(ask(flags, "evaluate", {"keys": ["chekout"]}), 404)["detail"]
        assert "nowhere" in problem(ask(flags, "evaluate", {}, env="nowhere"), 404)["detail"]
        problem(ask(flags, "evaluate", {}, env=flags.new_environment()), 404)

    def test_other_configuration_holds_no_flags(self, resources):
        resources.publish("x")
        problem(ask(resources, "evaluate", {}), 400)
        problem(ask_version(resources, "$LATEST", "explain", {"flag": "x"}), 400)


class TestExplain:
    def test_every_variant_and_every_part_of_a_rule_is_told(self, flags):
        body = {"flag": "checkout", "context": {"targetingKey": "user-17", "tier": "silver"}}
        told = ask(flags, "explain", body).json()
        gold, half, rest = told["variants"]
        assert gold["outcome"] == "passedOver"
        assert gold["rule"] == {"text": '(eq $tier "gold")', "holds": False, "because": 'tier is "silver"'}
        exists, split = half["rule"]["parts"]
        assert exists["holds"] and split["percent"] == 50.0 and 0 <= split["bucket"] < 100
        inside = split["bucket"] < 50
        assert split["holds"] == inside == half["rule"]["holds"]
        assert (half["outcome"], rest["outcome"]) == (("chosen", "notAsked") if inside else ("passedOver", "chosenAsDefault"))
        assert (told["key"], told["variant"], told["reason"]) == (
            ("checkout", "half", "SPLIT") if inside else ("checkout", "rest", "DISABLED")
        )
        evaluated = ask(flags, "evaluate", {"keys": ["checkout"], "context": body["context"]}).json()["flags"][0]
        assert evaluated.items() <= told.items()

    def test_what_was_not_asked_has_no_answer(self, flags):
        half = ask(flags, "explain", {"flag": "checkout"}).json()["variants"][1]
        exists, split = half["rule"]["parts"]
        assert exists["holds"] is False and "holds" not in split and split["percent"] == 50.0

    def test_a_flag_without_variants_is_what_it_is(self, flags):
        told = ask(flags, "explain", {"flag": "banner"}).json()
        assert (told["value"], told["reason"], told["variants"]) == (True, "STATIC", [])

    def test_a_flag_must_be_named(self, flags):
        problem(ask(flags, "explain", {}), 400)
        problem(ask(flags, "explain", {"flag": "checkout.colour"}), 404)


def test_any_stored_version_can_be_asked(flags):
    flags.version(document("green"))
    body = {"keys": ["checkout.colour"], "context": {"targetingKey": next(iter(inside_half(flags)))}}

    def colour(version):
        answer = ask_version(flags, version, "evaluate", body).json()
        return answer["version"], answer["flags"][0]["value"]

    assert colour("1") == colour("first") == (1, "blue")
    assert colour("2") == colour("$LATEST") == (2, "green")
    assert ask_version(flags, "2", "explain", {"flag": "banner"}).json()["version"] == 2
    problem(ask_version(flags, "3", "evaluate", body), 404)
    problem(ask_version(flags, "nope", "explain", {"flag": "banner"}), 404)


def inside_half(there):
    for name in (f"user-{n}" for n in range(100)):
        body = {"keys": ["checkout"], "context": {"targetingKey": name}}
        if ask(there, "evaluate", body).json()["flags"][0]["variant"] == "half":
            yield name


def test_during_a_deployment_the_entity_decides_the_version(serve, fresh_name):
    there = Resources(serve("--growth-begins", "at-once"), fresh_name, FLAGS)
    there.publish(document())
    version = there.version(document("green"))
    number = there.start(version, there.strategy_in_seconds(duration=86_400, factor=50))["DeploymentNumber"]
    eventually(lambda: there.deployment(number)["PercentageComplete"] == 50.0)
    key = f"application/{there.app}/environment/{there.env}/deployment/{number}"
    for name in (f"user-{n}" for n in range(20)):
        told = ask(there, "explain", {"flag": "banner", "context": {"targetingKey": name}}).json()
        drawn = bucket(key, name)
        inside = drawn < 500_000
        assert told["version"] == (2 if inside else 1)
        assert told["rollout"] == {"deployment": number, "exposure": 500_000, "bucket": drawn, "inside": inside}
    told = ask(there, "evaluate", {}).json()
    assert (told["version"], told["rollout"]["inside"]) == (1, False) and "bucket" not in told["rollout"]
