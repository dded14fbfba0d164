"""Yardarm's own API: plain reads with a long poll, whole deletions, strategies in seconds, health and metrics."""

import json
import random
import re
import resource
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import quote

import pytest

from requests_by_hand import read
from resources import FLAGS, Resources
from running import command, eventually


def path_of(resources, **parts):
    names = {"app": resources.app, "env": resources.env, "profile": resources.profile} | parts
    app, env, profile = (quote(names[part], safe="") for part in ("app", "env", "profile"))
    return f"/yardarm/v1/applications/{app}/environments/{env}/configurations/{profile}"


def problem(answer, status):
    """A refusal in the shape of RFC 9457."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer
    body = answer.json()
    assert body["status"] == status and body["title"] and body["type"]
    assert body["requestId"] == answer.headers["x-amzn-requestid"]
    return body


class TestReading:
    def test_a_read_gives_the_bytes_their_type_and_a_tag(self, resources):
        resources.publish(b"a: 1\n", "application/x-yaml", VersionLabel="one")
        answer = resources.server.signed.call("GET", path_of(resources))
        assert (answer.status, answer.body) == (200, b"a: 1\n")
        headers = answer.headers
        assert headers["content-type"] == "application/x-yaml"
        assert (headers["configuration-version"], headers["version-label"]) == ("1", "one")
        assert re.fullmatch(r'"[^"]+"', headers["etag"])

    def test_names_do_as_well_as_ids(self, resources):
        resources.publish("x")
        where = path_of(resources, app=resources.app_name, env=resources.env_name, profile=resources.profile_name)
        assert resources.server.signed.call("GET", where).body == b"x"

    def test_who_has_it_gets_304_without_a_body(self, resources):
        resources.publish("x")
        get = resources.server.signed
        tag = get.call("GET", path_of(resources)).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = get.call("GET", path_of(resources), headers={"if-none-match": known})
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
        assert get.call("GET", path_of(resources), headers={"if-none-match": '"other"'}).status == 200

    def test_the_tag_changes_with_the_version_and_comes_back_with_a_revert(self, resources):
        get = resources.server.signed

        def tag():
            return get.call("GET", path_of(resources)).headers["etag"]

        resources.publish("one")
        first = tag()
        number = resources.publish("two")["DeploymentNumber"]
        assert tag() != first
        resources.stop(number, AllowRevert=True)
        assert tag() == first

    def test_flags_are_read_in_the_form_in_which_sdks_get_them(self, server, fresh_name):
        flags = Resources(server, fresh_name, FLAGS)
        flags.publish({"version": "1", "flags": {"f": {}}, "values": {"f": {"enabled": True}}})
        assert server.signed.call("GET", path_of(flags)).json() == {"f": {"enabled": True}}

    @pytest.mark.parametrize("part", ["app", "env", "profile"])
    def test_what_does_not_exist_is_named(self, resources, part):
        resources.publish("x")
        body = problem(resources.server.signed.call("GET", path_of(resources, **{part: "nothing-here"})), 404)
        assert "nothing-here" in body["detail"]

    def test_nothing_is_read_before_a_deployment(self, resources):
        problem(resources.server.signed.call("GET", path_of(resources)), 404)

    def test_a_wait_has_bounds(self, resources):
        resources.publish("x")
        for wait in ("-1", "61", "x", "1.5", ""):
            problem(resources.server.signed.call("GET", f"{path_of(resources)}?wait={wait}"), 400)

    def test_a_client_has_a_name_of_1_to_64_characters(self, resources):
        resources.publish("x")
        for client in ("", "x" * 65):
            problem(resources.server.signed.call("GET", f"{path_of(resources)}?client={client}"), 400)

    def test_a_named_client_keeps_its_place_in_a_rollout(self, serve, fresh_name):
        there = Resources(serve("--growth-begins", "at-once"), fresh_name)
        there.publish("old")
        number = there.start(there.version("new"), there.strategy_in_seconds(duration=86_400, factor=50))["DeploymentNumber"]
        eventually(lambda: there.deployment(number)["PercentageComplete"] == 50.0)

        def read(client):
            return there.server.signed.call("GET", f"{path_of(there)}?client=c{client}").body

        with ThreadPoolExecutor(8) as pool:
            first, second = (list(pool.map(read, range(60))) for _ in range(2))
        assert first == second and set(first) == {b"old", b"new"}
        nameless = there.server.signed.call("GET", path_of(there)).body
        assert nameless == b"old", "who gives no name gets a version once everyone has it"


class Waiting(threading.Thread):
    """A reader in a long poll."""

    def __init__(self, resources, tag=None, wait=30):
        super().__init__(daemon=True)
        self.caller = resources.server.signed
        self.caller.timeout = 60
        self.path = f"{path_of(resources)}?wait={wait}"
        self.headers = {"if-none-match": tag} if tag else {}
        self.answer, self.sent = None, False
        self.start()

    def run(self):
        request = self.caller.sign(self.caller.request("GET", self.path, headers=self.headers))
        connection = HTTPConnection("127.0.0.1", self.caller.port, timeout=60)
        connection.request("GET", self.path, headers=dict(request.headers.items()))
        self.sent = True
        self.answer = read(connection.getresponse())
        connection.close()

    def join(self, within=15):
        super().join(within)
        assert not self.is_alive(), "still waiting"
        return self.answer


class TestLongPolls:
    @staticmethod
    def tag(resources):
        return resources.server.signed.call("GET", path_of(resources)).headers["etag"]

    def test_a_deployment_wakes_the_readers(self, resources):
        resources.publish("old")
        readers = [Waiting(resources, self.tag(resources)) for _ in range(5)]
        eventually(lambda: all(reader.sent for reader in readers))
        started = time.monotonic()
        resources.publish("new")
        answers = [reader.join() for reader in readers]
        assert {(answer.status, answer.body) for answer in answers} == {(200, b"new")}
        assert time.monotonic() - started < 10

    def test_a_rollback_wakes_the_readers(self, resources):
        resources.publish("old")
        number = resources.publish("new")["DeploymentNumber"]
        reader = Waiting(resources, self.tag(resources))
        resources.stop(number, AllowRevert=True)
        assert reader.join().body == b"old"

    def test_a_deployment_elsewhere_does_not(self, resources):
        resources.publish("x")
        reader = Waiting(resources, self.tag(resources), wait=2)
        resources.publish("y", env=resources.new_environment())
        assert reader.join().status == 304

    def test_who_knows_nothing_is_answered_at_once(self, resources):
        resources.publish("x")
        started = time.monotonic()
        assert Waiting(resources).join().body == b"x"
        assert time.monotonic() - started < 10

    def test_a_wait_in_vain_ends_with_304(self, resources):
        resources.publish("x")
        assert Waiting(resources, self.tag(resources), wait=1).join().status == 304


class TestDeletion:
    def test_a_whole_application_goes_at_once_and_is_counted(self, resources, refused):
        other = resources.new_environment()
        resources.new_profile()
        for number in range(3):
            resources.publish(f"content {number}")
        resources.publish("x", env=other)
        answer = resources.server.signed.call("DELETE", f"/yardarm/v1/applications/{resources.app_name}?cascade=true")
        assert (answer.status, answer.json()) == (
            200,
            {
                "applicationId": resources.app,
                "name": resources.app_name,
                "removed": {
                    "environments": 2,
                    "configurationProfiles": 2,
                    "hostedConfigurationVersions": 4,
                    "deployments": 4,
                    "extensionAssociations": 0,
                },
            },
        )
        with refused("ResourceNotFoundException", status=404):
            resources.control.get_application(ApplicationId=resources.app)
        resources.control.create_application(Name=resources.app_name)

    def test_without_the_word_only_an_empty_application_goes(self, resources):
        delete = resources.server.signed
        for query in ("", "?cascade=false"):
            body = problem(delete.call("DELETE", f"/yardarm/v1/applications/{resources.app}{query}"), 400)
            assert "environments" in body["detail"]
        problem(delete.call("DELETE", f"/yardarm/v1/applications/{resources.app}?cascade=maybe"), 400)
        empty = resources.control.create_application(Name=resources.fresh_name())["Id"]
        assert delete.call("DELETE", f"/yardarm/v1/applications/{empty}").status == 200

    def test_what_is_in_use_is_protected_on_demand(self, resources):
        resources.publish("x")
        resources.read()
        path = f"/yardarm/v1/applications/{resources.app}?cascade=true"
        check = {"x-amzn-deletion-protection-check": "APPLY"}
        problem(resources.server.signed.call("DELETE", path, headers=check), 409)
        assert resources.server.signed.call("DELETE", path).status == 200

    def test_sessions_of_a_deleted_application_end(self, resources, refused):
        resources.publish("x")
        _, token = resources.poll(resources.session())
        resources.server.signed.call("DELETE", f"/yardarm/v1/applications/{resources.app}?cascade=true")
        with refused("ResourceNotFoundException", status=404):
            resources.poll(token)


class TestStrategies:
    def test_a_strategy_in_seconds_is_one_like_any_other(self, server, fresh_name):
        name = fresh_name()
        body = {"name": name, "description": "quick", "durationSeconds": 90, "bakeSeconds": 30, "growthFactor": 25}
        answer = server.signed.call("POST", "/yardarm/v1/deployment-strategies", body)
        made = answer.json()
        assert answer.status == 201
        assert made == body | {"id": made["id"], "growthFactor": 25.0, "growthType": "LINEAR"}
        listed = server.signed.call("GET", "/yardarm/v1/deployment-strategies").json()["items"]
        assert made in listed
        assert {"AppConfig.AllAtOnce", "AppConfig.Canary10Percent20Minutes"} <= {one["id"] for one in listed}
        found = server.control.get_deployment_strategy(DeploymentStrategyId=made["id"])
        assert (found["Name"], found["GrowthFactor"]) == (name, 25.0)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"durationSeconds": 86_401},
            {"durationSeconds": -1},
            {"durationSeconds": 1.5},
            {"bakeSeconds": 86_401},
            {"growthFactor": 0},
            {"growthFactor": 101},
            {"growthType": "SIDEWAYS"},
            {"name": ""},
            {"name": "x" * 65},
            {"duration": 1},
        ],
        ids=str,
    )
    def test_a_strategy_out_of_bounds_is_refused(self, server, wrong):
        body = {"name": "x", "durationSeconds": 1, "growthFactor": 10} | wrong
        problem(server.signed.call("POST", "/yardarm/v1/deployment-strategies", body), 400)


class TestConcurrency:
    def test_one_per_profile_lets_others_pass(self, serve, fresh_name, refused):
        there = Resources(serve("--deployment-concurrency", "one-per-profile"), fresh_name)
        number = there.start(there.version("x"), there.strategy(minutes=60))["DeploymentNumber"]
        other = there.new_profile()
        assert there.publish("y", profile=other)["State"] == "COMPLETE"
        text = f"Environment {there.env} already has a deployment in progress: {number}"
        with refused("ConflictException", text, 409):
            there.start(1)

    def test_a_queue_takes_its_turns(self, serve, fresh_name):
        there = Resources(serve("--deployment-concurrency", "queue"), fresh_name)
        first = there.start(there.version("one"), there.strategy(minutes=60))["DeploymentNumber"]
        second = there.start(there.version("two"))
        assert (second["State"], second["PercentageComplete"]) == ("DEPLOYING", 0.0)
        there.stop(first)
        there.comes_to("COMPLETE", second["DeploymentNumber"])
        assert there.read() == b"two"

    def test_a_full_queue_is_a_conflict(self, serve, fresh_name, refused):
        there = Resources(serve("--deployment-concurrency", "queue", "--quota-queued-deployments=1"), fresh_name)
        there.start(there.version("one"), there.strategy(minutes=60))
        there.start(1)
        with refused("ConflictException", status=409):
            there.start(1)

    def test_a_queued_deployment_can_be_stopped(self, serve, fresh_name):
        there = Resources(serve("--deployment-concurrency", "queue"), fresh_name)
        first = there.start(there.version("one"), there.strategy(minutes=60))["DeploymentNumber"]
        second = there.start(there.version("two"))["DeploymentNumber"]
        assert there.stop(second)["State"] == "ROLLED_BACK"
        there.stop(first)
        assert there.publish("three")["DeploymentNumber"] == 3


class TestLatest:
    def test_the_newest_version_can_be_deployed_by_saying_so(self, resources):
        resources.version("one")
        resources.version("two")
        assert resources.start("$LATEST")["ConfigurationVersion"] == "2"
        assert resources.read() == b"two"
        resources.control.validate_configuration(**resources.in_profile, ConfigurationVersion="$LATEST")

    def test_there_is_no_newest_version_of_nothing(self, resources, refused):
        with refused("ResourceNotFoundException", status=404):
            resources.start("$LATEST")


class TestProblems:
    def test_an_unsigned_request_is_told_in_the_apis_own_shape(self, server):
        problem(server.signed.plain("GET", "/yardarm/v1/server"), 403)

    def test_a_misspelt_member_is_named(self, server):
        body = problem(server.signed.call("POST", "/yardarm/v1/access-keys", {"name": "x", "descripton": "y"}), 400)
        assert "descripton" in body["detail"]

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"name":1}', b'{"name":""}', b'{"name":null}'], ids=repr)
    def test_a_body_that_does_not_fit_is_refused(self, server, body):
        problem(server.signed.call("POST", "/yardarm/v1/access-keys", body), 400)

    @pytest.mark.parametrize("key", ["x", "zzzz999", "%00", "%ff", "a%2Fb"])
    def test_a_key_that_is_none_is_not_found_or_refused(self, server, key):
        for method in ("GET", "DELETE"):
            answer = server.signed.call(method, f"/yardarm/v1/access-keys/{key}")
            assert answer.status in (400, 404), answer
            problem(answer, answer.status)


class TestServer:
    def test_it_says_what_it_is(self, server):
        info = server.signed.call("GET", "/yardarm/v1/server").json()
        assert (info["region"], info["accountId"], info["dev"]) == ("us-east-1", server.account, True)
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", info["version"]) and info["seq"] >= 0

    def test_health_needs_no_key(self, server):
        for path in ("/healthz", "/readyz"):
            status, body = server.get(path)
            health = json.loads(body)
            assert (status, health["status"], health["staleForSeconds"]) == (200, "ok", 0)
            assert health["seq"] >= 0

    def test_metrics_are_openmetrics(self, server, resources):
        resources.publish("x")
        resources.read()
        answer = server.signed.plain("GET", "/metrics")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        families, samples = openmetrics(answer.body.decode())
        assert families["yardarm_requests"] == "counter"
        assert families["yardarm_request_duration_seconds"] == "histogram"
        polls = samples['yardarm_requests_total{operation="GetLatestConfiguration",status="2xx"}']
        assert polls >= 1
        assert samples["yardarm_log_answers"] == 1
        assert samples["yardarm_log_position"] >= 1

    def test_metrics_do_not_grow_with_what_strangers_ask_for(self, server):
        def lines():
            return len(server.signed.plain("GET", "/metrics").body.splitlines())

        for number in range(20):
            server.signed.plain("GET", f"/nowhere/{number}")
        before = lines()
        for number in range(20):
            server.signed.plain("GET", f"/elsewhere/{number}")
        assert lines() == before


class TestEndings:
    def test_a_stop_answers_those_who_wait(self, serve, fresh_name):
        there = Resources(serve(), fresh_name)
        there.publish("x")
        tag = there.server.signed.call("GET", path_of(there)).headers["etag"]
        readers = [Waiting(there, tag, wait=60) for _ in range(3)]
        eventually(lambda: all(reader.sent for reader in readers))
        # They were sent before this one, which was answered: so they are inside.
        assert there.server.signed.call("GET", "/settings").status == 200
        started = time.monotonic()
        assert there.server.stop() == 0
        assert time.monotonic() - started < 10
        assert [reader.join().status for reader in readers] == [304] * 3

    def test_a_stop_lets_requests_under_way_finish(self, serve, fresh_name):
        """A body that is still on its way when the server is told to stop."""
        server = serve()
        caller = server.signed
        body = json.dumps({"Name": "last one"}).encode()
        request = caller.sign(caller.request("POST", "/applications", body))
        head = "POST /applications HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in request.headers.items())
        head += f"host: {caller.host}\r\ncontent-length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(head.encode() + body[:5])
            # Another request on another connection is answered after this one was accepted.
            assert server.signed.call("GET", "/settings").status == 200
            server.terminate()
            eventually(lambda: "stopping" in server.log())
            connection.sendall(body[5:])
            response = HTTPResponse(connection)
            response.begin()
            assert response.status == 201
        assert server.wait() == 0
        server.start()
        assert [item["Name"] for item in server.control.list_applications()["Items"]] == ["last one"]

    def test_a_stop_while_it_starts_is_a_stop_in_good_order_too(self, serve):
        server = serve()
        for _ in range(10):
            server.restart()  # told to stop the moment it is ready
        server.stop()
        server.launch()
        eventually(lambda: _heeds(server.process.pid, signal.SIGTERM))
        assert server.stop() == 0

    def test_after_a_stop_nobody_is_let_in(self, serve):
        server = serve()
        assert server.stop() == 0
        with pytest.raises(OSError):
            server.get("/healthz")

    def test_a_restart_keeps_everything(self, serve, fresh_name):
        there = Resources(serve(), fresh_name)
        control = there.control
        there.publish({"a": 1}, VersionLabel="one", Description="first")
        number = there.start(there.version("two"), there.strategy(minutes=60))["DeploymentNumber"]
        control.tag_resource(ResourceArn=there.arn(), Tags={"k": "v"})
        control.update_account_settings(DeletionProtection={"Enabled": True})
        questions = [
            lambda c: c.list_applications(),
            lambda c: c.get_environment(**there.in_env),
            lambda c: c.list_configuration_profiles(**there.in_app),
            lambda c: c.list_hosted_configuration_versions(**there.in_profile),
            lambda c: c.list_deployments(**there.in_env),
            lambda c: c.get_deployment(**there.in_env, DeploymentNumber=number),
            lambda c: c.list_tags_for_resource(ResourceArn=there.arn()),
            lambda c: c.get_account_settings(),
            lambda c: c.list_deployment_strategies(),
        ]

        def answers():
            found = [question(there.control) for question in questions]
            return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in found]

        before = answers()
        there.server.restart()
        assert answers() == before
        assert there.stop(number)["State"] == "ROLLED_BACK", "and goes on where it was"

    def test_a_rollout_goes_on_after_a_restart(self, serve, fresh_name):
        there = Resources(serve(), fresh_name)
        number = there.start(there.version("x"), there.strategy_in_seconds(duration=2, factor=50))["DeploymentNumber"]
        there.server.restart()
        done = there.comes_to("COMPLETE", number)
        shares = [re.search(r"to (\S+)%", event["Description"]) for event in done["EventLog"]]
        assert [share[1] for share in shares if share] == ["100.00", "50.00"], "no step is lost or taken twice"

    def test_a_second_server_keeps_its_hands_off_the_data_folder(self, serve, binary, tmp_path):
        server = serve()
        server.control.create_application(Name="first")
        second = command(binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0", "--dev", cwd=tmp_path, check=1)
        assert "already in use" in second.stderr
        assert "The log is whole" in command(binary, "log", "verify", "--data", server.data, cwd=tmp_path, check=0).stdout
        assert server.control.create_application(Name="still working")["Id"]


class TestTrouble:
    @pytest.mark.complaints("disk I/O error|answered.*status=500")
    def test_a_full_disk_stops_writes_and_nothing_else(self, serve, fresh_name, refused):
        """The kernel refuses further growth of files, as a full disk does; then there is room again."""
        server = serve(start=False)
        server.ignore_file_size_signal = True
        there = Resources(server.start(), fresh_name)
        there.publish("x")
        _, token = there.poll(there.session())
        largest = max(path.stat().st_size for path in server.data.iterdir())
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        for _ in range(2):
            with refused("InternalServerException", status=500):
                there.version(random.randbytes(200_000), "application/octet-stream")
        assert (there.read(), there.poll(token)[0]) == (b"x", b""), "reads go on"
        assert server.get("/readyz")[0] == 200, "who can answer reads is ready"

        room = resource.RLIM_INFINITY
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (room, room))
        assert there.publish("y")["ConfigurationVersion"] == "2", "what was refused has left no trace"
        eventually(lambda: json.loads(server.get("/readyz")[1])["status"] == "ok")
        server.restart()
        assert there.read() == b"y"
        assert server.stop() == 0
        assert server.verify_log().returncode == 0

    def test_connections_beyond_the_bound_wait_for_their_turn(self, serve):
        server = serve("--max-connections=3", "--authentication", "none")
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(3)]
        for connection in held:
            # Answered, so accepted; and kept open.
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        fourth = socket.create_connection(("127.0.0.1", server.port), timeout=0.3)
        fourth.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            fourth.recv(1)
        held.pop().close()
        fourth.settimeout(10)
        assert fourth.recv(65_536).startswith(b"HTTP/1.1 200")
        for connection in (fourth, *held):
            connection.close()


def _heeds(pid, number):
    """Whether a process has a handler for a signal."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["SigCgt"], 16) >> (number - 1) & 1


