"""Who may call: signatures by botocore's own signers, good ones and spoilt ones, and the life of a key."""

import datetime
import json

import botocore.auth
import pytest

from requests_by_hand import Caller
from running import REGION

GOOD_KEY = ("yardarm", "yardarm-dev-secret")


@pytest.fixture
def at(monkeypatch):
    """Signs as if it were that long ago."""

    def at(**ago):
        then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: then)

    return at


def signed_by(server, key=GOOD_KEY, region=REGION, service="appconfig"):
    return Caller(server.port, key, region, service)


def refuses(answer, code, status=403):
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.headers["content-type"] == "application/json"
    assert answer.message
    return answer


class TestHeaders:
    def test_a_good_signature_passes(self, server):
        assert signed_by(server).call("GET", "/settings").status == 200

    def test_an_unsigned_request_lacks_a_token(self, server):
        refuses(signed_by(server).plain("GET", "/settings"), "MissingAuthenticationTokenException")
        refuses(signed_by(server).plain("POST", "/applications", b"{}"), "MissingAuthenticationTokenException")

    def test_an_authorization_of_another_kind_does_not_help(self, server):
        for value in ("Bearer abc", "Basic eWFyZGFybTp4", "AWS yardarm:abc", ""):
            answer = signed_by(server).plain("GET", "/settings", headers={"Authorization": value})
            assert answer.status == 403, answer

    @pytest.mark.parametrize(
        "value",
        [
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=yardarm",
            "AWS4-HMAC-SHA256 Credential=yardarm/20260101/us-east-1/appconfig/aws4_request",
            "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=zz",
            "AWS4-HMAC-SHA256 " + "Credential=" * 200,
        ],
    )
    def test_a_signature_that_lacks_a_part_is_incomplete(self, server, value):
        answer = signed_by(server).plain("GET", "/settings", headers={"Authorization": value})
        refuses(answer, "IncompleteSignatureException")

    def test_a_wrong_secret_does_not_fit(self, server):
        refuses(signed_by(server, ("yardarm", "guess")).call("GET", "/settings"), "InvalidSignatureException")

    def test_an_unknown_key_is_not_recognised(self, server):
        refuses(signed_by(server, ("YDKNOBODY", "guess")).call("GET", "/settings"), "UnrecognizedClientException")

    @pytest.mark.parametrize("region, service", [("eu-west-1", "appconfig"), (REGION, "s3"), (REGION, "appconfigdata")])
    def test_a_signature_for_elsewhere_does_not_fit_here(self, server, region, service):
        answer = signed_by(server, region=region, service=service).call("GET", "/settings")
        refuses(answer, "InvalidSignatureException")

    def test_a_changed_body_is_noticed(self, server):
        caller = signed_by(server)
        request = caller.sign(caller.request("POST", "/applications", {"Name": "mine"}))
        request.data = json.dumps({"Name": "hers"}).encode()
        refuses(caller.send(request), "InvalidSignatureException")

    def test_a_changed_header_is_noticed(self, server):
        caller = signed_by(server)
        request = caller.sign(caller.request("GET", "/settings", headers={"x-amz-meta": "a"}))
        request.headers.replace_header("x-amz-meta", "b")
        refuses(caller.send(request), "InvalidSignatureException")

    def test_a_changed_query_path_or_method_is_noticed(self, server):
        caller = signed_by(server)
        request = caller.sign(caller.request("GET", "/applications?max_results=1"))
        headers = dict(request.headers.items())
        assert caller.plain("GET", "/applications?max_results=1", headers=headers).status == 200
        for method, target in (
            ("GET", "/applications?max_results=2"),
            ("GET", "/applications"),
            ("GET", "/applications?max_results=1&next_token=x"),
            ("GET", "/deploymentstrategies?max_results=1"),
            ("POST", "/applications?max_results=1"),
        ):
            refuses(caller.plain(method, target, headers=headers), "InvalidSignatureException")

    @pytest.mark.parametrize("ago", [{"minutes": 6}, {"minutes": -6}, {"days": 400}], ids=str)
    def test_a_stale_or_early_date_does_not_pass(self, server, at, ago):
        at(**ago)
        refuses(signed_by(server).call("GET", "/settings"), "InvalidSignatureException")

    @pytest.mark.parametrize("ago", [{"minutes": 4}, {"minutes": -4}], ids=str)
    def test_clocks_may_differ_by_some_minutes(self, server, at, ago):
        at(**ago)
        assert signed_by(server).call("GET", "/settings").status == 200

    def test_boto3_raises_what_its_users_know(self, server, refused):
        with refused("UnrecognizedClientException", status=403):
            server.client("appconfig", key=("nobody", "x")).list_applications()
        with refused("InvalidSignatureException", status=403):
            server.client("appconfigdata", key=("yardarm", "x")).get_latest_configuration(ConfigurationToken="t")

    def test_paths_with_everything_that_must_be_escaped_fit_their_signatures(self, server, fresh_name):
        control = server.control
        for odd in ("a b", "a+b", "a/b", "a%b", "a&b=c", "ü✓", "a:b", "a~b", "(a)*'!", "a;b,c", "#a?b", "a\\b", '"a"'):
            name = fresh_name(odd)[:64]
            app = control.create_application(Name=name)["Id"]
            assert control.get_application(ApplicationId=name)["Id"] == app

    def test_queries_with_everything_that_must_be_escaped_fit_their_signatures(self, resources):
        for odd in ("a b", "a+b", "a%20b", "a&b=c", "ü✓", "/=?#", "~*'()!"):
            found = resources.control.list_hosted_configuration_versions(**resources.in_profile, VersionLabel=odd)
            assert found["Items"] == []


