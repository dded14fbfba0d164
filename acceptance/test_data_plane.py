"""Programs that read their configuration, as people write them."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from resources import FLAGS, Resources
from running import eventually


def test_the_flow_of_the_documentation_works_word_for_word(server, resources):
    """What the documentation shows, with an endpoint and a key in place of Amazon's: a flag is flipped between two polls."""
    resources.publish({"new-checkout": False})

    client = boto3.client(
        "appconfigdata",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="yardarm",
        aws_secret_access_key="yardarm-dev-secret",
    )
    session = client.start_configuration_session(
        ApplicationIdentifier=resources.app_name,
        EnvironmentIdentifier=resources.env_name,
        ConfigurationProfileIdentifier=resources.profile_name,
    )
    response = client.get_latest_configuration(ConfigurationToken=session["InitialConfigurationToken"])
    config = json.loads(response["Configuration"].read())
    assert config.get("new-checkout", False) is False

    response = client.get_latest_configuration(ConfigurationToken=response["NextPollConfigurationToken"])
    assert response["Configuration"].read() == b"", "nothing has changed"

    resources.publish({"new-checkout": True})

    response = client.get_latest_configuration(ConfigurationToken=response["NextPollConfigurationToken"])
    config = json.loads(response["Configuration"].read())
    assert config.get("new-checkout", False) is True


def test_an_unchanged_poll_is_200_and_empty_with_the_same_content_type(resources):
    resources.publish(b"a: 1\n", "application/x-yaml", VersionLabel="one")
    first = resources.data.get_latest_configuration(ConfigurationToken=resources.session())
    second = resources.data.get_latest_configuration(ConfigurationToken=first["NextPollConfigurationToken"])
    for answer, body in ((first, b"a: 1\n"), (second, b"")):
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["content-type"] == "application/x-yaml"
        assert headers["content-length"] == str(len(body))
        assert headers["configuration-version"] == "1"
        assert answer["Configuration"].read() == body
        assert answer["NextPollIntervalInSeconds"] == 60
        assert answer["NextPollConfigurationToken"]
    assert first["VersionLabel"] == "one"
    assert "VersionLabel" not in second


def test_a_version_without_a_label_has_no_such_header(resources):
    resources.publish("x")
    assert "VersionLabel" not in resources.data.get_latest_configuration(ConfigurationToken=resources.session())


def test_ids_and_names_may_be_mixed(resources):
    resources.publish("x")
    started = resources.data.start_configuration_session(
        ApplicationIdentifier=resources.app,
        EnvironmentIdentifier=resources.env_name,
        ConfigurationProfileIdentifier=resources.profile,
    )
    assert resources.poll(started["InitialConfigurationToken"])[0] == b"x"


def test_tokens_are_opaque_text_without_spaces(resources):
    resources.publish("x")
    token = resources.session()
    assert 1 <= len(token) <= 8192 and not any(letter.isspace() for letter in token)


