"""The agent beside the server, and the one inside it: applications ask them over local HTTP, as AWS AppConfig's."""

import json
import os
import stat

import pytest

from agents import ask, path_of
from openfeature_by_hand import ALL, OpenFeature, Stream
from resources import FLAGS, Resources
from running import command, eventually

# In one document: a plain flag, a flag with an attribute, a flag with rules.
DOCUMENT = {
    "version": "1",
    "flags": {
        "banner": {"name": "Banner", "attributes": {"text": {"constraints": {"type": "string"}}}},
        "checkout": {"name": "Checkout", "attributes": {"colour": {"constraints": {"type": "string"}}}},
        "dark": {"name": "Dark"},
    },
    "values": {
        "banner": {"enabled": True, "text": "hello"},
        "checkout": {
            "_variants": [
                {"name": "qa", "enabled": True, "rule": '(ends_with $email "@example.com")', "attributeValues": {"colour": "red"}},
                {"name": "me", "enabled": True, "rule": '(eq $entityId "me")', "attributeValues": {"colour": "blue"}},
                {"name": "default", "enabled": False},
            ]
        },
        "dark": {"enabled": False},
    },
}


def changed(text):
    """The document with another banner."""
    return {**DOCUMENT, "values": {**DOCUMENT["values"], "banner": {"enabled": True, "text": text}}}


@pytest.fixture
def flags(server, fresh_name):
    resources = Resources(server, fresh_name, FLAGS)
    resources.publish(DOCUMENT)
    return resources


class TestReading:
    def test_flags_all_one_and_several(self, server, agent, flags):
        one = agent(url=server.url)
        everything = one.read(flags)
        assert everything.status == 200
        assert everything.headers["Content-Type"] == "application/json"
        assert everything.headers["Configuration-Version"] == "1"
        expected = {
            "banner": {"enabled": True, "text": "hello"},
            "checkout": {"_variant": "default", "enabled": False},
            "dark": {"enabled": False},
        }
        assert everything.json() == expected
        assert one.read(flags, "banner").json() == expected["banner"]
        assert one.read(flags, "banner", "dark").json() == {key: expected[key] for key in ("banner", "dark")}
        missing = one.read(flags, "banner", "missing")
        assert (missing.status, missing.json()["Code"]) == (404, "ResourceNotFoundException")

    def test_rules_see_context_and_entity(self, server, agent, flags):
        one = agent(url=server.url)
        for headers, variant in [
            ({}, "default"),
            ({"Context": "email=a@example.com"}, "qa"),
            ({"Context": "country=DE, email=a@example.com"}, "qa"),
            ({"Context": "email=a@example.org"}, "default"),
            ({"Entity-Id": "me"}, "me"),
            ({"Entity-Id": "me", "Context": "entityId=you"}, "me"),
            ({"Context": "email=a%40example.com", "Context-Encoding": "percent"}, "qa"),
        ]:
            assert one.read(flags, "checkout", headers=headers).json()["_variant"] == variant, headers

    def test_other_configurations_come_byte_by_byte_with_type_and_label(self, server, agent, resources):
        resources.publish(b"\x00\xffbytes", "application/x-thing", VersionLabel="first")
        got = agent(url=server.url).read(resources)
        assert (got.status, got.body) == (200, b"\x00\xffbytes")
        assert got.headers["Content-Type"] == "application/x-thing"
        assert (got.headers["Configuration-Version"], got.headers["Version-Label"]) == ("1", "first")

    def test_names_and_ids_mean_the_same_and_may_hold_anything(self, server, agent, fresh_name):
        name = fresh_name("a/b ü:")
        control = server.control
        app = control.create_application(Name=name)["Id"]
        resources = Resources(server, fresh_name)
        env = control.create_environment(ApplicationId=app, Name="e/v")["Id"]
        profile = control.create_configuration_profile(ApplicationId=app, Name="p", LocationUri="hosted")["Id"]
        control.create_hosted_configuration_version(
            ApplicationId=app, ConfigurationProfileId=profile, Content=b"x", ContentType="text/plain"
        )
        control.start_deployment(
            ApplicationId=app,
            EnvironmentId=env,
            ConfigurationProfileId=profile,
            ConfigurationVersion="1",
            DeploymentStrategyId=resources.strategy(),
        )
        one = agent(url=server.url)
        for path in (path_of(name, "e/v", "p"), path_of(app, env, profile)):
            assert one.ask(path).body == b"x"

    def test_a_change_arrives_within_an_interval(self, server, agent, flags):
        one = agent(url=server.url)
        assert one.read(flags, "banner").json()["text"] == "hello"
        flags.publish(changed("news"))
        eventually(lambda: one.read(flags, "banner").json()["text"] == "news", within=10)
        assert one.read(flags).headers["Configuration-Version"] == "2"

    def test_a_yardarm_server_tells_of_changes_at_once(self, server, agent, fresh_name):
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(changed("old"))
        told, not_told = agent(url=server.url, interval="1h"), agent(url=server.url, interval="1h", env={"YARDARM_STREAM": "false"})

        def text(one):
            return one.read(flags, "banner", headers={"Entity-Id": "me"}).json()["text"]

        assert (text(told), text(not_told)) == ("old", "old")
        flags.publish(changed("new"))
        eventually(lambda: text(told) == "new", within=10)
        strategy = flags.strategy_in_seconds(duration=1, bake=3_600)
        number = flags.start(flags.version(changed("newer")), strategy=strategy)["DeploymentNumber"]
        eventually(lambda: text(told) == "newer", within=10)
        flags.stop(number)
        eventually(lambda: text(told) == "new", within=10)
        assert text(not_told) == "old"

    def test_the_log_reads_as_aws_agents(self, server, agent, flags):
        one = agent(url=server.url)
        one.read(flags)
        log = one.log()
        assert "[appconfig agent] " in log and " INFO serving on 127.0.0.1:" in log
        name = f"'{flags.app_name}:{flags.env_name}:{flags.profile_name}'"
        assert f" INFO retrieved initial data for {name} in " in log