class TestPresigned:
    def test_a_presigned_url_is_as_good_as_a_header(self, server):
        caller = signed_by(server)
        assert caller.plain("GET", caller.presign("GET", "/applications?max_results=1")).status == 200

    def test_boto3_presigns_for_others(self, resources):
        url = resources.control.generate_presigned_url("get_application", {"ApplicationId": resources.app})
        path = url.removeprefix(resources.server.url)
        answer = resources.server.signed.plain("GET", path)
        assert (answer.status, answer.json()["Id"]) == (200, resources.app)

    def test_a_presigned_url_expires(self, server, at):
        caller = signed_by(server)
        at(minutes=10)
        expired, lasting = (caller.presign("GET", "/settings", expires=seconds) for seconds in (60, 3600))
        refuses(caller.plain("GET", expired), "InvalidSignatureException")
        assert caller.plain("GET", lasting).status == 200

    def test_a_presigned_url_lasts_seven_days_at_most(self, server):
        caller = signed_by(server)
        answer = caller.plain("GET", caller.presign("GET", "/settings", expires=8 * 86_400))
        assert answer.status == 403

    def test_a_presigned_url_cannot_be_changed(self, server):
        caller = signed_by(server)
        url = caller.presign("GET", "/applications?max_results=1")
        refuses(caller.plain("GET", url.replace("max_results=1", "max_results=2")), "InvalidSignatureException")
        refuses(caller.plain("GET", url + "&next_token=x"), "InvalidSignatureException")
        refuses(caller.plain("DELETE", url.replace("/applications", "/applications/x")), "InvalidSignatureException")
        refuses(caller.plain("GET", url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")), "InvalidSignatureException")

    def test_two_signatures_are_one_too_many(self, server):
        caller = signed_by(server)
        target = caller.presign("GET", "/settings")
        headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=yardarm/20260101/us-east-1/appconfig/aws4_request"}
        assert caller.plain("GET", target, headers=headers).status in (400, 403)


class TestKeys:
    @pytest.fixture
    def guarded(self, serve):
        return serve(dev=False)

    def test_the_development_pair_opens_nothing_outside_development(self, guarded):
        refuses(signed_by(guarded).call("GET", "/settings"), "UnrecognizedClientException")

    def test_the_administrators_pair_from_the_environment_works_and_is_not_printed(self, guarded):
        assert guarded.signed.call("GET", "/settings").status == 200
        shown = "\n".join(guarded.printed) + guarded.log()
        assert guarded.key[1] not in shown

    def test_without_one_a_first_pair_is_made_up_and_printed_once(self, serve):
        server = serve(dev=False, env={"YARDARM_ADMIN_ACCESS_KEY_ID": "", "YARDARM_ADMIN_SECRET_ACCESS_KEY": ""})
        words = {line.strip().rpartition("  ")[0].strip(): line.rsplit(None, 1)[-1] for line in server.printed if "access key  " in line or "access key id" in line}
        key = words["access key id"], words["secret access key"]
        assert signed_by(server, key).call("GET", "/settings").status == 200
        assert key[1] not in server.log()
        server.restart()
        assert key[1] not in "\n".join(server.printed)
        assert signed_by(server, key).call("GET", "/settings").status == 200

    def test_the_life_of_a_key_on_the_command_line(self, guarded):
        made = json.loads(guarded.run("key", "create", "ci", "--description", "builds", "--output", "json", check=0).stdout)
        key = made["accessKeyId"], made["secretAccessKey"]
        call = signed_by(guarded, key).call
        assert call("GET", "/settings").status == 200

        listed = json.loads(guarded.run("key", "list", "--output", "json", check=0).stdout)["items"]
        assert {(one["name"], one["enabled"]) for one in listed} == {("administrator", True), ("ci", True)}
        assert all("secretAccessKey" not in one for one in listed)
        table = guarded.run("key", "list", check=0).stdout
        assert key[0] in table and "builds" in table and key[1] not in table

        guarded.run("key", "disable", key[0], check=0)
        refuses(call("GET", "/settings"), "UnrecognizedClientException")
        guarded.run("key", "enable", key[0], check=0)
        assert call("GET", "/settings").status == 200
        guarded.run("key", "delete", key[0], check=0)
        refuses(call("GET", "/settings"), "UnrecognizedClientException")
        assert guarded.run("key", "delete", key[0]).returncode == 1
        assert guarded.run("key", "enable", "no such id!").returncode == 2

    def test_the_life_of_a_key_in_the_native_api(self, guarded):
        admin = guarded.signed
        answer = admin.call("POST", "/yardarm/v1/access-keys", {"name": "ci", "description": "builds"})
        made = answer.json()
        path = f"/yardarm/v1/access-keys/{made['accessKeyId']}"
        assert answer.status == 201
        assert (made["name"], made["description"], made["enabled"]) == ("ci", "builds", True)
        secret = made.pop("secretAccessKey")
        assert admin.call("GET", path).json() == made
        assert admin.call("PATCH", path, {"name": "cd", "description": ""}).json()["name"] == "cd"
        found = admin.call("GET", path).json()
        assert "description" not in found
        assert admin.call("PATCH", path, {"enabled": False}).json()["enabled"] is False
        refuses(signed_by(guarded, (made["accessKeyId"], secret)).call("GET", "/settings"), "UnrecognizedClientException")
        assert admin.call("DELETE", path).status == 204
        assert admin.call("GET", path).status == 404
        assert admin.call("DELETE", path).status == 404

    def test_keys_outlive_a_restart(self, guarded):
        made = json.loads(guarded.run("key", "create", "ci", "--output", "json", check=0).stdout)
        guarded.restart()
        caller = signed_by(guarded, (made["accessKeyId"], made["secretAccessKey"]))
        assert caller.call("GET", "/settings").status == 200

    def test_secrets_are_not_in_the_store_in_the_clear(self, guarded):
        made = json.loads(guarded.run("key", "create", "ci", "--output", "json", check=0).stdout)
        guarded.stop()
        files = [path for path in guarded.data.rglob("*") if path.is_file()]
        assert files
        for path in files:
            content = path.read_bytes()
            assert made["secretAccessKey"].encode() not in content, path
            assert guarded.key[1].encode() not in content, path

    def test_only_the_owner_may_read_the_data_folder(self, guarded):
        assert guarded.data.stat().st_mode & 0o077 == 0
        assert (guarded.data / "master.key").stat().st_mode & 0o077 == 0

    def test_development_mode_is_for_this_machine_only(self, binary, tmp_path):
        from running import command

        for option in (["--dev"], ["--authentication", "none"]):
            done = command(binary, "serve", "--listen", "0.0.0.0:0", "--data", tmp_path / "d", *option, cwd=tmp_path)
            assert done.returncode == 2 and "loopback" in done.stderr
