"""OpenFeature's remote evaluation protocol, of the server and of an agent: plain HTTP, its event streams, and the provider
for Python as it is published."""

import json

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from openfeature_by_hand import ALL, OpenFeature, Stream
from resources import FLAGS, Resources
from running import command, eventually


def document(text="one", large=9007199254740991):
    def attributes(*names):
        return {name: {} for name in names}

    return {
        "version": "1",
        "flags": {
            "banner": {"name": "Banner", "attributes": attributes("text", "price", "count", "sizes", "late")},
            "closed": {"name": "Closed", "attributes": attributes("text")},
            "limit": {"name": "Limit", "attributes": attributes("value")},
            "colour": {"name": "Colour", "attributes": attributes("value")},
        },
        "values": {
            "banner": {"enabled": True, "text": text, "price": 4.5, "count": large, "sizes": [1, 2]},
            "closed": {"enabled": False, "text": "hidden"},
            "limit": {"enabled": True, "value": 1},
            "off": {"enabled": False},
            "plain": {"enabled": True},
            "colour": {
                "_variants": [
                    {
                        "name": "adult",
                        "enabled": True,
                        "rule": '(and (eq $country "DE") (gte $age 18))',
                        "attributeValues": {"value": "red"},
                    },
                    {
                        "name": "drawn",
                        "enabled": True,
                        "rule": "(split pct::100 by::$targetingKey)",
                        "attributeValues": {"value": "green"},
                    },
                    {"name": "rest", "enabled": True, "attributeValues": {"value": "blue"}},
                ]
            },
        },
    }


@pytest.fixture
def flags(server, fresh_name):
    """An environment with flags deployed."""
    made = Resources(server, fresh_name, profile_type=FLAGS)
    made.publish(document())
    return made


@pytest.fixture(params=["server", "agent"])
def answering(request, server, flags, agent):
    """Who evaluates: the server, or an agent that asks it every second."""
    if request.param == "server":
        return server
    return agent("--prefetch-list", f"{flags.app_name}:{flags.env_name}:{flags.profile_name}", url=server.url)


@pytest.fixture
def client(answering, flags):
    return OpenFeature(answering, f"/{flags.app_name}/{flags.env_name}")


@pytest.fixture
def server_client(server, flags):
    """For what an agent does otherwise."""
    return OpenFeature(server, f"/{flags.app_name}/{flags.env_name}")


def new_token(server, flags, *options):
    done = server.run(
        "token", "create", "tests", "--application", flags.app_name, "--environment", flags.env_name,
        "--output", "json", *options, check=0,
    )  # fmt: skip
    return json.loads(done.stdout)


