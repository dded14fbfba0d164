"""`yardarm flag`, `eval`, `explain` and `lint`: a flag flipped in one line, and everything that may be in its way."""

import json
import os
import pty
import select
import subprocess
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from resources import FLAGS, Resources
from running import command, environment, eventually

DOCUMENT = {
    "version": "1",
    "flags": {
        "banner": {
            "name": "Banner",
            "attributes": {
                "text": {"constraints": {"type": "string", "required": True}},
                "price": {"constraints": {"type": "number", "minimum": 0}},
            },
        },
        "checkout": {"attributes": {"colour": {"constraints": {"type": "string", "enum": ["blue", "green"]}}}},
    },
    "values": {
        "banner": {"enabled": True, "text": "Peppermint", "price": 4.5},
        "checkout": {
            "_variants": [
                {
                    "name": "beta",
                    "enabled": True,
                    "rule": '(eq $tier "beta")',
                    "attributeValues": {"colour": "green"},
                },
                {"name": "ten", "enabled": True, "rule": "(split pct::10 by::$userId)"},
                {"name": "default", "enabled": False},
            ]
        },
        "plain": {"enabled": False},
    },
}


class Shop(Resources):
    """An application with a profile of flags, and the command line aimed at it."""

    def __init__(self, server, fresh_name):
        super().__init__(server, fresh_name, FLAGS)

    @property
    def where(self):
        return {"YARDARM_APPLICATION": self.app_name, "YARDARM_PROFILE": self.profile_name}

    def run(self, *arguments, check=0, env=None):
        return self.server.run(*arguments, env={**self.where, **(env or {})}, check=check)

    def flag(self, *arguments, check=0, env=None):
        return self.run("flag", *arguments, check=check, env=env)

    def change(self, *arguments, check=0):
        """A change without asking, as data."""
        return json.loads(self.flag(*arguments, "--yes", "--output", "json", check=check).stdout)

    def stored(self, number=None):
        """A stored document without its stamps; the latest by default."""
        if number is None:
            listed = self.control.list_hosted_configuration_versions(**self.in_profile, MaxResults=1)["Items"]
            number = listed[0]["VersionNumber"]
        found = self.control.get_hosted_configuration_version(**self.in_profile, VersionNumber=number)
        document = json.loads(found["Content"].read())
        for part in ("flags", "values"):
            for entry in document.get(part, {}).values():
                entry.pop("_createdAt", None), entry.pop("_updatedAt", None)
        return document


@pytest.fixture
def shop(server, fresh_name):
    return Shop(server, fresh_name)


@pytest.fixture
def stocked(shop):
    shop.version(DOCUMENT)
    return shop


def with_value(flag, value):
    return {**DOCUMENT, "values": {**DOCUMENT["values"], flag: value}}


