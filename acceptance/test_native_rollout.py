"""Both versions of a configuration during a deployment, for clients that decide by themselves who gets which."""

import base64
import hashlib
import json
import threading

import pytest

from openfeature_by_hand import Stream
from resources import FLAGS, Resources
from running import eventually
from test_native_api import path_of, problem


def bucket(key, entity):
    """As the reference says it is computed."""
    subject = hashlib.sha256(entity.encode()).digest()[:16]
    draw = int.from_bytes(hashlib.sha256(key.encode() + b"\0" + subject).digest()[:8], "big")
    return draw * 1_000_000 >> 64


def rollout(there, wait=0, **headers):
    return there.server.signed.call("GET", f"{path_of(there)}/rollout?wait={wait}", headers=headers)


def document(enabled):
    return {"version": "1", "flags": {"f": {}}, "values": {"f": {"enabled": enabled}}}


def test_what_is_deployed_is_there_as_it_was_stored(server, fresh_name):
    flags = Resources(server, fresh_name, FLAGS)
    problem(rollout(flags), 404)
    flags.publish(document(True), VersionLabel="one")
    answer = rollout(flags)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    state = answer.json()
    assert (state["type"], set(state)) == (FLAGS, {"type", "seq", "stable"})
    assert (state["stable"]["version"], state["stable"]["label"]) == (1, "one")
    content = json.loads(state["stable"]["content"])
    assert content["flags"].keys() == {"f"} and "_createdAt" in content["values"]["f"]
    tag = answer.headers["etag"]
    again = rollout(flags, **{"if-none-match": tag})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)


def test_a_first_deployment_is_waited_for(server, fresh_name):
    flags = Resources(server, fresh_name, FLAGS)
    problem(rollout(flags, wait=1), 404)
    answers = []
    reader = threading.Thread(target=lambda: answers.append(rollout(flags, wait=30)))
    reader.start()
    # Who names something is told at once that it is not there.
    problem(rollout(flags, wait=30, **{"if-none-match": '"1-0000000000000000"'}), 404)
    flags.publish(document(True))
    reader.join(20)
    assert (answers[0].status, answers[0].json()["stable"]["version"]) == (200, 1)


def test_bytes_that_are_no_text_come_in_base64(resources):
    resources.publish(b"\x80\xff", "application/octet-stream")
    stable = rollout(resources).json()["stable"]
    assert "content" not in stable and base64.b64decode(stable["contentBase64"]) == b"\x80\xff"


def test_during_a_deployment_a_client_can_tell_who_gets_what(serve, fresh_name):
    there = Resources(serve("--growth-begins", "at-once"), fresh_name)
    there.publish("old")
    number = there.start(there.version("new"), there.strategy_in_seconds(duration=86_400, factor=50))["DeploymentNumber"]
    eventually(lambda: there.deployment(number)["PercentageComplete"] == 50.0)
    state = rollout(there).json()
    assert (state["stable"]["content"], state["candidate"]["content"]) == ("old", "new")
    assert (state["rollout"]["deployment"], state["rollout"]["exposure"]) == (number, 500_000)
    for client in (f"client-{n}" for n in range(40)):
        expected = "candidate" if bucket(state["rollout"]["key"], client) < 500_000 else "stable"
        served = there.server.signed.call("GET", f"{path_of(there)}?client={client}").body
        assert served.decode() == state[expected]["content"]


def test_start_and_rollback_wake_those_who_wait(resources):
    resources.publish("old")

    def waiting(tag):
        answers = []
        reader = threading.Thread(target=lambda: answers.append(rollout(resources, wait=30, **{"if-none-match": tag})))
        reader.start()
        return reader, answers

    first = rollout(resources).headers["etag"]
    reader, answers = waiting(first)
    number = resources.start(resources.version("new"), resources.strategy(minutes=60, factor=10))["DeploymentNumber"]
    reader.join(20)
    assert answers[0].json()["candidate"]["content"] == "new"
    reader, answers = waiting(answers[0].headers["etag"])
    resources.stop(number)
    reader.join(20)
    assert "candidate" not in answers[0].json() and answers[0].headers["etag"] == first


class TestStream:
    """The same, told of as it changes."""

    @pytest.fixture
    def listen(self):
        streams = []

        def listen(there, **headers):
            signed = there.server.signed
            headers = {"accept": "text/event-stream", **headers}
            request = signed.sign(signed.request("GET", f"{path_of(there)}/rollout", headers=headers))
            streams.append(Stream(there.server, f"{path_of(there)}/rollout", **dict(request.headers.items())))
            return streams[-1]

        yield listen
        for stream in streams:
            stream.close()

    def test_start_and_rollback_are_told(self, resources, listen):
        resources.publish("old")
        stream = listen(resources)
        assert stream.response.headers["content-type"] == "text/event-stream"
        first = stream.fields()
        assert json.loads(first["data"])["stable"]["content"] == "old"
        assert first["id"] == rollout(resources).headers["etag"]
        assert int(stream.fields()["retry"]) > 0
        number = resources.start(resources.version("new"), resources.strategy(minutes=60, factor=10))["DeploymentNumber"]
        started = json.loads(stream.fields()["data"])
        assert ("content" in started["stable"], started["candidate"]["content"]) == (False, "new")
        resources.stop(number)
        back = stream.fields()
        assert "candidate" not in json.loads(back["data"]) and back["id"] == first["id"]
        again = listen(resources, **{"last-event-id": first["id"]})
        assert again.fields().keys() == {"retry"}, "there is nothing new"

    def test_too_many_are_sent_away_and_told_when_to_come_back(self, serve, fresh_name, listen):
        there = Resources(serve("--max-rollout-streams=1"), fresh_name)
        there.publish("x")
        first = listen(there)
        refused = listen(there).response
        assert (refused.status, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["retry-after"]) >= 1
        first.close()
        eventually(lambda: listen(there).response.status == 200)

    def test_a_server_that_stops_says_when_to_come_back(self, serve, fresh_name, listen):
        server = serve()
        there = Resources(server, fresh_name)
        there.publish("x")
        stream = listen(there)
        assert [stream.fields().keys(), stream.fields().keys()] == [{"id", "data"}, {"retry"}]
        server.stop()
        assert stream.fields().keys() == {"retry"} and stream.response.read() == b""