class TestOperations:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("plain", "true"),
            ("off", "false"),
            ("banner.text", '"one"'),
            ("banner.price", "4.5"),
            ("banner.count", "9007199254740991"),
            ("banner.enabled", "true"),
            ("banner.sizes", '{"value":[1,2]}'),
            ("limit", "1"),
            ("banner", '{"count":9007199254740991,"enabled":true,"price":4.5,"sizes":[1,2],"text":"one"}'),
            ("closed", '{"enabled":false}'),
        ],
    )
    def test_a_value_keeps_its_type_to_the_letter(self, client, key, value):
        status, _, body = client.send("POST", f"{ALL}/{key}", "{}")
        assert status == 200
        assert f'"value":{value},"reason"'.encode() in body, body

    def test_a_key_without_a_value_leaves_the_default(self, client):
        for key, reason in [("closed.text", "DISABLED"), ("banner.late", "STATIC")]:
            status, _, body = client.one(key)
            assert (status, body["reason"], "value" in body) == (200, reason, False), body

    def test_reasons_and_variants_tell_why(self, client):
        for context, value, variant, reason in [
            ({"country": "DE", "age": 30, "targetingKey": "u"}, "red", "adult", "TARGETING_MATCH"),
            ({"country": "DE", "age": "30", "targetingKey": "u"}, "red", "adult", "TARGETING_MATCH"),
            ({"country": "DE", "age": 17, "targetingKey": "u"}, "green", "drawn", "SPLIT"),
        ]:
            status, _, body = client.one("colour", **context)
            assert (status, body["value"], body["variant"], body["reason"]) == (200, value, variant, reason)
        assert client.one("plain")[2]["reason"] == "STATIC"
        assert client.one("off")[2]["reason"] == "DISABLED"

    def test_metadata_name_profile_and_version(self, client, flags):
        metadata = client.one("colour", targetingKey="u")[2]["metadata"]
        assert metadata == {"profile": flags.profile_name, "variant": "drawn", "version": "1"}
        # The server names a set by ids, an agent as it was asked.
        names = (f"{flags.app}/{flags.env}", f"{flags.app_name}/{flags.env_name}")
        assert client.all()[2]["metadata"]["flagSetId"] in names

    def test_only_a_flag_that_draws_needs_a_targeting_key(self, client):
        status, _, body = client.one("colour", country="FR")
        assert (status, body["errorCode"]) == (400, "TARGETING_KEY_MISSING")
        assert client.one("plain")[0] == 200
        status, _, body = client.all()
        failed = [flag["key"] for flag in body["flags"] if "errorCode" in flag]
        assert (status, failed) == (200, ["colour", "colour.enabled", "colour.value"])

    def test_an_unknown_flag_comes_back_as_it_was_meant(self, client):
        for encoded, key in [("nope", "nope"), ("a%2Fb%20%C3%A4", "a/b ä")]:
            status, _, body = client.post(f"{ALL}/{encoded}", {})
            assert (status, body["errorCode"], body["key"]) == (404, "FLAG_NOT_FOUND", key)

    def test_nonsense_is_told(self, client):
        for body, code in [("{", "PARSE_ERROR"), ("[]", "PARSE_ERROR"), ('{"context":[]}', "INVALID_CONTEXT")]:
            for path in (ALL, f"{ALL}/plain"):
                status, _, answer = client.send("POST", path, body)
                assert (status, json.loads(answer)["errorCode"]) == (400, code)
        assert client.send("POST", f"{ALL}/plain", "")[0] == 200
        # A body that is only announced: what is too large is refused before it is sent.
        assert client.send("POST", ALL, Content_Length=str(1024 * 1024 + 1))[0] == 413

    def test_other_methods_and_paths(self, client):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            status, headers, _ = client.send(method, ALL)
            assert (status, headers["allow"].partition(",")[0]) == (405, "POST")
        assert client.send("GET", "/ofrep/v1/configuration")[0] == 404
        assert client.post(f"{ALL}/")[0] == 200

    def test_a_prefix_and_a_public_address(self, serve, fresh_name):
        server = serve("--ofrep-prefix=/team-a", "--ofrep-public-url=https://flags.test/team-a")
        Resources(server, fresh_name, profile_type=FLAGS).publish(document())
        for base in ("", "/team-a"):
            status, _, body = OpenFeature(server, base).all()
            assert status == 200
            assert body["eventStreams"][0]["url"].startswith("https://flags.test/team-a/ofrep/v1/stream?t=")

    def test_one_page_too_many_is_not_asked_for(self, client):
        status, _, body = client.all(flags=["plain", "banner.text"])
        assert (status, [flag["key"] for flag in body["flags"]]) == (200, ["banner.text", "plain"])