class TestChanges:
    def test_a_flag_is_flipped_and_nothing_else(self, stocked):
        done = stocked.flag("enable", "plain", "--yes")
        assert done.stdout.splitlines() == [
            "~ plain (changed)",
            "  ~ enabled: false → true",
            f"Version 2 of {stocked.app_name}/{stocked.profile_name} is stored.",
        ]
        assert stocked.stored() == with_value("plain", {"enabled": True})
        done = stocked.flag("disable", "plain", "--yes")
        assert "enabled: true → false" in done.stdout and stocked.stored() == DOCUMENT

    def test_everything_else_keeps_its_stamps(self, stocked):
        stocked.flag("enable", "plain", "--yes")
        first, second = (
            json.loads(
                stocked.control.get_hosted_configuration_version(**stocked.in_profile, VersionNumber=number)["Content"].read()
            )
            for number in (1, 2)
        )
        assert first["flags"] == second["flags"]
        assert first["values"]["banner"] == second["values"]["banner"]
        assert first["values"]["plain"]["_createdAt"] == second["values"]["plain"]["_createdAt"]

    def test_what_is_so_already_is_not_stored_again(self, stocked):
        done = stocked.flag("disable", "plain", "--yes")
        assert "is so already in version 1" in done.stdout
        assert stocked.change("disable", "plain") | {"flag": ""} == {
            "application": stocked.app_name,
            "profile": stocked.profile_name,
            "flag": "",
            "previousVersion": 1,
            "version": 1,
            "stored": False,
            "changes": [],
        }

    def test_the_result_is_data_on_demand(self, stocked):
        done = stocked.change("set", "banner", "price=5", "text=Cocoa", "--reason", "winter")
        assert (done["previousVersion"], done["version"], done["stored"]) == (1, 2, True)
        assert done["changes"] == [
            {
                "flag": "banner",
                "kind": "changed",
                "differences": [
                    {"subject": "value price", "before": "4.5", "after": "5"},
                    {"subject": "value text", "before": '"Peppermint"', "after": '"Cocoa"'},
                ],
            }
        ]
        found = stocked.control.get_hosted_configuration_version(**stocked.in_profile, VersionNumber=2)
        assert found["Description"] == "winter"

    def test_a_dry_run_shows_and_stores_nothing(self, stocked):
        done = stocked.flag("set", "banner", "price=5", "--dry-run")
        assert done.stdout.splitlines() == ["~ banner (changed)", "  ~ value price: 4.5 → 5"]
        assert stocked.stored() == DOCUMENT

    def test_without_a_terminal_nobody_is_asked_and_nothing_is_stored(self, stocked):
        done = stocked.flag("enable", "plain", check=2)
        assert "--yes" in done.stderr and done.stdout == ""
        assert stocked.stored() == DOCUMENT

    def test_the_first_flag_of_a_profile(self, shop):
        done = shop.flag("list")
        assert "has no flags: make one with" in done.stdout
        shop.change(
            *("create", "banner", "--name", "Banner", "--description", "Of the season", "--enabled"),
            *("--attribute", "text:string,required", "--attribute", "price:number,min=0,max=100"),
            *("--set", "text=Cocoa", "--set", "price=3.5", "--set", "limit=7"),
        )
        assert shop.stored() == {
            "version": "1",
            "flags": {
                "banner": {
                    "name": "Banner",
                    "description": "Of the season",
                    "attributes": {
                        "text": {"constraints": {"type": "string", "required": True}},
                        "price": {"constraints": {"type": "number", "minimum": 0, "maximum": 100}},
                        "limit": {"constraints": {"type": "number"}},
                    },
                }
            },
            "values": {"banner": {"enabled": True, "text": "Cocoa", "price": 3.5, "limit": 7}},
        }

    def test_the_life_of_variants(self, stocked):
        stocked.change("add-variant", "plain", "staff", "--rule", '(ends_with $email "@example.org")')
        assert stocked.stored()["values"]["plain"]["_variants"] == [
            {"name": "staff", "enabled": True, "rule": '(ends_with $email "@example.org")'},
            {"name": "default", "enabled": False},
        ]
        stocked.change("add-variant", "plain", "off", "--rule", '(exists key::"off")', "--disabled", "--first")
        stocked.change("set-variant", "plain", "staff", "--rule", '(exists key::"staff")', "--rename", "crew")
        stocked.change("move-variant", "plain", "off", "--after", "crew")
        assert stocked.stored()["values"]["plain"]["_variants"] == [
            {"name": "crew", "enabled": True, "rule": '(exists key::"staff")'},
            {"name": "off", "enabled": False, "rule": '(exists key::"off")'},
            {"name": "default", "enabled": False},
        ]
        for name in ("crew", "off", "default"):
            stocked.change("remove-variant", "plain", name)
        assert stocked.stored() == DOCUMENT

    def test_of_a_flag_with_variants_one_is_named(self, stocked):
        done = stocked.flag("enable", "checkout", "--yes", check=1)
        assert "`beta` or `ten` or `default`: --variant NAME, or --all-variants" in done.stderr
        stocked.change("enable", "checkout", "--variant", "default")
        assert stocked.stored()["values"]["checkout"]["_variants"][2]["enabled"] is True
        stocked.change("disable", "checkout")
        assert [each["enabled"] for each in stocked.stored()["values"]["checkout"]["_variants"]] == [False] * 3

    def test_deprecating_describing_and_deleting(self, stocked):
        stocked.change("deprecate", "checkout", "--by", "2027-01-31")
        assert stocked.stored()["flags"]["checkout"]["_deprecation"] == {"status": "planned", "date": "2027-01-31"}
        stocked.change("deprecate", "checkout", "--undo")
        stocked.change("describe", "banner", "--name", "", "--description", "Of the season")
        assert stocked.stored()["flags"]["banner"].keys() == {"attributes", "description"}
        stocked.change("delete", "banner")
        assert "banner" not in stocked.stored()["flags"] and "banner" not in stocked.stored()["values"]

    def test_names_that_a_path_cannot_hold(self, server, fresh_name):
        name = fresh_name("ship & co/é%")
        app = server.control.create_application(Name=name)["Id"]
        server.control.create_configuration_profile(ApplicationId=app, Name="a b/c", LocationUri="hosted", Type=FLAGS)
        server.run("flag", "create", "f", "--application", name, "--profile", "a b/c", "--yes", check=0)