class TestRefusals:
    def test_refusals_are_json_with_a_code(self, server, agent, flags, resources):
        one = agent(url=server.url)
        resources.publish({"limit": 5})
        here = path_of(flags.app_name, flags.env_name, flags.profile_name)
        for path, headers, status, code in [
            ("/applications/a/environments/b", {}, 400, "BadRequestException"),
            (here, {"Context": "nothing"}, 400, "BadRequestException"),
            (here, {"Entity-Id": "x" * 2049}, 400, "BadRequestException"),
            (here + "?flag=Not%20a%20key", {}, 400, "BadRequestException"),
            (path_of(resources.app, resources.env, resources.profile, "limit"), {}, 400, "BadRequestException"),
            ("/nothing", {}, 404, "ResourceNotFoundException"),
            (path_of("nothing", "e", "p"), {}, 404, "ResourceNotFoundException"),
            (path_of(flags.app, flags.env, "nothing"), {}, 404, "ResourceNotFoundException"),
        ]:
            told = one.ask(path, headers)
            assert (told.status, told.json()["Code"]) == (status, code), (path, told)
            assert told.headers["x-amzn-ErrorType"] == code
        assert one.ask(path_of("nothing", "e", "p")).json()["ResourceType"] == "Application"

    def test_only_reading_is_answered(self, server, agent, flags):
        one = agent(url=server.url)
        path = path_of(flags.app, flags.env, flags.profile)
        refused = one.ask(path, method="POST")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
        whole, head = one.ask(path), one.ask(path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.body))

    def test_what_is_missing_is_found_once_it_is_there(self, server, agent, resources):
        one = agent(url=server.url)
        assert one.read(resources).json()["ResourceType"] == "Deployment"
        resources.publish("here")
        eventually(lambda: one.read(resources).body == b"here", within=10)

    def test_without_the_token_nobody_is_answered_but_about_the_agent(self, server, agent, flags):
        one = agent(url=server.url, env={"ACCESS_TOKEN": "let me in"})
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "let me in"}):
            refused = one.read(flags, headers=headers)
            assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert refused.json()["Code"] == "UnauthorizedException"
        assert one.read(flags, headers={"Authorization": "Bearer let me in"}).status == 200
        assert one.ask("/ping").body == b"pong"

    def test_web_pages_are_not_answered(self, server, agent, flags):
        one = agent(url=server.url)
        assert one.read(flags, headers={"Origin": "https://example.com"}).status == 403
        assert one.read(flags, headers={"Host": "rebound.example.com"}).status == 403

    def test_nobody_upstream_is_said_so(self, agent):
        one = agent(url="http://127.0.0.1:9")
        told = one.ask(path_of("a", "b", "c"))
        assert (told.status, told.json()["Code"]) == (502, "BadGatewayException")

    def test_wrong_variables_are_named_and_the_agent_does_not_start(self, binary, tmp_path):
        done = command(binary, "agent", env={"POLL_INTERVAL": "soon"}, cwd=tmp_path, check=2)
        assert "POLL_INTERVAL is wrong" in done.stderr
        env = {"AWS_EC2_METADATA_DISABLED": "true", "HTTP_PORT": "0"}
        done = command(binary, "agent", env=env, cwd=tmp_path, check=2)
        assert "SERVICE_REGION" in done.stderr

    def test_a_taken_port_is_said_and_how_to_choose_another(self, binary, server, agent, tmp_path):
        port = agent(url=server.url).url.rsplit(":")[-1]
        done = command(binary, "agent", "--http-port", port, "--url", server.url, cwd=tmp_path, check=1)
        assert f"127.0.0.1:{port}" in done.stderr and "--http-port" in done.stderr