class TestTags:
    def test_the_same_question_has_the_same_answer_and_is_not_answered_twice(self, client):
        first = client.send("POST", ALL, '{"context":{"targetingKey":"u","a":1,"b":"x"}}')
        again = client.send("POST", ALL, '{"context": {"b": "x", "a": 1.0, "targetingKey": "u"}}')
        assert first[0] == 200 and first[2] == again[2] and first[1]["etag"] == again[1]["etag"]
        tag = first[1]["etag"]
        assert tag.startswith('"') and tag.endswith('"')
        for known in (tag, f"W/{tag}", tag.strip('"'), f'"a", {tag}', "*"):
            answer = client.send("POST", ALL, '{"context":{"a":1,"b":"x","targetingKey":"u"}}', If_None_Match=known)
            assert (answer[0], answer[1]["etag"], answer[2]) == (304, tag, b"")

    def test_another_attribute_is_another_answer(self, client):
        tag = client.all(targetingKey="u", country="FR", age=30)[1]["etag"]
        context = {"targetingKey": "u", "country": "DE", "age": 30}
        status, _, body = client.post(ALL, context, If_None_Match=tag)
        assert status == 200
        assert {flag["key"]: flag.get("value") for flag in body["flags"]}["colour"] == "red"

    def test_a_change_and_its_taking_back(self, client, flags):
        tag = client.all()[1]["etag"]
        number = flags.publish(document("two"))["DeploymentNumber"]
        eventually(lambda: client.post(ALL, {}, If_None_Match=tag)[0] == 200)
        flags.control.stop_deployment(**flags.in_env, DeploymentNumber=number, AllowRevert=True)
        eventually(lambda: client.post(ALL, {}, If_None_Match=tag)[0] == 304)

    def test_a_scheduled_step_needs_no_edit(self, client, flags):
        tag = client.all(targetingKey="u")[1]["etag"]
        flags.version(document("two"))
        flags.start(2, flags.strategy_in_seconds(duration=1, factor=100))
        eventually(lambda: client.post(ALL, {"targetingKey": "u"}, If_None_Match=tag)[0] == 200)


class TestCredentials:
    def test_a_token_opens_its_environment_and_no_other(self, serve, fresh_name):
        server = serve(dev=False)
        flags, other = (Resources(server, fresh_name, profile_type=FLAGS) for _ in range(2))
        flags.publish(document())
        made = new_token(server, flags)
        for headers in ({"Authorization": f"Bearer {made['token']}"}, {"X_API_Key": made["token"]}):
            assert OpenFeature(server, **headers).one("plain")[2]["value"] is True
            assert OpenFeature(server, f"/{flags.app}/{flags.env}", **headers).one("plain")[0] == 200
            assert OpenFeature(server, f"/{other.app}/{other.env}", **headers).one("plain")[0] == 403
        for headers in ({}, {"Authorization": "Bearer ydm_x"}, {"X_API_Key": made["token"][:-1]}):
            status, head, body = OpenFeature(server, **headers).one("plain")
            assert (status, head["www-authenticate"], "errorDetails" in body) == (401, "Bearer", True)

    def test_a_token_is_shown_once_listed_and_revoked(self, serve, fresh_name):
        server = serve(dev=False)
        flags = Resources(server, fresh_name, profile_type=FLAGS)
        flags.publish(document())
        made = new_token(server, flags, "--expires-in", "1h", "--scope", "read")
        assert made["token"].startswith(f"ydm_{made['tokenId']}_")
        client = OpenFeature(server, X_API_Key=made["token"])
        assert client.one("plain")[0] == 200
        server.restart()
        assert client.one("plain")[0] == 200, "also after a restart"
        listed = server.run("token", "list", check=0).stdout
        assert made["tokenId"] in listed and made["token"] not in listed
        assert made["token"][-43:].encode() not in (server.data / "yardarm.db").read_bytes()
        server.run("token", "revoke", made["tokenId"], check=0)
        assert client.one("plain")[0] == 401
        assert server.run("token", "revoke", made["tokenId"]).returncode == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            ("token",),
            ("token", "create", "x"),
            ("token", "revoke", "nonsense"),
            ("token", "create", "x", "--application", "a", "--environment", "e", "--expires-in", "soon"),
        ],
        ids=str,
    )
    def test_half_a_command_is_asked_wrongly(self, binary, tmp_path, arguments):
        command(binary, *arguments, cwd=tmp_path, check=2)

    def test_in_development_the_only_environment_needs_no_name(self, serve, fresh_name):
        server = serve()
        flags = Resources(server, fresh_name, profile_type=FLAGS)
        status, head, body = OpenFeature(server).one("plain")
        assert (status, "errorDetails" in body) == (503, True) and int(head["retry-after"]) >= 1
        flags.publish(document())
        assert OpenFeature(server).one("plain")[2]["value"] is True
        assert OpenFeature(server, Origin="https://evil.test").one("plain")[0] == 403
        assert OpenFeature(server, Origin="http://localhost:3000").one("plain")[0] == 200

    def test_whoever_signs_may_ask_anywhere(self, server, flags):
        answer = server.signed.call("POST", f"/{flags.app}/{flags.env}{ALL}/plain", {})
        assert answer.status == 200, answer

    def test_a_token_may_read_configuration_where_it_is_good(self, serve, fresh_name):
        server = serve(dev=False)
        flags, other = (Resources(server, fresh_name, profile_type=FLAGS) for _ in range(2))
        flags.publish(document())
        other.publish(document())
        reader, evaluator = new_token(server, flags, "--scope", "read"), new_token(server, flags)

        def read(of, token):
            path = f"/yardarm/v1/applications/{of.app}/environments/{of.env}/configurations/{of.profile}"
            return OpenFeature(server, Authorization=f"Bearer {token['token']}").send("GET", path)

        status, _, body = read(flags, reader)
        assert (status, json.loads(body)["plain"]) == (200, {"enabled": True})
        assert read(other, reader)[0] == read(flags, evaluator)[0] == 403
        session = {
            "ApplicationIdentifier": flags.app,
            "EnvironmentIdentifier": flags.env,
            "ConfigurationProfileIdentifier": flags.profile,
        }
        client = OpenFeature(server, Authorization=f"Bearer {reader['token']}")
        status, _, body = client.send("POST", "/configurationsessions", json.dumps(session))
        assert status == 201
        poll = "/configuration?configuration_token=" + json.loads(body)["InitialConfigurationToken"]
        assert client.send("GET", poll)[0] == 200
        assert client.send("GET", "/applications")[0] == 403
        server.run("token", "revoke", reader["tokenId"], check=0)
        assert client.send("GET", poll)[0] == 401

    def test_browsers_are_told(self, server_client):
        client = server_client
        ask = {"Origin": "http://localhost:3000", "Access_Control_Request_Method": "POST"}
        status, headers, _ = client.send("OPTIONS", ALL, **ask)
        assert (status, headers["access-control-allow-origin"]) == (204, "*")
        assert int(headers["access-control-max-age"]) >= 7200
        for name in ("Content-Type", "Authorization", "X-API-Key", "If-None-Match"):
            assert name in headers["access-control-allow-headers"]
        assert client.send("POST", ALL, **ask)[1]["access-control-expose-headers"] == "ETag, Retry-After"