class TestRefusals:
    def told(self, shop, *arguments, check=1, env=None):
        done = shop.flag(*arguments, check=check, env=env)
        assert done.stdout == "" and "panicked" not in done.stderr
        return done.stderr

    def test_a_bad_rule_is_shown_with_its_place(self, stocked):
        told = self.told(stocked, "add-variant", "plain", "x", "--rule", '(eq $user-id "x")', "--yes")
        assert "the rule of variant `x` is not legal" in told and "'$user-id'" in told
        assert '1 | (eq $user-id "x")\n  |     ^' in told

    def test_a_value_outside_its_constraints_is_located(self, stocked):
        told = self.told(stocked, "set", "banner", "price=-1", "--yes")
        assert "values.banner.price: FloatGTE(0), not `-1`" in told
        assert "`dear` is no value of `price`, which takes a number" in self.told(
            stocked, "set", "banner", "price=dear", "--yes"
        )
        assert stocked.stored() == DOCUMENT

    def test_a_flag_that_is_not_there(self, stocked):
        told = self.told(stocked, "enable", "baner", "--yes")
        assert "has no flag `baner`; it has `banner`, `checkout`, `plain`" in told
        assert "has a flag `plain` already" in self.told(stocked, "create", "plain", "--yes")

    def test_what_does_not_exist_is_told_with_what_does(self, stocked):
        env = {"YARDARM_APPLICATION": "nowhere"}
        told = self.told(stocked, "list", env=env)
        assert "there is no application `nowhere`; there is `" in told
        told = self.told(stocked, "list", env={"YARDARM_PROFILE": "nothing"})
        assert f"has no configuration profile `nothing`; of flags it has `{stocked.profile_name}`" in told
        told = self.told(stocked, "enable", "plain", "--yes", "--deploy", "--environment", "x", "--strategy", "y")
        assert f"has no environment `x`; it has `{stocked.env_name}`" in told
        told = self.told(
            stocked, "enable", "plain", "--yes", "--deploy", "--environment", stocked.env_name, "--strategy", "y"
        )
        assert "there is no deployment strategy `y`" in told and "`AppConfig.AllAtOnce`" in told
        assert stocked.stored() == DOCUMENT, "nothing is stored when it could not be deployed as wanted"

    def test_what_is_left_out_is_asked_wrongly(self, stocked):
        told = self.told(stocked, "list", check=2, env={"YARDARM_APPLICATION": ""})
        assert "--application NAME, or YARDARM_APPLICATION" in told
        told = self.told(stocked, "list", check=2, env={"YARDARM_PROFILE": ""})
        assert "--profile NAME, or YARDARM_PROFILE" in told and stocked.profile_name in told
        told = self.told(stocked, "enable", "plain", "--yes", "--deploy", check=2)
        assert "--environment NAME, or YARDARM_ENVIRONMENT" in told
        told = self.told(stocked, "enable", "plain", "--yes", "--deploy", "--environment", stocked.env, check=2)
        assert "--strategy NAME, or YARDARM_STRATEGY" in told

    def test_a_profile_of_something_else(self, stocked):
        name = stocked.fresh_name("settings")
        stocked.new_profile(name)
        told = self.told(stocked, "list", env={"YARDARM_PROFILE": name})
        assert f"`{name}` holds free-form configuration, not flags" in told

    @pytest.mark.parametrize(
        "arguments",
        [
            ("enable", "Plain"),
            ("set", "banner", "price"),
            ("set", "banner"),
            ("set", "banner", "enabled=true"),
            ("create", "x", "--attribute", "y:text"),
            ("move-variant", "checkout", "beta"),
            ("move-variant", "checkout", "beta", "--first", "--last"),
            ("set-variant", "checkout", "beta"),
            ("enable", "plain", "--wait"),
            ("deprecate", "plain", "--by", "soon"),
            ("describe", "plain"),
            ("add-variant", "plain", "x"),
        ],
        ids=" ".join,
    )
    def test_half_a_command_is_asked_wrongly(self, shop, arguments):
        done = shop.flag(*arguments, "--yes", check=2)
        assert done.stderr and "panicked" not in done.stderr

    def test_control_characters_do_not_reach_the_terminal(self, stocked):
        stocked.change("describe", "plain", "--description", "a\x1b[2Jb")
        shown = stocked.flag("show", "plain").stdout
        assert "a\\u{1b}[2Jb" in shown and "\x1b" not in shown


