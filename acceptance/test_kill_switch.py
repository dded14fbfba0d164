"""The kill switch: a flag forced off, or to a variant, over whatever is deployed, seen by every kind of client."""

import json

import pytest

from openfeature_by_hand import OpenFeature
from resources import FLAGS, Resources
from running import eventually
from test_native_api import path_of, problem

DOCUMENT = {
    "version": "1",
    "flags": {"banner": {"name": "Banner"}, "checkout": {"name": "Checkout"}},
    "values": {
        "banner": {"enabled": True},
        "checkout": {
            "_variants": [
                {"name": "new", "enabled": True, "rule": '(exists key::"userId")'},
                {"name": "old", "enabled": False},
            ]
        },
    },
}


@pytest.fixture
def shop(server, fresh_name):
    shop = Resources(server, fresh_name, FLAGS)
    shop.publish(DOCUMENT)
    return shop


def forced(shop, flag=""):
    return f"{path_of(shop)}/forced-flags" + (f"/{flag}" if flag else "")


def put(shop, flag, body, **headers):
    return shop.server.signed.call("PUT", forced(shop, flag), json.dumps(body).encode(), headers)


class Session:
    """A session of boto3, and the flags it was last sent."""

    def __init__(self, shop):
        self.shop, self.token, self.flags, self.news = shop, shop.session(), None, 0

    def poll(self):
        content, self.token = self.shop.poll(self.token)
        if content:
            self.flags, self.news = json.loads(content), self.news + 1
        return self.flags


def test_sessions_and_openfeature_see_it_and_its_release(shop):
    session = Session(shop)
    assert session.poll()["banner"] == {"enabled": True}
    answer = put(shop, "banner", {"to": "off", "reason": "it is in the way", "growSeconds": 1})
    assert answer.status == 200
    told = answer.json()
    assert (told["flag"], told["to"], told["reason"]) == ("banner", "off", "it is in the way")
    assert told["growsUntil"] > told["forcedAt"]
    eventually(lambda: session.poll()["banner"] == {"enabled": False})
    news = session.news
    session.poll()
    assert session.news == news, "nothing new since"
    listed = shop.server.signed.call("GET", forced(shop)).json()
    assert [item["flag"] for item in listed["items"]] == ["banner"] and "grownAt" in listed["items"][0]

    # Whatever is deployed.
    shop.publish(DOCUMENT | {"flags": DOCUMENT["flags"] | {"other": {"name": "Other"}}})
    assert session.poll()["banner"] == {"enabled": False}

    released = shop.server.signed.call("DELETE", forced(shop, "banner"), headers={"yardarm-reason": "moved"})
    assert (released.status, released.body) == (204, b"")
    assert session.poll()["banner"] == {"enabled": True}
    listed = shop.server.signed.call("GET", forced(shop)).json()
    assert listed["items"] == [] and listed["released"][0]["releaseReason"] == "moved"
    problem(shop.server.signed.call("DELETE", forced(shop, "banner")), 404)


def test_a_variant_is_everybodys_over_ofrep(shop):
    asked, who = OpenFeature(shop.server, f"/{shop.app_name}/{shop.env_name}"), {"targetingKey": "u1", "userId": "u1"}
    assert asked.one("checkout", **who)[2]["variant"] == "new"
    before = asked.all(**who)[1]["etag"]
    put(shop, "checkout", {"to": {"variant": "old"}, "growSeconds": 1}, **{"yardarm-reason": "it charges twice"})
    eventually(lambda: asked.one("checkout", **who)[2]["value"] is False)
    assert asked.all(**who)[1]["etag"] != before
    shop.server.signed.call("DELETE", forced(shop, "checkout"))
    assert asked.one("checkout", **who)[2]["variant"] == "new"
    assert asked.all(**who)[1]["etag"] == before


def test_what_cannot_be_forced_is_said(shop, resources):
    reason = {"reason": "a test"}
    assert "search" in problem(put(shop, "search", {"to": "off", **reason}), 400)["detail"]
    assert "new, old" in problem(put(shop, "checkout", {"to": {"variant": "x"}, **reason}), 400)["detail"]
    assert "reason" in problem(put(shop, "banner", {"to": "off"}), 400)["detail"]
    assert "growSeconds" in problem(put(shop, "banner", {"to": "off", "growSeconds": 61, **reason}), 400)["detail"]
    problem(put(shop, "banner", {"to": "on", **reason}), 400)
    resources.publish("text")
    assert "flags" in problem(put(resources, "banner", {"to": "off", **reason}), 400)["detail"]


def test_the_command_line_forces_shows_and_releases(shop):
    where = {
        "YARDARM_APPLICATION": shop.app_name,
        "YARDARM_PROFILE": shop.profile_name,
        "YARDARM_ENVIRONMENT": shop.env_name,
    }

    def flag(*arguments, check=0):
        return shop.server.run("flag", *arguments, env=where, check=check)

    said = flag("force", "banner", "--off", "--reason", "it is in the way", "--grow", "1s").stdout
    assert "is forced off" in said and "yardarm flag release banner" in said
    assert "it is in the way" in flag("show", "banner").stdout
    eventually(lambda: "(forced off)" in flag("list").stdout)
    flag("release", "banner", "--reason", "moved")
    assert "forced" not in flag("list").stdout
    flag("force", "banner", "--reason", "neither", check=2)
    flag("release", "banner", check=1)