class TestOutage:
    def test_answers_go_on_without_the_server_and_through_a_restart_without_it(self, serve, agent, fresh_name, tmp_path):
        server = serve("--log-level=info")
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(DOCUMENT)
        plain = Resources(server, fresh_name)
        plain.publish("plain")
        backups = tmp_path / "backups"
        one = agent("--backup-directory", str(backups), url=server.url)
        qa = {"Context": "email=a@example.com"}
        expected = one.read(flags, headers=qa).json()
        assert expected["checkout"]["_variant"] == "qa"
        assert one.read(plain).body == b"plain"
        port = server.port
        server.kill()

        eventually(lambda: one.ask("/health").json()["status"] == "stale", within=15)
        assert one.read(flags, headers=qa).json() == expected
        one.restart()
        assert one.read(flags, headers=qa).json() == expected, "rules work from the disk"
        assert one.read(plain).body == b"plain"
        assert one.ask(path_of("never", "asked", "for")).status == 502
        files = list(backups.iterdir())
        assert len(files) == 2 and all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)

        server.listen = f"127.0.0.1:{port}"
        server.start()
        flags.server = plain.server = server
        flags.publish(changed("back"))
        eventually(lambda: one.read(flags, "banner").json()["text"] == "back", within=15)
        eventually(lambda: one.ask("/health").json()["status"] == "ok", within=15)

    def test_openfeature_is_answered_without_the_server_and_through_a_restart_without_it(self, serve, agent, fresh_name, tmp_path):
        server = serve("--log-level=info")
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(DOCUMENT)
        place = f"{flags.app_name}:{flags.env_name}:{flags.profile_name}"
        one = agent("--backup-directory", str(tmp_path), "--prefetch-list", place, url=server.url)
        qa = {"targetingKey": "user-1", "email": "a@example.com"}

        def all_flags():
            status, headers, body = OpenFeature(one, f"/{flags.app_name}/{flags.env_name}").all(**qa)
            assert status == 200, body
            return headers["etag"], body["flags"]

        def colour():
            return OpenFeature(one).one("checkout.colour", **qa)[2]["value"]

        tag, expected = all_flags()
        assert colour() == "red"
        port = server.port
        server.kill()

        eventually(lambda: one.ask("/health").json()["status"] == "stale", within=15)
        assert all_flags() == (tag, expected) and colour() == "red"
        one.restart()
        assert all_flags() == (tag, expected), "the same from the disk, to the tag"
        assert colour() == "red", "rules work from the disk"
        offered = OpenFeature(one).all(**qa)[2]["eventStreams"][0]["endpoint"]["requestUri"]
        stream = Stream(one, offered)

        server.listen = f"127.0.0.1:{port}"
        server.start()
        flags.server = server
        flags.publish(changed("back"))
        stream.event()
        stream.close()
        assert OpenFeature(one).one("banner.text")[2]["value"] == "back"
        assert all_flags()[0] != tag

    def test_copies_that_are_not_preloaded_are_used_when_nobody_answers(self, serve, agent, fresh_name, tmp_path):
        server = serve()
        plain = Resources(server, fresh_name)
        plain.publish("plain")
        one = agent("--backup-directory", str(tmp_path), url=server.url, env={"PRELOAD_BACKUPS": "false"})
        assert one.read(plain).body == b"plain"
        server.kill()
        one.restart()
        assert one.ask("/health").json()["configurations"] == {}
        eventually(lambda: one.read(plain).body == b"plain", within=10)