def openmetrics(text):
    """A reader of the OpenMetrics text format that forgives nothing: families with their types, samples with values."""
    lines = text.split("\n")
    assert lines[-1] == "" and lines[-2] == "# EOF"
    families, samples, described = {}, {}, set()
    sample = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)( \S+)?')
    for line in lines[:-2]:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families, f"{name} comes twice"
            assert kind in ("counter", "gauge", "histogram", "info", "unknown")
            families[name] = kind
        elif line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in described
            described.add(name)
        elif line.startswith("# UNIT "):
            assert line.split(" ")[2].endswith("_" + line.split(" ")[3])
        else:
            found = sample.fullmatch(line)
            assert found, line
            name, value = found[1], float(found[3])
            family = next((f for f in families if name == f or (name.startswith(f + "_") and name[len(f) + 1 :] in ("total", "bucket", "sum", "count", "created"))), None)
            assert family, f"{name} belongs to no family"
            assert families[family] != "counter" or name == family + "_total" or name.endswith("_created"), line
            key = name + (found[2] or "")
            assert key not in samples, f"{key} comes twice"
            samples[key] = value
    for name, kind in families.items():
        if kind != "histogram":
            continue
        groups = {}
        for key, value in samples.items():
            if key.startswith(name + "_bucket"):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', key))
                bound = labels.pop("le")
                groups.setdefault(tuple(sorted(labels.items())), []).append((float(bound), value))
        for labels, buckets in groups.items():
            values = [value for _, value in sorted(buckets)]
            assert values == sorted(values), f"{name}{labels}: buckets are cumulative"
            assert max(buckets)[0] == float("inf")
            suffix = "{" + ",".join(f'{k}="{v}"' for k, v in labels) + "}" if labels else ""
            assert samples[f"{name}_count{suffix}"] == values[-1]
    return families, samples
