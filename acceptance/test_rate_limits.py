"""Limits on the requests of one caller: an access key's, a token's, and an address's that proves nothing."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from openfeature_by_hand import ALL, OpenFeature
from resources import FLAGS, Resources
from running import command

FLAG_DOCUMENT = {"version": "1", "values": {"plain": {"enabled": True}}}


def test_nobody_is_limited_unless_asked(binary, tmp_path):
    shown = command(binary, "config", cwd=tmp_path, check=0).stdout
    for name in ("token", "access-key", "address"):
        assert f"rate-limit-{name} = 0" in shown, shown


def test_an_access_key_that_sends_too_many_is_throttled_as_aws_does(serve, fresh_name):
    server = serve("--rate-limit-access-key=20", "--rate-limit-burst-seconds=1", dev=False)

    def ask(_):
        try:
            server.control.list_applications()
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]
        return None

    with ThreadPoolExecutor(8) as pool:
        refused = [answer for answer in pool.map(ask, range(80)) if answer]
    assert 0 < len(refused) < 80
    code, metadata = refused[0]
    assert (code, metadata["HTTPStatusCode"]) == ("ThrottlingException", 429)
    assert int(metadata["HTTPHeaders"]["retry-after"]) >= 1
    counted = f'yardarm_rate_limited_requests_total{{by="access-key"}} {len(refused)}'
    assert counted in server.get("/metrics")[1].decode()


def test_a_token_is_told_in_openfeatures_shape_and_what_has_not_changed_is_free(serve, fresh_name):
    server = serve("--rate-limit-token=10", "--rate-limit-burst-seconds=2", dev=False)
    flags = Resources(server, fresh_name, FLAGS)
    flags.publish(FLAG_DOCUMENT)
    made = server.run(
        *("token", "create", "web", "--application", flags.app, "--environment", flags.env, "--output", "json"), check=0
    )
    client = OpenFeature(server, Authorization=f"Bearer {json.loads(made.stdout)['token']}")
    tag = client.all()[1]["etag"]
    answers = [client.one("plain") for _ in range(40)]
    status, headers, body = next(answer for answer in answers if answer[0] != 200)
    assert (status, set(body)) == (429, {"errorDetails"}) and int(headers["retry-after"]) >= 1
    assert all(client.post(ALL, {}, If_None_Match=tag)[0] == 304 for _ in range(40))


def test_an_address_that_guesses_credentials_is_stopped(serve):
    server = serve("--rate-limit-address=10", "--rate-limit-burst-seconds=1", dev=False)
    guess = OpenFeature(server, Authorization="Bearer ydm_abcdef234567_guess")
    statuses = [guess.one("plain")[0] for _ in range(40)]
    assert statuses[0] == 401 and statuses.count(429) > 0 and set(statuses) == {401, 429}
    # Whoever proves to be somebody is not counted with them.
    server.control.list_applications()


@pytest.mark.parametrize("limit", ["-1", "many"])
def test_nonsense_is_no_limit(binary, tmp_path, limit):
    command(binary, "config", f"--rate-limit-token={limit}", cwd=tmp_path, check=2)