class TestEntities:
    def test_two_agents_and_the_servers_own_agree_on_everybody_in_a_rollout(self, server, agent, fresh_name):
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(changed("old"))
        one, other, server_url = agent(url=server.url), agent(url=server.url), server.agent_url
        path = path_of(flags.app, flags.env, flags.profile, "banner")
        entities = [f"user-{n}" for n in range(60)]

        def text(url, entity):
            return ask(url, path, {"Entity-Id": entity}).json()["text"]

        assert {text(one.url, entity) for entity in entities} == {"old"}
        strategy = flags.strategy_in_seconds(duration=4, bake=600, factor=50)
        number = flags.start(flags.version(changed("newer")), strategy=strategy)["DeploymentNumber"]
        eventually(lambda: any(text(server_url, entity) == "newer" for entity in entities), within=15)
        eventually(lambda: any(text(one.url, entity) == "newer" for entity in entities), within=15)
        # In the middle of it, what an entity has got it keeps; in the end all agents agree.
        seen = {entity for entity in entities if text(one.url, entity) == "newer"}
        flags.comes_to("BAKING", number)
        assert all(text(one.url, entity) == "newer" for entity in seen)
        for url in (one.url, other.url, server_url):
            eventually(lambda url=url: {text(url, entity) for entity in entities} == {"newer"}, within=15)

        flags.stop(number)
        for url in (one.url, other.url, server_url):
            eventually(lambda url=url: {text(url, entity) for entity in entities} == {"old"}, within=15)

    def test_agents_agree_on_everybody_while_half_have_it(self, serve, agent, fresh_name):
        # The first step is taken at the start, and the next one long after the test.
        server = serve("--growth-begins=at-once")
        plain = Resources(server, fresh_name)
        plain.publish("old")
        one, other = agent(url=server.url), agent(url=server.url)
        assert plain.read() == b"old"
        strategy = plain.strategy_in_seconds(duration=4_000, bake=600, factor=50)
        number = plain.start(plain.version("new"), strategy=strategy)["DeploymentNumber"]
        path = path_of(plain.app, plain.env, plain.profile)
        entities = [f"user-{n}" for n in range(60)]

        def halves(url):
            return [ask(url, path, {"Entity-Id": entity}).body for entity in entities]

        eventually(lambda: plain.deployment(number)["PercentageComplete"] == 50.0)
        inside = halves(server.agent_url)
        assert 10 < inside.count(b"new") < 50
        for url in (one.url, other.url):
            eventually(lambda url=url: halves(url) == inside, within=15)
        plain.stop(number)
        for url in (one.url, other.url, server.agent_url):
            eventually(lambda url=url: set(halves(url)) == {b"old"}, within=15)


class TestManifest:
    def test_a_file_names_configurations_and_where_to_write_them(self, server, agent, flags, tmp_path):
        name = f"{flags.app_name}:{flags.env_name}:{flags.profile_name}"
        written = tmp_path / "flags.json"
        manifest = tmp_path / "manifest.json"
        manifest.write_text(json.dumps({name: {"writeTo": {"path": str(written)}, "colour": 1}}))
        one = agent("--manifest", f"file:{manifest}", url=server.url)
        eventually(written.exists, within=10)
        assert json.loads(written.read_text())["banner"] == {"enabled": True, "text": "hello"}
        assert name in one.ask("/health").json()["configurations"], "it was fetched although nobody asked"
        assert f"wrote configuration '{name}' to {written}" in one.log()
        assert "a member that means nothing: colour" in one.log()
        flags.publish(changed("rewritten"))
        eventually(lambda: "rewritten" in written.read_text(), within=10)
        assert [entry for entry in os.listdir(tmp_path) if entry.startswith(".")] == []

    def test_a_manifest_may_itself_be_deployed(self, server, agent, flags, resources, tmp_path):
        name = f"{flags.app_name}:{flags.env_name}:{flags.profile_name}"
        resources.publish({})
        place = f"{resources.app_name}:{resources.env_name}:{resources.profile_name}"
        one = agent("--manifest", place, url=server.url)
        assert name not in one.ask("/health").json()["configurations"]
        written = tmp_path / "flags.json"
        resources.publish({name: {"writeTo": {"path": str(written)}}})
        eventually(written.exists, within=10)

    def test_a_bad_manifest_stops_the_start(self, binary, server, tmp_path):
        manifest = tmp_path / "manifest.json"
        manifest.write_text('{"a:b": {}}')
        arguments = ("agent", "--http-port", "0", "--url", server.url, "--manifest", f"file:{manifest}")
        assert "`a:b` names no configuration" in command(binary, *arguments, cwd=tmp_path, check=1).stderr


