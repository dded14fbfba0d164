"""The AWS CLI with nothing but an endpoint changed, and Yardarm's own commands with their words and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from running import DEV_KEY, command


@pytest.fixture
def aws(tmp_path):
    """Runs the AWS CLI against a server and answers what it prints, as data."""

    def aws(server, *arguments, check=0):
        done = subprocess.run(
            [Path(sys.executable).parent / "aws", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "AWS_ENDPOINT_URL": server.url,
                "AWS_ACCESS_KEY_ID": DEV_KEY[0],
                "AWS_SECRET_ACCESS_KEY": DEV_KEY[1],
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_MAX_ATTEMPTS": "1",
                "AWS_PAGER": "",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == check, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() and check == 0 else done.stderr

    return aws


def test_the_aws_cli_walks_from_an_application_to_a_file(server, aws, fresh_name, tmp_path):
    def appconfig(*arguments, **how):
        return aws(server, "appconfig", *arguments, **how)

    name = fresh_name()
    app = appconfig("create-application", "--name", name)["Id"]
    env = appconfig("create-environment", "--application-id", app, "--name", "production")["Id"]
    profile = appconfig(
        "create-configuration-profile", "--application-id", app, "--name", "limits", "--location-uri", "hosted"
    )["Id"]
    (tmp_path / "limits.json").write_text('{"limit": 10}')
    made = appconfig(
        *("create-hosted-configuration-version", "--application-id", app, "--configuration-profile-id", profile),
        *("--content", "fileb://limits.json", "--content-type", "application/json", "echo.json"),
    )
    assert made["VersionNumber"] == "1" or made["VersionNumber"] == 1
    assert (tmp_path / "echo.json").read_text() == '{"limit": 10}'
    strategy = appconfig(
        *("create-deployment-strategy", "--name", name, "--deployment-duration-in-minutes", "0"),
        *("--growth-factor", "100", "--replicate-to", "NONE"),
    )["Id"]
    deployment = appconfig(
        *("start-deployment", "--application-id", app, "--environment-id", env, "--configuration-version", "1"),
        *("--configuration-profile-id", profile, "--deployment-strategy-id", strategy),
    )
    assert deployment["State"] == "COMPLETE"
    appconfig("wait", "deployment-complete", "--application-id", app, "--environment-id", env, "--deployment-number", "1")

    token = aws(
        server,
        *("appconfigdata", "start-configuration-session", "--application-identifier", name),
        *("--environment-identifier", "production", "--configuration-profile-identifier", "limits"),
    )["InitialConfigurationToken"]
    answer = aws(
        server, "appconfigdata", "get-latest-configuration", "--configuration-token", token, "got.json"
    )
    assert (tmp_path / "got.json").read_text() == '{"limit": 10}'
    assert answer["ContentType"] == "application/json"

    tags = f"arn:aws:appconfig:us-east-1:{server.account}:application/{app}"
    appconfig("tag-resource", "--resource-arn", tags, "--tags", "team=web")
    assert appconfig("list-tags-for-resource", "--resource-arn", tags)["Tags"] == {"team": "web"}


def test_the_aws_cli_tells_its_user_what_is_wrong(server, aws):
    told = aws(server, "appconfig", "get-application", "--application-id", "zzzz999", check=255)
    assert "ResourceNotFoundException" in told
    assert f"Application with Id zzzz999 could not be found for account {server.account}." in told


class TestConfig:
    def config(self, binary, tmp_path, *arguments, env=None, check=0):
        return command(binary, "config", *arguments, env=env, cwd=tmp_path, check=check)

    def test_the_defaults_are_shown_as_a_file_that_would_set_them(self, binary, tmp_path):
        import tomllib

        shown = self.config(binary, tmp_path).stdout
        options = tomllib.loads(shown)
        assert options["listen"] == "127.0.0.1:4770"
        assert (options["region"], options["account-id"], options["dev"]) == ("us-east-1", "000000000000", False)
        (tmp_path / "yardarm.toml").write_text(shown)
        assert self.config(binary, tmp_path).stdout == shown

    def test_the_command_line_goes_before_the_environment_and_that_before_the_file(self, binary, tmp_path):
        import tomllib

        (tmp_path / "yardarm.toml").write_text('region = "eu-west-1"\naccount-id = "111111111111"\nmax-headers = 11\n')
        env = {"YARDARM_REGION": "eu-west-2", "YARDARM_ACCOUNT_ID": "222222222222"}
        shown = self.config(binary, tmp_path, "--region", "eu-west-3", env=env).stdout
        options = tomllib.loads(shown)
        assert (options["region"], options["account-id"], options["max-headers"]) == ("eu-west-3", "222222222222", 11)

    def test_another_file_can_be_named(self, binary, tmp_path):
        (tmp_path / "other.toml").write_text("max-headers = 7\n")
        for how in ({"env": {"YARDARM_CONFIG": "other.toml"}}, {}):
            arguments = () if how else ("--config", "other.toml")
            assert "max-headers = 7" in self.config(binary, tmp_path, *arguments, **how).stdout
        self.config(binary, tmp_path, "--config", "none.toml", check=2)

    @pytest.mark.parametrize(
        "arguments, env, file, named",
        [
            (["--no-such-option"], {}, "", "no-such-option"),
            ([], {"YARDARM_NO_SUCH": "1"}, "", "YARDARM_NO_SUCH"),
            ([], {}, "no-such-key = 1", "no-such-key"),
            ([], {}, "listen = ", "yardarm.toml"),
            (["--listen", "nowhere"], {}, "", "nowhere"),
            ([], {"YARDARM_LISTEN": "nowhere"}, "", "nowhere"),
            (["--account-id", "12"], {}, "", "12"),
            (["--region", "Mars!"], {}, "", "Mars!"),
            (["--poll-interval-seconds", "0"], {}, "", "poll-interval-seconds"),
            (["--deployment-concurrency", "all"], {}, "", "all"),
            (["--dev", "--listen", "0.0.0.0:1"], {}, "", "0.0.0.0:1"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_is_asked_wrongly_is_named_with_exit_code_2(self, binary, tmp_path, arguments, env, file, named):
        if file:
            (tmp_path / "yardarm.toml").write_text(file + "\n")
        done = self.config(binary, tmp_path, *arguments, env=env, check=2)
        assert named in done.stderr and "panicked" not in done.stderr and done.stdout == ""

    def test_variables_of_other_commands_are_known(self, binary, tmp_path):
        names = ("APPLICATION", "PROFILE", "ENVIRONMENT", "STRATEGY", "URL", "TOKEN")
        self.config(binary, tmp_path, env={f"YARDARM_{name}": "x" for name in names})

    def test_secrets_are_hidden(self, binary, tmp_path):
        env = {"YARDARM_ADMIN_ACCESS_KEY_ID": "YDKX", "YARDARM_ADMIN_SECRET_ACCESS_KEY": "open sesame"}
        shown = self.config(binary, tmp_path, env=env).stdout
        assert "open sesame" not in shown and "YARDARM_ADMIN_SECRET_ACCESS_KEY is set" in shown


class TestCommands:
    def test_help_and_version_are_there(self, binary, tmp_path):
        shown = command(binary, "--help", cwd=tmp_path, check=0).stdout
        assert all(word in shown for word in ("serve", "key", "log", "config", "doctor"))
        for arguments in (("serve", "--help"), ("key", "--help"), ("log", "verify", "--help")):
            assert command(binary, *arguments, cwd=tmp_path, check=0).stdout
        assert command(binary, "--version", cwd=tmp_path, check=0).stdout.startswith("yardarm ")

    @pytest.mark.parametrize("arguments", [(), ("nonsense",), ("key",), ("key", "create"), ("log",)], ids=str)
    def test_half_a_command_is_asked_wrongly(self, binary, tmp_path, arguments):
        command(binary, *arguments, cwd=tmp_path, check=2)

    def test_a_server_that_is_not_there_is_told(self, binary, tmp_path):
        done = command(binary, "key", "list", env={"YARDARM_URL": "http://127.0.0.1:9"}, cwd=tmp_path, check=1)
        assert "http://127.0.0.1:9" in done.stderr and "panicked" not in done.stderr

    def test_a_refusal_of_the_server_is_told(self, server):
        done = server.run("key", "list", key=("nobody", "x"))
        assert done.returncode == 1 and "security token" in done.stderr

    def test_an_address_that_is_taken_is_told(self, server, binary, tmp_path):
        done = command(binary, "serve", "--listen", f"127.0.0.1:{server.port}", "--data", tmp_path / "d", cwd=tmp_path, check=1)
        assert f"127.0.0.1:{server.port}" in done.stderr

    def test_in_development_the_commands_need_no_key(self, server, binary, tmp_path):
        command(binary, "key", "list", env={"YARDARM_URL": server.url}, cwd=tmp_path, check=0)


class TestDoctor:
    def test_a_machine_that_will_do_is_told_so(self, binary, tmp_path):
        done = command(binary, "doctor", "--data", tmp_path / "d", "--listen", "127.0.0.1:0", cwd=tmp_path, check=0)
        assert "FAILED" not in done.stdout and "options" in done.stdout

    def test_a_running_server_is_recognised(self, server, binary, tmp_path):
        arguments = ("doctor", "--data", server.data, "--listen", f"127.0.0.1:{server.port}")
        done = command(binary, *arguments, cwd=tmp_path, check=0)
        assert "is in use" in done.stdout and "records, the last ones intact" in done.stdout

    def test_a_wrong_option_is_a_finding(self, binary, tmp_path):
        done = command(binary, "doctor", "--region", "Mars!", cwd=tmp_path, check=1)
        assert "FAILED" in done.stdout and "Mars!" in done.stdout

    def test_a_lost_master_key_is_a_finding(self, serve, binary, tmp_path):
        server = serve()
        server.stop()
        (server.data / "master.key").unlink()
        done = command(binary, "doctor", "--data", server.data, cwd=tmp_path, check=1)
        assert "master.key is missing" in done.stdout
        done = command(binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0", cwd=tmp_path, check=1)
        assert "master key" in done.stderr


class TestLogVerify:
    def test_a_whole_log_is_told_so_with_its_digest(self, serve):
        server = serve()
        for number in range(20):
            server.control.create_application(Name=f"a{number}")
        server.stop()
        done = server.verify_log()
        assert done.returncode == 0, done.stderr
        assert "The log is whole" in done.stdout and "Digest" in done.stdout

    def test_a_log_that_is_not_there_is_a_failure(self, binary, tmp_path):
        done = command(binary, "log", "verify", "--data", tmp_path / "none", cwd=tmp_path, check=1)
        assert "there is no log" in done.stderr
        assert not (tmp_path / "none").exists(), "looking makes nothing"

    def test_a_changed_record_is_found(self, serve):
        import sqlite3

        server = serve()
        server.control.create_application(Name="before the change")
        server.stop()
        store = sqlite3.connect(server.data / "yardarm.db")
        with store:
            rows = store.execute("select seq, body from records where instr(body, 'before the change')").fetchall()
            assert rows, "the name is somewhere in the log"
            for seq, body in rows:
                changed = body.replace("before the change", "after  the change")
                store.execute("update records set body = ? where seq = ?", (changed, seq))
        store.close()
        done = server.verify_log()
        assert done.returncode == 1 and done.stderr, done


class TestMasterKey:
    def test_a_rotated_key_opens_what_the_old_one_sealed(self, serve):
        server = serve(dev=False)
        made = json.loads(server.run("key", "create", "ci", "--output", "json", check=0).stdout)
        key = made["accessKeyId"], made["secretAccessKey"]
        server.stop()
        old = (server.data / "master.key").read_text()
        done = command(server.binary, "master-key", "rotate", "--data", server.data, cwd=server.folder, check=0)
        assert "Restart" in done.stdout
        new = (server.data / "master.key").read_text()
        assert new != old and new.endswith(old)
        assert (server.data / "master.key").stat().st_mode & 0o077 == 0
        server.start()
        assert server.client("appconfig", key=key).list_applications()["Items"] == []

        server.stop()
        first = next(line for line in new.splitlines() if line and not line.startswith("#"))
        (server.data / "master.key").write_text(first + "\n")
        server.start()
        assert server.client("appconfig", key=key).list_applications()["Items"] == [], "the old key is no longer needed"

    def test_a_foreign_master_key_opens_nothing_and_the_server_says_so(self, serve, binary, tmp_path):
        server, stranger = serve(), serve()
        server.stop(), stranger.stop()
        (server.data / "master.key").write_bytes((stranger.data / "master.key").read_bytes())
        done = command(binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0", cwd=tmp_path, check=1)
        assert "panicked" not in done.stderr and done.stderr

    def test_the_key_may_come_from_the_environment(self, serve):
        server = serve(dev=False)
        server.stop()
        lines = (server.data / "master.key").read_text().splitlines()
        (server.data / "master.key").unlink()
        server.env["YARDARM_MASTER_KEY"] = next(line for line in lines if line and not line.startswith("#"))
        server.start()
        assert server.control.list_applications()["Items"] == []
        assert not (server.data / "master.key").exists()