class Overtaking:
    """A server in front of the server that lets somebody else store a version first, a number of times."""

    def __init__(self, shop, times, somebody_else):
        self.left, self.requests = times, []
        overtaking = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stores = self.command == "POST" and self.path.endswith("/hostedconfigurationversions")
                overtaking.requests.append((self.command, self.path))
                if stores and overtaking.left > 0:
                    overtaking.left -= 1
                    somebody_else()
                connection = HTTPConnection("127.0.0.1", shop.server.port, timeout=20)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "date", "connection"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_POST = serve

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class TestRaces:
    def test_a_change_that_is_overtaken_is_made_on_the_newer_version(self, stocked):
        def somebody_else():
            stocked.version(with_value("banner", {"enabled": False, "text": "Peppermint", "price": 4.5}))

        with Overtaking(stocked, 1, somebody_else) as between:
            done = stocked.flag("enable", "plain", "--yes", env={"YARDARM_URL": between.url})
        assert "meanwhile. The change is made on version 2" in done.stderr
        assert "Version 3 of" in done.stdout
        assert stocked.stored()["values"]["plain"] == {"enabled": True}
        assert stocked.stored()["values"]["banner"]["enabled"] is False

    def test_who_is_overtaken_again_and_again_gives_up(self, stocked):
        prices = iter(range(100))

        def somebody_else():
            stocked.version(with_value("banner", {"enabled": True, "text": "x", "price": next(prices)}))

        with Overtaking(stocked, 100, somebody_else) as between:
            done = stocked.flag("enable", "plain", "--yes", check=1, env={"YARDARM_URL": between.url})
        assert "others keep storing versions" in done.stderr and "nothing was changed" in done.stderr
        assert stocked.stored()["values"]["plain"] == {"enabled": False}

    def test_a_flag_that_was_deleted_meanwhile_is_not_brought_back(self, stocked):
        def somebody_else():
            stocked.version({**DOCUMENT, "values": {}, "flags": {}})

        with Overtaking(stocked, 1, somebody_else) as between:
            done = stocked.flag("enable", "plain", "--yes", check=1, env={"YARDARM_URL": between.url})
        assert "has no flag `plain`; it has none" in done.stderr

    def test_the_latest_version_may_have_been_deleted(self, stocked):
        number = stocked.version(with_value("plain", {"enabled": True}))
        stocked.control.delete_hosted_configuration_version(**stocked.in_profile, VersionNumber=number)
        done = stocked.change("set", "banner", "price=1")
        assert (done["previousVersion"], done["version"]) == (1, 3)

    def test_many_at_once_lose_nothing(self, shop):
        names = [f"f{number}" for number in range(6)]
        done = []

        def create(name):
            done.append(shop.flag("create", name, "--yes", check=None))

        threads = [threading.Thread(target=create, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(each.returncode == 0 for each in done), [each.stderr for each in done]
        assert sorted(shop.stored()["values"]) == names


class TestDeployments:
    def deploy(self, shop, *arguments, strategy=None, check=0, output="json"):
        done = shop.flag(
            *arguments,
            *("--yes", "--deploy", "--environment", shop.env_name, "--strategy", strategy or shop.strategy()),
            *("--output", output),
            check=check,
        )
        return json.loads(done.stdout) if output == "json" and check == 0 else done

    def test_a_flag_is_flipped_everywhere_in_one_line(self, stocked):
        stocked.publish(DOCUMENT)
        token = stocked.session()
        served, token = stocked.poll(token)
        assert json.loads(served)["plain"] == {"enabled": False}
        done = self.deploy(stocked, "enable", "plain", "--wait")
        assert done["deployment"] | {"strategy": ""} == {
            "environment": stocked.env_name,
            "number": 2,
            "strategy": "",
            "state": "COMPLETE",
            "percentage": 100.0,
        }
        assert json.loads(stocked.poll(token)[0])["plain"] == {"enabled": True}

    def test_a_deployment_is_followed(self, stocked):
        strategy = stocked.strategy_in_seconds(duration=2, bake=1, factor=50)
        done = self.deploy(stocked, "enable", "plain", "--wait", strategy=strategy, output="table")
        assert "of version 2 to" in done.stdout and "has started" in done.stdout
        told = done.stderr.splitlines()
        assert told == sorted(set(told), key=told.index), "no line twice in a row"
        assert "0 % DEPLOYING" in told[0] and "100 % COMPLETE" in told[-1], told

    def test_following_may_end_when_everyone_has_it(self, stocked):
        strategy = stocked.strategy_in_seconds(duration=0, bake=3600)
        done = self.deploy(stocked, "enable", "plain", "--wait=everyone", strategy=strategy)
        assert (done["deployment"]["state"], done["deployment"]["percentage"]) == ("BAKING", 100.0)

    def test_a_deployment_that_is_stopped_is_a_failure(self, stocked):
        stocked.publish(DOCUMENT)
        strategy = stocked.strategy_in_seconds(duration=3600, factor=10)
        result = []
        follow = threading.Thread(
            target=lambda: result.append(
                self.deploy(stocked, "enable", "plain", "--wait", strategy=strategy, check=1, output="table")
            )
        )
        follow.start()
        number = eventually(
            lambda: next(
                (
                    each["DeploymentNumber"]
                    for each in stocked.control.list_deployments(**stocked.in_env)["Items"]
                    if each["State"] == "DEPLOYING"
                ),
                None,
            )
        )
        stocked.stop(number)
        follow.join()
        assert f"deployment {number} to {stocked.env_name} ended as ROLLED_BACK" in result[0].stderr

    def test_what_was_stored_before_goes_with_it_and_is_shown(self, stocked):
        stocked.publish(DOCUMENT)
        stocked.change("set", "banner", "price=9")
        done = self.deploy(stocked, "enable", "plain", output="table")
        lines = done.stdout.splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("Deployed with it"))
        assert lines[at + 1 : at + 3] == ["~ banner (changed)", "  ~ value price: 4.5 → 9"]

    def test_nothing_to_store_is_deployed_all_the_same_but_not_twice(self, stocked):
        done = self.deploy(stocked, "disable", "plain")
        assert (done["stored"], done["version"], done["deployment"]["number"]) == (False, 1, 1)
        again = self.deploy(stocked, "disable", "plain", output="table")
        assert "is deployed to" in again.stderr and "already" in again.stderr

    def test_a_deployment_in_the_way_leaves_the_version_stored_and_says_so(self, stocked):
        other = stocked.new_profile()
        stocked.start(
            stocked.version("x", profile=other), stocked.strategy_in_seconds(duration=3600, factor=1), profile=other
        )
        done = self.deploy(stocked, "enable", "plain", check=1, output="table")
        assert "version 2 is stored, but not deployed" in done.stderr and "Give the same command again" in done.stderr
        assert stocked.stored()["values"]["plain"] == {"enabled": True}


class TestLooking:
    def test_a_list_shows_every_environment(self, stocked):
        stocked.publish(DOCUMENT)
        stocked.change("enable", "plain")
        strategy = stocked.strategy_in_seconds(duration=3600, factor=25)
        stocked.start(2, strategy)
        other = stocked.new_environment(Name="zzz")
        assert other
        lines = stocked.flag("list").stdout.splitlines()
        assert lines[0].split("  ")[0] == "FLAG" and f"{stocked.env_name} v1 → v2 0 %" in lines[0]
        assert lines[0].endswith("zzz -")
        rows = {line.split()[0]: line.split(None, 1)[1] for line in lines[1:]}
        assert rows["banner"].split() == ["on", "on", "-"]
        assert rows["checkout"].startswith("3 variants") and rows["checkout"].endswith("-")
        assert rows["plain"].split() == ["on", "off", "→", "on", "-"]
        listed = json.loads(stocked.flag("list", "--output", "json").stdout)
        assert listed["version"] == 2
        plain = next(flag for flag in listed["flags"] if flag["flag"] == "plain")
        assert plain == {
            "flag": "plain",
            "latest": {"enabled": True},
            "environments": [
                {
                    "environment": stocked.env_name,
                    "stable": {"version": 1, "state": {"enabled": False}},
                    "candidate": {"version": 2, "state": {"enabled": True}, "percentage": 0.0},
                },
                {"environment": "zzz"},
            ],
        }

    def test_one_flag_is_shown_whole(self, stocked):
        lines = stocked.flag("show", "checkout").stdout.splitlines()
        assert lines[:9] == [
            f"checkout, version 1 of {stocked.app_name}/{stocked.profile_name}",
            '  attribute colour: string of "blue" | "green"',
            "  variants: beta, ten, default",
            '  variant beta: rule: (eq $tier "beta")',
            "  variant beta: enabled: true",
            '  variant beta: value colour: "green"',
            "  variant ten: rule: (split pct::10 by::$userId)",
            "  variant ten: enabled: true",
            "  variant default: enabled: false",
        ]
        assert lines[9].startswith("  created: 20") and lines[10].startswith("  last changed: 20")
        shown = json.loads(stocked.flag("show", "banner", "--output", "json").stdout)
        assert (shown["version"], shown["value"]["price"], shown["definition"]["name"]) == (1, 4.5, "Banner")

    def test_another_version_is_shown_on_demand(self, stocked):
        stocked.publish(DOCUMENT)
        stocked.change("enable", "plain")
        deployed = stocked.flag("show", "plain", "--deployed", "--environment", stocked.env_name).stdout
        assert "enabled: false" in deployed and "enabled: true" in stocked.flag("show", "plain").stdout
        assert "enabled: false" in stocked.flag("show", "plain", "--version", "1").stdout
        assert "there is no version 9" in stocked.flag("show", "plain", "--version", "9", check=1).stderr


class Terminal:
    """A command of the binary at a terminal of its own."""

    def __init__(self, shop, *arguments):
        self.here, there = pty.openpty()
        env = environment(
            YARDARM_URL=shop.server.url,
            AWS_ACCESS_KEY_ID=shop.server.key[0],
            AWS_SECRET_ACCESS_KEY=shop.server.key[1],
            **shop.where,
        )
        self.process = subprocess.Popen(
            [shop.server.binary, *arguments], env=env, stdin=there, stdout=there, stderr=there, close_fds=True
        )
        os.close(there)
        self.said = ""

    def until(self, text):
        while text not in self.said:
            ready, _, _ = select.select([self.here], [], [], 20)
            assert ready, self.said
            self.said += self._read()
        return self.said

    def answer(self, text):
        os.write(self.here, text.encode() + b"\n")

    def end(self):
        while chunk := self._read():
            self.said += chunk
        os.close(self.here)
        return self.process.wait(20)

    def _read(self):
        try:
            return os.read(self.here, 65536).decode()
        except OSError:
            return ""


class TestAsking:
    def test_yes_stores_and_colours_are_for_terminals(self, stocked):
        terminal = Terminal(stocked, "flag", "enable", "plain")
        shown = terminal.until("[y/N]")
        assert "\x1b[33m~ enabled: false → true\x1b[0m" in shown and "Store this in" in shown
        terminal.answer("y")
        assert terminal.end() == 0 and "Version 2 of" in terminal.said

    def test_anything_else_stores_nothing(self, stocked):
        terminal = Terminal(stocked, "flag", "enable", "plain")
        terminal.until("[y/N]")
        terminal.answer("")
        assert terminal.end() == 1 and "Nothing was changed." in terminal.said
        assert stocked.stored() == DOCUMENT

    def test_who_was_asked_about_another_difference_is_asked_again(self, stocked):
        terminal = Terminal(stocked, "flag", "set", "banner", "price=9")
        terminal.until("[y/N]")
        stocked.version(with_value("banner", {"enabled": True, "text": "Peppermint", "price": 7}))
        terminal.answer("y")
        shown = terminal.until("price: 7 → 9")
        assert "meanwhile" in shown
        terminal.until("price: 7 → 9\x1b[0m\r\nStore this in")
        terminal.answer("yes")
        assert terminal.end() == 0 and stocked.stored()["values"]["banner"]["price"] == 9

    def test_who_was_asked_about_the_same_difference_is_not_asked_again(self, stocked):
        terminal = Terminal(stocked, "flag", "enable", "plain")
        terminal.until("[y/N]")
        stocked.version(with_value("banner", {"enabled": True, "text": "Peppermint", "price": 7}))
        terminal.answer("y")
        assert terminal.end() == 0 and terminal.said.count("[y/N]") == 1
        assert stocked.stored()["values"]["banner"]["price"] == 7


class TestAnswers:
    def ask(self, shop, *arguments, check=0):
        done = shop.run(*arguments, "--output", "json", check=check, env={"YARDARM_ENVIRONMENT": shop.env_name})
        return json.loads(done.stdout)

    def test_what_is_deployed_is_evaluated(self, stocked):
        stocked.publish(DOCUMENT)
        stocked.change("delete", "checkout")
        beta = self.ask(stocked, "eval", "checkout", "--context", "tier=beta")
        assert beta == {
            "key": "checkout",
            "value": {"colour": "green", "enabled": True},
            "variant": "beta",
            "reason": "TARGETING_MATCH",
            "version": 1,
        }
        assert self.ask(stocked, "eval", "checkout.colour", "--context", "tier=beta")["value"] == "green"
        other = self.ask(stocked, "eval", "checkout.colour")
        assert "value" not in other and (other["variant"], other["reason"]) == ("default", "DISABLED")
        plain = stocked.run("eval", "plain", "--environment", stocked.env_name)
        assert plain.stdout.splitlines() == [
            "value    false",
            "reason   DISABLED",
            f"of       version 1 of {stocked.app_name}/{stocked.profile_name}, deployed in {stocked.env_name}",
        ]

    def test_versions_and_files_are_evaluated_too(self, stocked, tmp_path):
        stocked.change("enable", "plain")
        assert self.ask(stocked, "eval", "plain", "--version", "1")["value"] is False
        assert self.ask(stocked, "eval", "plain", "--version", "latest")["value"] is True
        file = tmp_path / "flags.json"
        file.write_text(json.dumps(DOCUMENT))
        offline = command(stocked.server.binary, "eval", "banner.price", "--file", file, cwd=tmp_path, check=0)
        assert offline.stdout.splitlines()[0] == "value    4.5"

    def test_a_rollout_decides_by_entity(self, stocked):
        stocked.publish(DOCUMENT)
        stocked.change("enable", "plain")
        stocked.start(2, stocked.strategy_in_seconds(duration=7200, factor=50))
        eventually(lambda: stocked.deployment(2)["State"] == "DEPLOYING")
        assert self.ask(stocked, "eval", "plain", "--entity", "u1")["version"] == 1, "nobody has it yet"
        done = stocked.run("eval", "plain", "--entity", "u1", "--environment", stocked.env_name)
        assert "the entity lies at" in done.stdout and "version 2 has reached 0 %" in done.stdout
        stocked.stop(2)

    def test_an_entity_is_a_key_of_the_context(self, stocked):
        rule = '(and (eq $entityId "u1") (eq $targetingKey "u1"))'
        stocked.change("add-variant", "plain", "me", "--rule", rule)
        answer = self.ask(stocked, "eval", "plain", "--version", "latest", "--entity", "u1")
        assert (answer["value"], answer["variant"]) == (True, "me")

    def test_why_is_explained(self, stocked):
        done = stocked.run("explain", "checkout", "--version", "1", "--context", "userId=u-17")
        lines = done.stdout.splitlines()
        assert lines[0] == f"In version 1 of {stocked.app_name}/{stocked.profile_name}:"
        assert any(line.startswith("  beta: passed over") for line in lines)
        assert "`tier` is missing" in done.stdout or "tier" in done.stdout
        explained = self.ask(stocked, "explain", "checkout.colour", "--version", "1", "--context", "userId=u-17")
        assert [each["name"] for each in explained["variants"]] == ["beta", "ten", "default"]
        assert explained["variants"][0]["outcome"] == "passedOver"
        assert 0 <= explained["variants"][1]["rule"]["bucket"] < 100

    def test_a_token_is_enough_to_ask_what_is_deployed(self, stocked, tmp_path):
        stocked.publish(DOCUMENT)
        create = ("token", "create", "asker", "--environment", stocked.env_name, "--scope", "read", "--output", "json")
        token = json.loads(stocked.run(*create).stdout)["token"]
        env = {
            "YARDARM_URL": stocked.server.url,
            "YARDARM_TOKEN": token,
            "YARDARM_ENVIRONMENT": stocked.env_name,
            **stocked.where,
        }

        def ask(*arguments, check=0, **more):
            return command(stocked.server.binary, *arguments, env={**env, **more}, cwd=tmp_path, check=check)

        assert "value    4.5" in ask("eval", "banner.price").stdout
        assert "chosen, the default" in ask("explain", "checkout").stdout
        other = stocked.new_environment(Name="other")
        assert ask("eval", "banner.price", check=1, YARDARM_ENVIRONMENT=other).stderr
        assert "Sign this request" in ask("eval", "banner.price", "--version", "1", check=1).stderr
        assert "--application NAME" in ask("eval", "banner.price", check=2, YARDARM_APPLICATION="").stderr

    def test_what_has_no_answer_says_why(self, stocked):
        def told(*arguments, check=1):
            done = stocked.run(*arguments, check=check, env={"YARDARM_ENVIRONMENT": stocked.env_name})
            assert done.stdout == "" and "panicked" not in done.stderr
            return done.stderr

        assert "is deployed in" in told("eval", "plain") and "--version latest" in told("eval", "plain")
        assert "has no `plane`; its flags are `banner`" in told("eval", "plane", "--version", "1")
        assert "there is no version 7" in told("explain", "plain", "--version", "7")
        told("eval", "plain", "--version", "seven", check=2)
        told("eval", "plain", "--context", "tier", check=2)
        told("eval", "plain", "--file", "nowhere.json", check=2)


class TestLint:
    def lint(self, binary, tmp_path, *arguments, check=0, text=None):
        if text is None:
            return command(binary, "lint", *arguments, cwd=tmp_path, check=check)
        done = subprocess.run(
            [binary, "lint", *arguments],
            env=environment(),
            cwd=tmp_path,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == check, done
        return done

    def test_a_good_document_passes(self, binary, tmp_path):
        (tmp_path / "flags.json").write_text(json.dumps(DOCUMENT))
        done = self.lint(binary, tmp_path, "flags.json")
        assert (done.stdout, done.stderr) == ("", "Nothing was found.\n")

    def test_everything_is_found_with_its_place_and_a_mark(self, binary, tmp_path):
        (tmp_path / "flags.json").write_text(
            """{"version": "1",
 "flags": {"f": {"attributes": {"colour": {"constraints": {"type": "string", "enum": ["blue"]}}}}},
 "values": {"f": {"_variants": [
   {"name": "a", "enabled": true, "rule": "(eq $user-id \\"x\\")", "attributeValues": {"colour": "red"}},
   {"name": "b", "enabled": true}]}}
}
"""
        )
        done = self.lint(binary, tmp_path, "flags.json", check=1)
        lines = done.stdout.splitlines()
        assert lines[0].startswith("flags.json:4:48: error: values.f._variants.0.rule"), lines[0]
        assert lines[2].index("^") == lines[1].index("$user-id"), lines
        assert any("flags.json:4:" in line and "is `red`, but must be one of blue [OneOf(blue)]" in line for line in lines)
        assert done.stderr.rstrip().endswith("errors.")

    def test_warnings_pass_unless_they_are_denied(self, binary, tmp_path):
        shadowed = with_value(
            "plain",
            {
                "_variants": [
                    {"name": "a", "enabled": True, "rule": "(split pct::20 by::$id)"},
                    {"name": "b", "enabled": True, "rule": "(split pct::10 by::$id)"},
                    {"name": "c", "enabled": False},
                ]
            },
        )
        text = json.dumps(shadowed)
        done = self.lint(binary, tmp_path, "-", text=text)
        assert "warning: plain, variant b: nobody gets this variant" in done.stdout and "1 warning." in done.stderr
        self.lint(binary, tmp_path, "-", "--deny", "warnings", text=text, check=1)
        found = json.loads(self.lint(binary, tmp_path, "-", "--output", "json", text=text).stdout)
        assert (found["errors"], found["warnings"]) == (0, 1)
        assert found["files"][0]["findings"][0]["code"] == "NeverReached"

    def test_a_rule_by_itself(self, binary, tmp_path):
        assert self.lint(binary, tmp_path, "--rule", '(eq $tier "x")').stdout == ""
        done = self.lint(binary, tmp_path, "--rule", "(eq $tier)", check=1)
        assert "rule:1:2: error:" in done.stdout and "[TooFewOperands]" in done.stdout

    def test_what_is_no_document_at_all(self, binary, tmp_path):
        (tmp_path / "bad.json").write_bytes(b'{"version": "1",\n oops}')
        done = self.lint(binary, tmp_path, "bad.json", check=1)
        assert done.stdout.startswith("bad.json:2:2: error:")
        assert "none.json" in self.lint(binary, tmp_path, "none.json", check=2).stderr
        self.lint(binary, tmp_path, check=2)
        (tmp_path / "bytes.json").write_bytes(bytes(range(256)))
        self.lint(binary, tmp_path, "bytes.json", check=1)
