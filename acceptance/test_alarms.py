"""Alarms: a real Prometheus, what Alertmanager and Grafana push, CloudWatch's protocol, and what all of them do to
deployments that boto3 started."""

import json
import random
import re
from urllib.parse import quote

import pytest

from alarm_sources import CloudWatch, Metric, Prometheus, Stub
from resources import Resources
from running import eventually

# As Alertmanager 0.27 sends it.
FIRING = {
    "receiver": "yardarm",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighErrorRate", "service": "cart"},
            "annotations": {"summary": "7 % of requests fail"},
            "startsAt": "2026-09-28T12:00:00.000Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.test/graph",
            "fingerprint": "a1b2c3d4e5f60718",
        }
    ],
    "groupLabels": {"alertname": "HighErrorRate"},
    "commonLabels": {"alertname": "HighErrorRate", "service": "cart"},
    "commonAnnotations": {"summary": "7 % of requests fail"},
    "externalURL": "http://alertmanager.test",
    "version": "4",
    "groupKey": '{}:{alertname="HighErrorRate"}',
    "truncatedAlerts": 0,
}
RESOLVED = json.loads(json.dumps(FIRING).replace('"firing"', '"resolved"'))
WATCHDOG = json.loads(json.dumps(FIRING).replace("HighErrorRate", "Watchdog"))