class TestTokens:
    def test_a_token_works_twice_in_a_row_so_that_a_lost_answer_does_no_harm(self, resources):
        resources.publish("x")
        token = resources.session()
        (first, one), (again, other) = resources.poll(token), resources.poll(token)
        assert (first, again) == (b"x", b"x")
        for successor in (one, other):
            assert resources.poll(successor)[0] == b"", "whichever answer arrived, its token is good"

    def test_a_token_from_two_polls_ago_is_of_no_use(self, resources, refused):
        resources.publish("x")
        token = resources.session()
        _, following = resources.poll(token)
        resources.poll(following)
        with refused("BadRequestException", "Token not valid", 400):
            resources.poll(token)

    def test_an_old_token_is_of_no_use_when_the_server_is_strict(self, serve, fresh_name, refused):
        strict = Resources(serve("--token-reuse-seconds=0"), fresh_name)
        strict.publish("x")
        token = strict.session()
        _, following = strict.poll(token)
        with refused("BadRequestException", status=400):
            strict.poll(token)
        assert strict.poll(following)[0] == b""

    @pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "A" + t, lambda t: t[::-1], lambda t: "nonsense"])
    def test_a_token_that_was_altered_is_corrupted(self, resources, refused, spoil):
        resources.publish("x")
        with refused("BadRequestException", "Token not valid", 400) as refusal:
            resources.poll(spoil(resources.session()))
        assert refusal.response["Reason"] == "InvalidParameters"
        details = refusal.response["Details"]["InvalidParameters"]
        assert details == {"ConfigurationToken": {"Problem": "Corrupted"}}

    def test_every_altered_byte_is_noticed(self, resources):
        resources.publish("x")
        token = resources.session()
        get = resources.server.signed
        from urllib.parse import quote

        for at in range(0, len(token), max(1, len(token) // 25)):
            other = "B" if token[at] != "B" else "C"
            spoilt = token[:at] + other + token[at + 1 :]
            answer = get.call("GET", f"/configuration?configuration_token={quote(spoilt, safe='')}")
            assert answer.code == "BadRequestException", at

    def test_a_token_of_another_server_is_corrupted(self, resources, serve, fresh_name, refused):
        stranger = Resources(serve(), fresh_name)
        stranger.publish("x")
        with refused("BadRequestException", "Token not valid", 400):
            resources.poll(stranger.session())

    def test_polling_earlier_than_promised_is_too_early_and_does_not_spend_the_token(self, resources, refused):
        resources.publish("x")
        first = resources.data.get_latest_configuration(
            ConfigurationToken=resources.session(RequiredMinimumPollIntervalInSeconds=15)
        )
        assert first["NextPollIntervalInSeconds"] == 15
        token = first["NextPollConfigurationToken"]
        for _ in range(2):
            with refused("BadRequestException", "Request too early", 400) as refusal:
                resources.poll(token)
            details = refusal.response["Details"]["InvalidParameters"]
            assert details == {"ConfigurationToken": {"Problem": "PollIntervalNotSatisfied"}}

    def test_the_announced_interval_binds_nobody_unless_the_server_is_strict(self, serve, fresh_name, refused):
        strict = Resources(serve("--strict-poll-interval", "--poll-interval-seconds=2"), fresh_name)
        strict.publish("x")
        first = strict.data.get_latest_configuration(ConfigurationToken=strict.session())
        assert first["NextPollIntervalInSeconds"] == 2
        token = first["NextPollConfigurationToken"]
        with refused("BadRequestException", "Request too early", 400):
            strict.poll(token)

        def in_time():
            try:
                return strict.poll(token)
            except strict.data.exceptions.BadRequestException:
                return None

        assert eventually(in_time)[0] == b"", "the same token is good after the wait"

    @pytest.mark.parametrize("seconds", [14, 86_401])
    def test_an_interval_has_bounds(self, server, resources, seconds):
        body = {
            "ApplicationIdentifier": resources.app,
            "EnvironmentIdentifier": resources.env,
            "ConfigurationProfileIdentifier": resources.profile,
            "RequiredMinimumPollIntervalInSeconds": seconds,
        }
        answer = server.signed.call("POST", "/configurationsessions", body)
        assert (answer.status, answer.code) == (400, "BadRequestException")

    def test_a_session_outlives_a_restart(self, serve, fresh_name):
        there = Resources(serve(), fresh_name)
        there.publish("x")
        _, token = there.poll(there.session())
        there.server.restart()
        assert there.poll(token)[0] == b""
        there.publish("y")
        assert there.poll(token)[0] == b"y"


class TestWhatIsNotThere:
    def start(self, resources, **members):
        return resources.data.start_configuration_session(
            **{
                "ApplicationIdentifier": resources.app,
                "EnvironmentIdentifier": resources.env,
                "ConfigurationProfileIdentifier": resources.profile,
            }
            | members
        )

    @pytest.mark.parametrize(
        "member, kind",
        [
            ("ApplicationIdentifier", "Application"),
            ("ConfigurationProfileIdentifier", "ConfigurationProfile"),
            ("EnvironmentIdentifier", "Environment"),
        ],
    )
    def test_what_does_not_exist_is_named(self, resources, refused, member, kind):
        with refused("ResourceNotFoundException", f"{kind} not found", 404) as refusal:
            self.start(resources, **{member: "no such name"})
        assert refusal.response["ResourceType"] == kind
        assert refusal.response["ReferencedBy"] == {member: "no such name"}

    def test_the_application_is_looked_for_first_then_the_profile(self, resources, refused):
        nothing = {
            "ApplicationIdentifier": "none",
            "EnvironmentIdentifier": "none",
            "ConfigurationProfileIdentifier": "none",
        }
        for missing, kind in (("ApplicationIdentifier", "Application"), ("EnvironmentIdentifier", "ConfigurationProfile")):
            with refused("ResourceNotFoundException", f"{kind} not found", 404):
                self.start(resources, **nothing)
            nothing.pop(missing)

    def test_there_is_no_session_before_a_deployment(self, resources, refused):
        resources.version("stored, not deployed")
        with refused("ResourceNotFoundException", "Deployment not found", 404) as refusal:
            self.start(resources)
        assert refusal.response["ResourceType"] == "Deployment"
        assert refusal.response["ReferencedBy"] == {
            "EnvironmentIdentifier": resources.env,
            "ConfigurationProfileIdentifier": resources.profile,
        }

    def test_a_session_whose_configuration_is_gone_is_told_so(self, resources, refused):
        number = resources.publish("x")["DeploymentNumber"]
        _, token = resources.poll(resources.session())
        resources.stop(number, AllowRevert=True)
        with refused("ResourceNotFoundException", "Configuration not found", 404) as refusal:
            resources.poll(token)
        assert refusal.response["ResourceType"] == "Configuration"
        assert refusal.response["ReferencedBy"] == {"ConfigurationToken": token}
        resources.publish("y")
        assert resources.poll(token)[0] == b"y", "and goes on when there is one again"

    def test_a_deleted_environment_ends_its_sessions(self, resources, refused):
        resources.publish("x")
        _, token = resources.poll(resources.session())
        resources.control.delete_environment(**resources.in_env)
        with refused("ResourceNotFoundException", status=404):
            resources.poll(token)


class TestRollouts:
    SESSIONS = 60

    @staticmethod
    def polls(resources, tokens):
        """Every session's poll: who has the new version, and the next tokens."""
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(resources.poll, tokens))
        return [body for body, _ in answers], [token for _, token in answers]

    def test_a_rollout_only_grows_and_a_stop_takes_it_back_from_everyone(self, resources):
        resources.publish("old")
        tokens = [resources.session() for _ in range(self.SESSIONS)]
        bodies, tokens = self.polls(resources, tokens)
        assert set(bodies) == {b"old"}
        has_new = [False] * self.SESSIONS

        number = resources.start(
            resources.version("new"), resources.strategy_in_seconds(duration=6, bake=3600, factor=20)
        )["DeploymentNumber"]
        seen = []
        while resources.deployment(number)["State"] == "DEPLOYING":
            bodies, tokens = self.polls(resources, tokens)
            assert set(bodies) <= {b"", b"new"}, "nobody goes back to the old version while it grows"
            assert not any(had and body for had, body in zip(has_new, bodies)), "nobody gets it twice"
            has_new = [had or body == b"new" for had, body in zip(has_new, bodies)]
            seen.append(sum(has_new))
        bodies, tokens = self.polls(resources, tokens)
        has_new = [had or body == b"new" for had, body in zip(has_new, bodies)]
        assert all(has_new), "everyone has it in the bake"
        assert any(0 < count < self.SESSIONS for count in seen), f"it came in steps: {seen}"

        resources.stop(number)
        bodies, tokens = self.polls(resources, tokens)
        assert set(bodies) == {b"old"}, "at the next poll, with the whole content"
        bodies, _ = self.polls(resources, tokens)
        assert set(bodies) == {b""}

    def test_half_of_many_clients_are_inside_at_fifty_percent(self, serve, fresh_name):
        """The deprecated read is drawn by client id; so one can ask for a thousand clients without a thousand sessions."""
        there = Resources(serve("--growth-begins", "at-once"), fresh_name)
        there.publish("old")
        number = there.start(there.version("new"), there.strategy_in_seconds(duration=86_400, factor=50))
        number = number["DeploymentNumber"]
        eventually(lambda: there.deployment(number)["PercentageComplete"] == 50.0)

        def inside(client):
            answer = there.control.get_configuration(
                Application=there.app, Environment=there.env, Configuration=there.profile, ClientId=f"client-{client}"
            )
            return answer["Content"].read() == b"new"

        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(inside, range(300)))
            again = list(pool.map(inside, range(300)))
        assert first == again, "a client that is inside stays inside"
        assert 100 < sum(first) < 200

    def test_a_client_outside_a_first_rollout_gets_nothing_yet(self, resources):
        number = resources.start(resources.version("x"), resources.strategy(minutes=60))["DeploymentNumber"]
        body, token = resources.poll(resources.session())
        assert body == b""
        resources.stop(number)
        resources.publish("y")
        assert resources.poll(token)[0] == b"y"

    def test_a_revert_brings_back_the_version_before(self, resources):
        resources.publish("one")
        number = resources.publish("two")["DeploymentNumber"]
        body, token = resources.poll(resources.session())
        assert body == b"two"
        resources.stop(number, AllowRevert=True)
        assert resources.poll(token)[0] == b"one"
        assert resources.read() == b"one"

    def test_the_same_version_again_is_no_change(self, resources):
        resources.publish("x")
        _, token = resources.poll(resources.session())
        resources.start(1)
        assert resources.poll(token)[0] == b""

    def test_environments_do_not_mix(self, resources):
        other = resources.new_environment()
        resources.publish("here")
        resources.publish("there", env=other)
        assert (resources.read(), resources.read(env=other)) == (b"here", b"there")