class TestStreams:
    def test_a_change_is_heard_of(self, answering, client, flags):
        offered = client.all()[2]["eventStreams"]
        assert [(stream["type"], stream["inactivityDelaySec"]) for stream in offered] == [("sse", 120)]
        uri = offered[0]["endpoint"]["requestUri"]
        stream = Stream(answering, uri)
        assert stream.response.headers["content-type"] == "text/event-stream"
        # The environment was made a moment ago: what came before the connection may have been missed.
        stream.event()
        flags.publish(document("two"))
        revision, data = stream.event()
        assert data["type"] == "refetchEvaluation" and data["etag"] == f'"r{revision}"'
        query = f"?flagConfigEtag=%22r{revision}%22&flagConfigLastModified={data['lastModified']}"
        body = client.post(ALL + query, {})[2]
        assert {flag["key"]: flag.get("value") for flag in body["flags"]}["banner.text"] == "two"
        stream.close()
        again = Stream(answering, uri, Last_Event_ID=str(revision - 1))
        assert again.event()[0] == revision
        again.close()

    def test_another_environment_is_not_heard_of(self, server, answering, client, flags, fresh_name):
        uri = client.all()[2]["eventStreams"][0]["endpoint"]["requestUri"]
        stream = Stream(answering, uri)
        stream.event()
        other = Resources(server, fresh_name, profile_type=FLAGS)
        other.publish(document("other"))
        flags.publish(document("two"))
        newest = stream.event()[0]
        again = Stream(answering, uri, Last_Event_ID=str(newest - 1))
        assert again.event()[0] == newest
        again.close()
        stream.close()

    def test_a_stream_needs_its_token(self, server, server_client):
        for uri in ("/ofrep/v1/stream", "/ofrep/v1/stream?t=nonsense"):
            assert OpenFeature(server).send("GET", uri)[0] == 401
        uri = server_client.all()[2]["eventStreams"][0]["endpoint"]["requestUri"]
        token = uri.partition("?t=")[2]
        assert OpenFeature(server, Authorization=f"Bearer {token}").one("plain")[0] == 401

    def test_a_server_that_stops_lets_go_of_its_listeners(self, serve, fresh_name):
        server = serve("--max-event-streams=2")
        Resources(server, fresh_name, profile_type=FLAGS).publish(document())
        uri = OpenFeature(server).all()[2]["eventStreams"][0]["endpoint"]["requestUri"]
        streams = [Stream(server, uri) for _ in range(2)]
        for stream in streams:
            stream.event()
        status, headers, _ = OpenFeature(server).send("GET", uri)
        assert status == 503 and int(headers["retry-after"]) >= 1
        server.terminate()
        for stream in streams:
            while stream.response.readline():
                pass
            stream.close()
        assert server.wait() == 0