class Alarms:
    """The alarms of a server, by the native API."""

    def __init__(self, server):
        self.server = server

    def path(self, alarm, rest=""):
        return f"/yardarm/v1/alarms/{quote(alarm, safe='')}{rest}"

    def put(self, alarm, source, **members):
        answer = self.server.signed.call("PUT", self.path(alarm), {"source": source, **members})
        assert answer.status == 200, answer
        return answer.json()

    def get(self, alarm):
        return self.server.signed.call("GET", self.path(alarm)).json()

    def say(self, alarm, state, reason=None):
        body = {"state": state} | ({"reason": reason} if reason else {})
        answer = self.server.signed.call("PUT", self.path(alarm, "/state"), body)
        assert answer.status == 200, answer
        return answer.json()

    def push(self, alarm, secret, body, kind="alertmanager"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
        return self.server.signed.plain("POST", self.path(alarm, f"/{kind}"), body, headers)

    def comes_to(self, alarm, state):
        return eventually(lambda: self.get(alarm)["state"] == state, within=20)


class Watched(Resources):
    """Resources whose environment is watched by alarms."""

    def __init__(self, server, fresh_name, *alarms):
        super().__init__(server, fresh_name)
        self.control.update_environment(**self.in_env, Monitors=[{"AlarmArn": alarm} for alarm in alarms])
        self.first = self.version("one")
        self.second = self.version("two")

    def begin(self):
        """A deployment that everybody has at once, and that bakes for longer than the test takes."""
        number = self.start(self.second, self.strategy_in_seconds(bake=600))["DeploymentNumber"]
        self.comes_to("BAKING", number)
        return number

    def events(self, number):
        return [(event["EventType"], event["TriggeredBy"], event["Description"]) for event in self.deployment(number)["EventLog"]]

    def state(self):
        return self.control.get_environment(**self.in_env)["State"]


@pytest.fixture
def alarms(server):
    return Alarms(server)


def told_why(events, alarm, state="ALARM"):
    assert events[:2] == [
        ("ROLLBACK_COMPLETED", "CLOUDWATCH_ALARM", "Rollback completed"),
        ("ROLLBACK_STARTED", "CLOUDWATCH_ALARM", f"Rollback initiated by alarm {alarm} in {state}"),
    ], events


@pytest.fixture
def closing():
    """Closes what a test opened."""
    opened = []
    yield lambda one: opened.append(one) or one
    for one in reversed(opened):
        one.close()


class TestPrometheus:
    def test_a_metric_that_rises_takes_a_baking_deployment_back(self, serve, fresh_name, tmp_path, closing):
        server = serve("--alarm-poll-seconds=1")
        metric = closing(Metric())
        prometheus = closing(Prometheus(tmp_path, metric))
        alarms = Alarms(server)
        source = {"url": prometheus.url, "query": "errors", "comparison": ">", "threshold": 5}
        eventually(lambda: metric.requests, within=20)
        alarms.put("errors", {"prometheus": source}, freshForSeconds=30)
        watched = Watched(server, fresh_name, "errors")
        number = watched.begin()
        assert alarms.get("errors")["state"] == "OK"
        assert watched.read() == b"two"
        metric.value = 7
        watched.comes_to("ROLLED_BACK", number)
        told_why(watched.events(number), "errors")
        assert watched.state() == "RolledBack"
        evidence = alarms.get("errors")["evidence"]
        assert (evidence["state"], "7 > 5" in evidence["reason"]) == ("ALARM", True), evidence
        text = server.get("/metrics")[1].decode()
        assert 'yardarm_alarm_state{alarm="errors",state="ALARM"} 1' in text, text
        assert re.search(r"^yardarm_alarm_polls_total [1-9]", text, re.M)

    def test_a_query_that_prometheus_refuses_is_told_in_its_words(self, serve, tmp_path, closing):
        server = serve("--alarm-poll-seconds=1")
        prometheus = closing(Prometheus(tmp_path, closing(Metric())))
        alarms = Alarms(server)
        source = {"url": prometheus.url, "query": "sum(", "comparison": ">", "threshold": 5}
        alarms.put("errors", {"prometheus": source})
        failure = eventually(lambda: alarms.get("errors").get("failure"), within=20)
        assert "400" in failure and "parse error" in failure, failure
        assert alarms.get("errors")["state"] == "INSUFFICIENT_DATA"

    @pytest.mark.parametrize(
        "answer",
        [
            (200, {}, b"<html>sign in</html>"),
            (200, {"content-type": "application/json"}, b'{"status":"success"}'),
            (200, {}, b"x" * 2_000_000),
            (500, {}, b""),
            (302, {"location": "http://169.254.169.254/latest/meta-data"}, b""),
        ],
        ids=["a page", "no data", "endless", "a failure", "a redirect inside"],
    )
    def test_a_source_that_answers_garbage_is_no_evidence_and_logged_once(self, serve, fresh_name, closing, answer):
        server = serve("--alarm-poll-seconds=1")
        stub = closing(Stub(lambda *_: answer))
        alarms = Alarms(server)
        source = {"url": stub.url, "query": "errors", "comparison": ">", "threshold": 5}
        alarms.put("errors", {"prometheus": source}, freshForSeconds=5)
        watched = Watched(server, fresh_name, "errors")
        number = watched.start(watched.second, watched.strategy_in_seconds(duration=2, bake=60, factor=50))["DeploymentNumber"]
        watched.comes_to("ROLLED_BACK", number)
        told_why(watched.events(number), "errors", "INSUFFICIENT_DATA")
        assert not [event for event in watched.events(number) if event[0] == "PERCENTAGE_UPDATED"], "no step without evidence"
        assert len(stub.requests) > 2
        assert server.log().count("the alarm's source fails") == 1


class TestPushed:
    def test_alertmanager_takes_a_deployment_back_with_the_alarms_secret(self, server, fresh_name, alarms):
        name = fresh_name("alarm")
        secret = alarms.put(name, "pushed")["secret"]
        assert secret.startswith("yda_") and "secret" not in alarms.get(name)
        assert "secret" not in alarms.put(name, "pushed"), "shown once"
        assert alarms.push(name, secret, WATCHDOG).status == 204
        watched = Watched(server, fresh_name, name)
        number = watched.begin()
        assert alarms.push(name, secret, FIRING).status == 204
        assert watched.deployment(number)["State"] == "ROLLED_BACK", "before the webhook was answered"
        told_why(watched.events(number), name)
        assert alarms.get(name)["evidence"]["reason"] == "HighErrorRate: 7 % of requests fail"
        assert alarms.push(name, secret, RESOLVED).status == 204
        assert alarms.get(name)["state"] == "OK"

    def test_grafana_is_understood_too(self, alarms, fresh_name):
        name = fresh_name("alarm")
        secret = alarms.put(name, "pushed")["secret"]
        body = FIRING | {"title": "[FIRING:1] HighErrorRate", "state": "alerting", "orgId": 1, "message": "**Firing**"}
        assert alarms.push(name, secret, body, "grafana").status == 204
        assert alarms.get(name)["state"] == "ALARM"

    def test_only_the_alarms_own_secret_will_do(self, alarms, fresh_name):
        one, other = fresh_name("alarm"), fresh_name("alarm")
        secret, others = (alarms.put(name, "pushed")["secret"] for name in (one, other))
        assert alarms.push(one, others, FIRING).status == 403
        assert alarms.push(one, secret[:-1] + "x", FIRING).status == 401
        assert alarms.push(one, "", FIRING).status in (401, 403)
        again = alarms.put(one, "pushed", newSecret=True)["secret"]
        assert alarms.push(one, secret, FIRING).status == 401
        assert alarms.push(one, again, FIRING).status == 204
        reading = alarms.server.signed.plain("GET", alarms.path(one), headers={"authorization": f"Bearer {again}"})
        assert reading.status in (401, 403), "it is good for telling only"

    def test_hostile_bodies_are_refused_and_change_nothing(self, alarms, fresh_name, seed):
        name = fresh_name("alarm")
        secret = alarms.put(name, "pushed")["secret"]
        alarms.say(name, "OK")
        whole = json.dumps(FIRING).encode()
        draw = random.Random(seed)
        hostile = [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"status":"firing"}', b'{"status":"firing","alerts":7}']
        hostile += [whole[: draw.randrange(1, len(whole) - 1)] for _ in range(20)]
        for body in hostile:
            answer = alarms.push(name, secret, body)
            assert answer.status == 400 and answer.json()["detail"], (body[:80], answer)
        assert alarms.push(name, secret, b" " * 20_000_000).status == 413
        assert alarms.get(name)["state"] == "OK"
        assert alarms.push("nobody", secret, FIRING).status == 403

    def test_an_alarm_that_is_asked_is_not_told_by_webhook(self, alarms, fresh_name):
        name = fresh_name("alarm")
        alarms.put(name, {"cloudwatch": {"name": "errors", "region": "us-east-1"}})
        answer = alarms.server.signed.call("POST", alarms.path(name, "/alertmanager"), FIRING)
        assert answer.status == 409


class TestStarting:
    def test_a_firing_alarm_refuses_unless_somebody_says_why(self, server, fresh_name, alarms, refused):
        name = fresh_name("alarm")
        alarms.put(name, "pushed")
        alarms.say(name, "ALARM", "on fire")
        watched = Watched(server, fresh_name, name)
        message = (
            f"Environment {watched.env} cannot be deployed to: alarm {name} is in ALARM. "
            "To deploy nevertheless, give the reason in the header Yardarm-Override-Alarms."
        )
        with refused("ConflictException", message, 409):
            watched.start(watched.second)
        client = server.client("appconfig", user_agent_extra="override")

        def override(params, **_):
            params["headers"]["Yardarm-Override-Alarms"] = "it mends the fire"

        client.meta.events.register("before-call.appconfig.StartDeployment", override)
        started = client.start_deployment(
            **watched.in_env,
            ConfigurationProfileId=watched.profile,
            ConfigurationVersion=str(watched.second),
            DeploymentStrategyId=watched.strategy_in_seconds(bake=600),
        )
        number = started["DeploymentNumber"]
        described = f"Deployment started over alarm {name} by {server.key[0]}: it mends the fire"
        assert started["EventLog"][-1]["Description"] == described
        watched.comes_to("BAKING", number)
        watched.stop(number)

    def test_an_alarm_that_nobody_would_watch_refuses(self, server, fresh_name, refused):
        watched = Watched(server, fresh_name, "arn:aws:cloudwatch:us-east-1:123456789012:alarm:unknown")
        with refused("BadRequestException", re.compile("which nobody would watch"), 400):
            watched.start(watched.second)

    def test_or_is_said_not_to_be_watched(self, serve, fresh_name):
        server = serve("--unregistered-alarms=ignore")
        watched = Watched(server, fresh_name, "errors")
        number = watched.begin()
        started = watched.events(number)[-1]
        assert started == ("DEPLOYMENT_STARTED", "USER", "Deployment started; not registered, so not watched: errors")

    def test_an_alarm_with_its_actions_disabled_does_nothing(self, server, fresh_name, alarms):
        name = fresh_name("alarm")
        alarms.put(name, "pushed", actionsEnabled=False)
        alarms.say(name, "ALARM")
        watched = Watched(server, fresh_name, name)
        number = watched.begin()
        alarms.server.signed.call("PATCH", alarms.path(name), {"actionsEnabled": True})
        watched.comes_to("ROLLED_BACK", number)


class TestCloudWatch:
    ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}

    def server(self, serve, stub):
        options = ["--cloudwatch-alarms", f"--cloudwatch-endpoint={stub.url}", "--alarm-poll-seconds=1"]
        return serve(*options, env=self.KEYS)

    def test_an_arn_in_a_monitor_is_enough(self, serve, fresh_name, closing):
        cloudwatch = closing(CloudWatch())
        server = self.server(serve, cloudwatch)
        watched = Watched(server, fresh_name, self.ALARM)
        number = watched.begin()
        method, path, headers, body = cloudwatch.requests[0]
        assert (method, path) == ("POST", "/")
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers["x-amz-target"] == "GraniteServiceVersion20100801.DescribeAlarms"
        assert headers["content-type"] == "application/x-amz-json-1.0"
        assert re.match(r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/us-east-1/monitoring/", headers["authorization"])
        assert json.loads(body)["AlarmNames"] == ["errors"]
        cloudwatch.state = "INSUFFICIENT_DATA"
        watched.comes_to("ROLLED_BACK", number)
        told_why(watched.events(number), self.ALARM, "INSUFFICIENT_DATA")

    def test_an_alarm_with_its_actions_disabled_there_does_nothing(self, serve, fresh_name, closing):
        cloudwatch = closing(CloudWatch())
        cloudwatch.state, cloudwatch.actions_enabled = "ALARM", False
        server = self.server(serve, cloudwatch)
        watched = Watched(server, fresh_name, self.ALARM)
        number = watched.begin()
        cloudwatch.actions_enabled = True
        watched.comes_to("ROLLED_BACK", number)

    def test_without_credentials_the_server_does_not_start(self, serve):
        server = serve("--cloudwatch-alarms", start=False)
        server.launch()
        assert server.process.wait(20) == 2
        server.process.stdout.close()


class TestCommandLine:
    def test_an_alarm_is_put_shown_told_switched_and_deleted(self, server, fresh_name):
        name = fresh_name("alarm")
        made = server.run("alarm", "put", name, "--pushed", "--description", "Errors", "--fresh-for", "10m", check=0)
        assert re.search(r"^Secret: yda_", made.stdout, re.M), made.stdout
        assert "INSUFFICIENT_DATA" in server.run("alarm", "list", check=0).stdout
        server.run("alarm", "state", name, "ALARM", "--reason", "on fire", check=0)
        shown = json.loads(server.run("alarm", "show", name, "--output", "json", check=0).stdout)
        assert (shown["state"], shown["evidence"]["reason"], shown["freshForSeconds"]) == ("ALARM", "on fire", 600)
        assert "disabled" in server.run("alarm", "disable", name, check=0).stdout
        server.run("alarm", "delete", name, check=0)
        gone = server.run("alarm", "show", name, check=1)
        assert f"Alarm {name} could not be found." in gone.stderr

    def test_a_prometheus_alarm_needs_a_query_and_a_threshold(self, server, fresh_name):
        name = fresh_name("alarm")
        server.run("alarm", "put", name, "--prometheus", "http://127.0.0.1:9", check=2)
        server.run("alarm", "put", name, check=2)
        put = ["alarm", "put", name, "--prometheus", "http://127.0.0.1:9", "--query", "up", "--comparison", "<", "--threshold", "1"]
        server.run(*put, "--for", "30s", "--missing-data", "breaching", check=0)
        refused = server.run(*put, "--missing-data", "maybe", check=1)
        assert "missingData" in refused.stderr
        server.run("alarm", "delete", name, check=0)


def test_evidence_and_a_deployment_survive_a_restart(serve, fresh_name):
    server = serve()
    alarms = Alarms(server)
    alarms.put("errors", "pushed")
    alarms.say("errors", "OK")
    watched = Watched(server, fresh_name, "errors")
    number = watched.begin()
    server.kill()
    server.start()
    assert alarms.get("errors")["state"] == "OK"
    assert watched.deployment(number)["State"] == "BAKING"
    alarms.say("errors", "ALARM")
    assert watched.deployment(number)["State"] == "ROLLED_BACK"
