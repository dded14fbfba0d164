"""Both versions of a configuration during a deployment, for clients that decide by themselves who gets which."""

import base64
import hashlib
import json
import threading

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