class TestProvider:
    """`openfeature-provider-ofrep`, unchanged."""

    @pytest.fixture(params=["server", "agent"])
    def openfeature(self, request, serve, agent, fresh_name):
        server = serve(dev=False)
        flags = Resources(server, fresh_name, profile_type=FLAGS)
        flags.publish(document())
        if request.param == "server":
            url, token = server.url, new_token(server, flags)["token"]
        else:
            token = "let me in"
            env = {"YARDARM_TOKEN": new_token(server, flags, "--scope", "read")["token"], "ACCESS_TOKEN": token}
            place = f"{flags.app_name}:{flags.env_name}:{flags.profile_name}"
            url = agent("--prefetch-list", place, url=server.url, env=env).url
        provider = OFREPProvider(url, headers_factory=lambda: {"Authorization": f"Bearer {token}"})
        api.set_provider(provider, domain=flags.app_name)
        yield api.get_client(domain=flags.app_name)
        api.clear_providers()

    def test_every_kind_of_value(self, openfeature):
        assert openfeature.get_boolean_value("plain", False) is True
        assert openfeature.get_boolean_value("off", True) is False
        assert openfeature.get_string_value("banner.text", "-") == "one"
        assert openfeature.get_float_value("banner.price", 0.0) == 4.5
        assert openfeature.get_integer_value("banner.count", 0) == 9007199254740991
        assert openfeature.get_integer_value("limit", 0) == 1
        assert openfeature.get_object_value("closed", {}) == {"enabled": False}
        assert openfeature.get_object_value("banner", {})["sizes"] == [1, 2]

    def test_details(self, openfeature):
        known = EvaluationContext("u-1", {"country": "DE", "age": 30})
        details = openfeature.get_string_details("colour", "-", known)
        assert (details.value, details.variant, details.reason) == ("red", "adult", Reason.TARGETING_MATCH)
        assert details.flag_metadata["version"] == "1"
        details = openfeature.get_string_details("colour", "-", EvaluationContext("u-1", {"age": 1}))
        assert (details.value, details.variant, details.reason) == ("green", "drawn", Reason.SPLIT)

    def test_defaults_apply_where_there_is_no_value(self, openfeature):
        details = openfeature.get_string_details("closed.text", "fallback")
        assert (details.value, details.reason, details.error_code) == ("fallback", Reason.DISABLED, None)

    def test_errors(self, openfeature):
        for key, code in [("nope", ErrorCode.FLAG_NOT_FOUND), ("colour", ErrorCode.TARGETING_KEY_MISSING)]:
            details = openfeature.get_string_details(key, "fallback", EvaluationContext(None, {"country": "FR"}))
            assert (details.value, details.error_code) == ("fallback", code)
        details = openfeature.get_string_details("plain", "fallback")
        assert (details.value, details.error_code) == ("fallback", ErrorCode.TYPE_MISMATCH)