class TestLocalDevelopment:
    def test_a_folder_stands_for_the_service(self, agent, tmp_path):
        stored, ion, plain = (tmp_path / name for name in ("a:e:stored.json", "a:e:ion.application%ion%type=AWS.AppConfig.FeatureFlags", "a:e:plain"))
        stored.write_text(json.dumps(DOCUMENT))
        ion.write_text(
            """'colorway'::[
                 [ (contains $userId "beta"), '''{"_variant":"BetaTesters","enabled":true,"background":"blue"}''' ],
                 [ (split by::$userId pct::10), '''{"_variant":"SplitRollOut","enabled":true,"background":"blue"}''' ],
                 '''{"_variant":"default","enabled":true,"background":"green"}''',
               ]
               'button_color'::'''{"enabled": true, "color": "orange"}'''"""
        )
        plain.write_bytes(b"\x01")
        one = agent("--local-development-directory", str(tmp_path))
        qa = {"Context": "email=x@example.com"}
        assert one.ask(path_of("a", "e", "stored", "checkout"), qa).json() == {"_variant": "qa", "enabled": True, "colour": "red"}
        beta = one.ask(path_of("a", "e", "ion", "colorway"), {"Context": "userId=beta-1"})
        assert beta.json() == {"_variant": "BetaTesters", "enabled": True, "background": "blue"}
        assert beta.headers["Content-Type"] == "application/json"
        assert one.ask(path_of("a", "e", "ion", "button_color")).json() == {"enabled": True, "color": "orange"}
        got = one.ask(path_of("a", "e", "plain"))
        assert (got.body, got.headers["Content-Type"]) == (b"\x01", "application/octet-stream")
        assert one.ask(path_of("a", "e", "absent")).status == 404

        plain.write_bytes(b"\x02")
        eventually(lambda: one.ask(path_of("a", "e", "plain")).body == b"\x02", within=10)
        plain.unlink()
        eventually(lambda: one.ask(path_of("a", "e", "plain")).status == 404, within=10)


class TestObserving:
    def test_health_and_metrics(self, server, agent, flags):
        one = agent(url=server.url)
        for _ in range(3):
            one.read(flags, "checkout", headers={"Entity-Id": "me"})
        name = f"{flags.app_name}:{flags.env_name}:{flags.profile_name}"
        health = one.ask("/health").json()
        assert health["status"] == "ok"
        assert health["configurations"][name]["version"] == "1" and not health["configurations"][name]["stale"]
        labels = (
            f'application="{flags.app_name}",environment="{flags.env_name}",configuration="{flags.profile_name}",'
            'flag="checkout",variant="me"'
        )
        assert f"yardarm_agent_returned_count_total{{{labels}}} 3" in one.ask("/metrics").body.decode()