class TestDeprecatedGetConfiguration:
    def get(self, resources, **members):
        answer = resources.control.get_configuration(
            Application=resources.app_name,
            Environment=resources.env_name,
            Configuration=resources.profile_name,
            ClientId="me",
            **members,
        )
        return answer["Content"].read(), answer["ConfigurationVersion"], answer["ContentType"]

    def test_content_is_sent_unless_the_client_has_it(self, resources):
        resources.publish({"a": 1})
        assert self.get(resources) == (b'{"a": 1}', "1", "application/json")
        assert self.get(resources, ClientConfigurationVersion="1") == (b"", "1", "application/json")
        resources.publish({"a": 2})
        assert self.get(resources, ClientConfigurationVersion="1") == (b'{"a": 2}', "2", "application/json")

    def test_flags_are_not_served(self, server, fresh_name, refused):
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish({"version": "1", "flags": {"f": {}}, "values": {"f": {"enabled": True}}})
        text = "Feature flag configurations must be accessed via AWS AppConfig Data's GetLatestConfiguration API."
        with refused("BadRequestException", text, 400):
            self.get(flags)

    def test_what_is_not_there_is_not_found(self, resources, refused):
        with refused("ResourceNotFoundException", status=404):
            self.get(resources)


class TestFlagProfiles:
    DOCUMENT = {
        "version": "1",
        "flags": {
            "banner": {
                "name": "Banner",
                "attributes": {
                    "text": {"constraints": {"type": "string"}},
                    "price": {"constraints": {"type": "number", "minimum": 0}},
                },
            },
            "dark": {"name": "Dark", "attributes": {"secret": {"constraints": {"type": "string"}}}},
            "checkout": {"name": "Checkout", "attributes": {"color": {"constraints": {"type": "string"}}}},
            "unused": {"name": "Unused"},
        },
        "values": {
            "banner": {"enabled": True, "text": "Peppermint <3", "price": 4.5},
            "dark": {"enabled": False, "secret": "hidden"},
            "checkout": {
                "_variants": [
                    {"name": "beta", "enabled": True, "rule": '(eq $group "beta")', "attributeValues": {"color": "red"}},
                    {"name": "fallback", "enabled": True, "attributeValues": {"color": "green"}},
                ]
            },
        },
    }

    def test_flags_are_served_flat_sorted_and_without_what_is_nobodys_business(self, server, fresh_name):
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(self.DOCUMENT, VersionLabel="spring")
        answer = flags.data.get_latest_configuration(ConfigurationToken=flags.session())
        body = answer["Configuration"].read()
        assert answer["ContentType"] == "application/json"
        assert answer["VersionLabel"] == "spring"
        expected = {
            "banner": {"enabled": True, "price": 4.5, "text": "Peppermint <3"},
            "checkout": {"_variant": "fallback", "color": "green", "enabled": True},
            "dark": {"enabled": False},
        }
        assert json.loads(body) == expected
        assert list(json.loads(body)) == sorted(expected)
        assert b": " not in body and b"rule" not in body and b"_createdAt" not in body

    def test_a_flag_is_flipped_between_two_polls(self, server, fresh_name):
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(self.DOCUMENT)
        _, token = flags.poll(flags.session())
        off = json.loads(json.dumps(self.DOCUMENT))
        off["values"]["banner"]["enabled"] = False
        flags.publish(off)
        body, _ = flags.poll(token)
        assert json.loads(body)["banner"] == {"enabled": False}


def test_hooks_of_botocore_fire_as_for_any_service(server, resources):
    resources.publish("x")
    seen = []
    client = boto3.client(
        "appconfigdata",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="yardarm",
        aws_secret_access_key="yardarm-dev-secret",
    )
    client.meta.events.register("before-send.appconfigdata.*", lambda request, **_: seen.append(request.method))
    client.meta.events.register("after-call.appconfigdata.*", lambda parsed, **_: seen.append(sorted(parsed)[0]))
    client.start_configuration_session(
        ApplicationIdentifier=resources.app,
        EnvironmentIdentifier=resources.env,
        ConfigurationProfileIdentifier=resources.profile,
    )
    assert seen == ["POST", "InitialConfigurationToken"]


def test_many_clients_poll_at_the_same_time(resources):
    resources.publish("x")
    token = resources.session()
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: resources.poll(token)[0], range(200))) == {b"x"}


def test_large_content_arrives_whole(resources):
    content = b"0123456789abcdef" * (2048 * 64)
    assert len(content) == 2 * 1024 * 1024
    resources.publish(content, "application/octet-stream")
    assert resources.read() == content