class TestOpenFeature:
    def test_the_agent_answers_as_the_server(self, server, agent, flags):
        here = f"/{flags.app}/{flags.env}"
        one = OpenFeature(agent(url=server.url), here)
        qa = {"targetingKey": "user-1", "email": "a@example.com"}
        with_profile = f"?profile={flags.profile_name}"
        everything = one.post(ALL + with_profile, qa)[2]
        inside = OpenFeature.at(server.agent_url, here).all(**qa)[2]
        servers = OpenFeature(server, here).all(**qa)[2]
        assert everything["flags"] == inside["flags"] == servers["flags"]
        assert {flag["key"] for flag in everything["flags"]} >= {"banner", "checkout", "checkout.colour", "dark"}
        colour = one.post(f"{ALL}/checkout.colour{with_profile}", qa)[2]
        assert (colour["value"], colour["variant"], colour["reason"]) == ("red", "qa", "TARGETING_MATCH")
        status, _, missing = one.post(f"{ALL}/missing{with_profile}", qa)
        assert (status, missing["errorCode"]) == (404, "FLAG_NOT_FOUND")

    def test_the_only_environment_is_meant(self, server, agent, flags):
        one = OpenFeature(agent("--prefetch-list", f"{flags.app}:{flags.env}:{flags.profile}", url=server.url))
        status, headers, _ = one.all(targetingKey="a")
        assert status == 200
        assert one.post(ALL, {"targetingKey": "a"}, If_None_Match=headers["etag"])[0] == 304
        assert one.post(ALL, {"targetingKey": "b"}, If_None_Match=headers["etag"])[0] == 200

    def test_what_is_not_known_is_said(self, server, agent, flags):
        one = agent(url=server.url)
        assert OpenFeature(one).all()[0] == 400
        assert OpenFeature(one, f"/{flags.app}/{flags.env}").all()[0] == 404
        assert one.ask(ALL).status == 405

    def test_an_agent_that_stops_lets_go_of_its_listeners(self, server, agent, flags):
        one = agent("--prefetch-list", f"{flags.app}:{flags.env}:{flags.profile}", url=server.url)
        uri = OpenFeature(one).all()[2]["eventStreams"][0]["endpoint"]["requestUri"]
        stream = Stream(one, uri)
        stream.event()
        one.stop()
        while stream.response.readline():
            pass
        stream.close()

    def test_with_an_access_token_a_stream_has_one_of_its_own(self, server, agent, flags):
        place = f"{flags.app}:{flags.env}:{flags.profile}"
        one = agent("--prefetch-list", place, url=server.url, env={"ACCESS_TOKEN": "let me in"})
        assert OpenFeature(one).all()[0] == 401
        uri = OpenFeature(one, Authorization="Bearer let me in").all()[2]["eventStreams"][0]["endpoint"]["requestUri"]
        for bad in (uri.partition("?")[0], uri[:-1], uri.replace(flags.env, "other")):
            assert OpenFeature(one).send("GET", bad)[0] == 401
        stream = Stream(one, uri)
        stream.event()
        stream.close()


class TestTokens:
    def test_a_token_of_the_server_is_enough_for_its_environment(self, serve, agent, fresh_name):
        server = serve(dev=False)
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish(DOCUMENT)
        other = Resources(server, fresh_name, FLAGS)
        other.publish(DOCUMENT)
        made = server.run(
            *("token", "create", "agent", "--application", flags.app, "--environment", flags.env),
            *("--scope", "read", "--output", "json"),
            check=0,
        )
        token = json.loads(made.stdout)["token"]
        one = agent(url=server.url, env={"YARDARM_TOKEN": token})
        assert one.read(flags, "banner").json()["text"] == "hello"
        assert one.read(other, "banner").status in (404, 502)


class TestInsideTheServer:
    def test_it_needs_no_credentials_and_hears_of_changes(self, server, flags):
        path = path_of(flags.app_name, flags.env_name, flags.profile_name, "banner")
        assert ask(server.agent_url, path).json() == {"enabled": True, "text": "hello"}
        flags.publish(changed("news"))
        eventually(lambda: ask(server.agent_url, path).json()["text"] == "news", within=2)

    def test_it_is_switched_off_by_a_word(self, serve):
        server = serve("--agent-listen=off")
        assert server.agent_url is None and server.get("/readyz")[0] == 200

    def test_a_taken_port_is_an_error_when_it_was_asked_for(self, binary, server, tmp_path):
        port = server.agent_url.rsplit(":")[-1]
        arguments = ("serve", "--dev", "--listen", "127.0.0.1:0", "--data", tmp_path / "d", f"--agent-listen=127.0.0.1:{port}")
        done = command(binary, *arguments, cwd=tmp_path, check=1)
        assert "for the agent" in done.stderr and "--agent-listen" in done.stderr

    def test_on_an_open_address_it_wants_a_token(self, binary, serve, tmp_path):
        arguments = ("config", "--agent-listen=0.0.0.0:2772")
        assert "YARDARM_AGENT_ACCESS_TOKEN" in command(binary, *arguments, cwd=tmp_path, check=2).stderr
        server = serve(env={"YARDARM_AGENT_ACCESS_TOKEN": "let me in"})
        assert ask(server.agent_url, path_of("a", "b", "c")).status == 401
        told = ask(server.agent_url, path_of("a", "b", "c"), {"Authorization": "Bearer let me in"})
        assert told.status == 404
