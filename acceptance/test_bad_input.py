"""Whatever arrives, the answer is ours to give and never a fault of ours: 4xx, in the AWS shape, and the server lives on."""

import json
import random
import uuid

import pytest

import judge
import service_model
from resources import Resources

MODELS = service_model.models()


@pytest.fixture(scope="module")
def open_server(binary, tmp_path_factory, _watched):
    """Without authentication: what is wrong with a request is its own fault and not its signature's."""
    from running import Server

    server = Server(binary, tmp_path_factory.mktemp("open"), "--authentication", "none", "--quota-applications=100000")
    _watched.append(server)
    yield server.start()
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def the_server_lives_on(open_server):
    yield
    assert open_server.alive()
    assert open_server.get("/healthz")[0] == 200


def refused_as_aws(answer, *statuses):
    """An error in the AWS shape, with one of these statuses, or any of 4xx."""
    assert answer is not None, "no answer"
    assert 400 <= answer.status < 500, answer
    assert not statuses or answer.status in statuses, answer
    assert answer.headers.get("content-type") == "application/json", answer
    assert answer.headers.get("x-amzn-errortype", "").endswith("Exception:"), answer
    uuid.UUID(answer.headers["x-amzn-requestid"])
    assert isinstance(answer.json()["Message"], str)
    return answer


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"Name"',
            b'{"Name":"x"',
            b'{"Name":"x"}}',
            b'{"Name":"x"} trailing',
            b'{"Name":"x",}',
            b"{'Name':'x'}",
            b'{"Name":"\xff\xfe"}',
            b'{"Name":"\\ud800"}',
            b'{"Name":"x\x00y"}',
            b'{"Name":NaN}',
            b'{"Name":"x","Name":"y"}',
            b"\xff\xfe\x00\x01",
            b"\xef\xbb\xbf{}",
            b"<Name>x</Name>",
            b"Name=x",
        ],
        ids=repr,
    )
    def test_what_is_no_json_is_refused(self, open_server, body):
        refused_as_aws(open_server.signed.plain("POST", "/applications", body), 400)

    @pytest.mark.parametrize("body", ["[]", '["x"]', '"x"', "1", "true", "1e400", "[[[]]]"])
    def test_what_is_no_object_is_refused(self, open_server, body):
        refused_as_aws(open_server.signed.plain("POST", "/applications", body.encode()), 400)

    @pytest.mark.parametrize("body", [b"", b"  \r\n", b"{}", b"null"], ids=repr)
    def test_no_body_is_a_body_without_members(self, open_server, body):
        answer = refused_as_aws(open_server.signed.plain("POST", "/applications", body), 400)
        if body != b"null":
            assert "'name'" in answer.message

    @pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
    def test_a_deep_body_is_refused_at_any_depth(self, open_server, opening, closing):
        for depth in (120, 200, 10_000, 500_000):
            inner = opening * depth + "1" + closing * depth
            for body in (inner, '{"Tags":' + inner + "}", '{"Unknown":' + inner + "}"):
                answer = open_server.signed.plain("POST", "/applications", body.encode())
                assert answer is not None and 400 <= answer.status < 500, (depth, answer)

    @pytest.mark.parametrize(
        "value", ["-1", "1e999", "-1e999", "99999999999999999999999999", "1.5", "1e2", "2147483648", "-2147483649", "0.1e1"]
    )
    def test_numbers_of_any_size_are_numbers_or_refused(self, open_server, fresh_name, value):
        for member in ("DeploymentDurationInMinutes", "GrowthFactor", "FinalBakeTimeInMinutes"):
            members = {"Name": json.dumps(fresh_name()), "DeploymentDurationInMinutes": "1", "GrowthFactor": "10"}
            body = "{" + ",".join(f'"{name}":{text}' for name, text in (members | {member: value}).items()) + "}"
            answer = open_server.signed.plain("POST", "/deploymentstrategies", body.encode())
            if answer.status != 201:
                refused_as_aws(answer, 400)

    def test_a_body_that_is_too_large_is_refused_and_measured(self, open_server):
        body = b'{"Name":"' + b"x" * (6 * 1024 * 1024) + b'"}'
        answer = refused_as_aws(open_server.signed.plain("POST", "/applications", body), 413)
        assert answer.code == "PayloadTooLargeException"
        assert {name: answer.json()[name] for name in ("Measure", "Limit", "Size")} == {
            "Measure": "KILOBYTES",
            "Limit": 5120.0,
            "Size": 6145.0,
        }

    def test_an_sdk_learns_that_its_body_is_too_large(self, open_server, refused):
        """The answer comes before the body is through; the connection must not be gone before it is read."""
        for megabytes in (6, 30):
            with refused("PayloadTooLargeException", status=413):
                open_server.client("appconfig").create_hosted_configuration_version(
                    ApplicationId="a", ConfigurationProfileId="p", Content=bytes(megabytes << 20), ContentType="x"
                )

    def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(self, open_server):
        head = b"POST /applications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
        refused_as_aws(open_server.signed.bytes(head), 413)

    def test_a_chunked_body_that_never_ends_is_refused_at_the_limit(self, open_server):
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        wire = b"POST /applications HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 6
        answer = open_server.signed.bytes(wire)
        assert answer is None or refused_as_aws(answer, 413)

    def test_a_body_that_does_not_come_in_time_is_its_senders_fault(self, serve):
        hasty = serve("--request-timeout-seconds=1", "--authentication", "none")
        for path in ("/applications", "/yardarm/v1/access-keys"):
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n".encode()
            assert hasty.signed.bytes(head + b"{").status == 400

    def test_a_body_that_breaks_off_harms_nobody(self, open_server):
        import socket

        for wire in (
            b"POST /applications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
            b"POST /applications HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ):
            with socket.create_connection(("127.0.0.1", open_server.port), timeout=10) as connection:
                connection.sendall(wire)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65_536)


class TestPaths:
    @pytest.mark.parametrize(
        "target",
        [
            "/nowhere",
            "//applications",
            "/applications/",
            "/applications//",
            "/applications/..",
            "/applications/../settings",
            "/applications/%2e%2e/settings",
            "/applications/%2e%2e",
            "/applications/.",
            "/./applications",
            "/applications/x/environments/../../../etc/passwd",
            "/applications/%2F",
            "/applications/a%2Fb",
            "/applications/%00",
            "/applications/a%00b",
            "/applications/%0d%0aX-Header:%20x",
            "/applications/%ff%fe",
            "/applications/%c3%28",
            "/applications/%",
            "/applications/%zz",
            "/applications/%2",
            "/applications/" + "x" * 5000,
            "/applications/" + "%41" * 5000,
            "/" + "a/" * 2000,
            "/tags/",
            "/tags/%20",
            "/tags/arn%3Aaws%3Aappconfig%3A%3A%3Aapplication%2F..%2F..",
            "/applications/x/environments/y/deployments/abc",
            "/applications/x/environments/y/deployments/-1",
            "/applications/x/environments/y/deployments/0",
            "/applications/x/environments/y/deployments/99999999999999999999",
            "/applications/x/configurationprofiles/y/hostedconfigurationversions/1e3",
            "/deploymentstrategies/AppConfig.",
            "/deploymentstrategies/AppConfig.Nothing",
            "/configuration",
            "/configuration?configuration_token=",
            "/configuration?configuration_token=%00",
            "/configuration?configuration_token=%ff%fe",
            "/configuration?configuration_token=" + "x" * 9000,
            "/configuration?configuration_token[]=x",
            "/applications?max_results=abc",
            "/applications?max_results=",
            "/applications?max_results=1.5",
            "/applications?max_results=99999999999999999999",
            "/applications?next_token=%ff",
            "/applications?next_token=%00",
            "/yardarm",
            "/yardarm/v2/server",
            "/index.html",
            "/.env",
        ],
        ids=lambda target: target[:60],
    )
    def test_odd_paths_are_refused(self, open_server, target):
        answer = open_server.signed.plain("GET", target)
        assert answer is not None and 400 <= answer.status < 500, answer
        if answer.status not in (414, 431):
            refused_as_aws(answer)

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO", "get"])
    def test_a_method_that_nobody_serves_is_not_allowed(self, open_server, method):
        answer = open_server.signed.plain(method, "/settings" if method in ("PUT", "DELETE") else "/deploymentstrategies")
        if method == "HEAD":
            assert (answer.status, answer.body) == (200, b""), answer
        else:
            assert answer.status == 405, answer
            refused_as_aws(answer)

    def test_an_absolute_target_is_taken_for_its_path(self, open_server):
        answer = open_server.signed.bytes(
            f"GET http://127.0.0.1:{open_server.port}/settings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.status == 200


class TestWebPages:
    """Without authentication any page that a browser here has open could send requests."""

    @pytest.mark.parametrize("head", ["Host: rebound.example.com", "Host: localhost\r\nOrigin: https://example.com"])
    def test_a_web_page_cannot_use_a_server_without_authentication(self, open_server, head):
        answer = open_server.signed.bytes(f"GET /settings HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n".encode())
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "AccessDeniedException:")


class TestHeads:
    @pytest.mark.parametrize(
        "wire",
        [
            b"nonsense\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET /settings\r\n\r\n",
            b"GET /settings HTTP/9.9\r\n\r\n",
            b"GET /set tings HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /settings HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
            b"GET /settings HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
            b"GET /settings HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
            b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /settings HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"GET /settings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /settings HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
            b"GET /settings HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
            b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ],
        ids=lambda wire: repr(wire[:50]),
    )
    def test_what_is_hardly_http_is_answered_with_4xx_or_a_closed_connection(self, open_server, wire):
        answer = open_server.signed.bytes(wire)
        assert answer is None or 400 <= answer.status < 500, answer

    @pytest.mark.parametrize("value", [b"\xff\xfe", "ü".encode(), b"\xc3\x28", b"a\tb", b"  spaced  "], ids=repr)
    def test_header_values_that_are_not_ascii_are_no_fault(self, open_server, fresh_name, value):
        there = Resources(open_server, fresh_name)
        path = f"/applications/{there.app}/configurationprofiles/{there.profile}/hostedconfigurationversions"
        for name in (b"Content-Type", b"Description", b"VersionLabel", b"Latest-Version-Number"):
            wire = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
            if name != b"Content-Type":
                wire += b"Content-Type: text/plain\r\n"
            wire += name + b": " + value + b"\r\nContent-Length: 1\r\n\r\nx"
            answer = open_server.signed.bytes(wire)
            assert answer is not None and answer.status < 500, (name, answer)
            if answer.status == 201:
                got = open_server.signed.plain("GET", f"{path}/{answer.headers['version-number']}")
                assert got.status == 200, "what was stored can be read"

    def test_a_slow_or_silent_client_does_not_hold_up_the_others(self, open_server):
        import socket

        silent = [socket.create_connection(("127.0.0.1", open_server.port), timeout=10) for _ in range(50)]
        for connection in silent[25:]:
            connection.sendall(b"GET /settings HTTP/1.1\r\nHo")
        assert open_server.signed.plain("GET", "/settings").status == 200
        for connection in silent:
            connection.close()


class TestSigned:
    """The same in front of the door: nothing above needs a key to be refused."""

    @pytest.mark.parametrize(
        "target", ["/applications/..", "//applications", "/applications/%ff", "/applications/%00", "/settings?%ff=%fe"]
    )
    def test_odd_targets_are_refused_without_a_key(self, server, target):
        refused_as_aws(server.signed.plain("GET", target))

    def test_a_plain_path_signed_does_not_open_another_spelling(self, server):
        caller = server.signed
        headers = dict(caller.sign(caller.request("GET", "/settings")).headers.items())
        assert caller.plain("GET", "/settings", headers=headers).status == 200
        for target in ("//settings", "/./settings", "/applications/../settings", "/settings/"):
            refused_as_aws(caller.plain("GET", target, headers=headers))


# Random requests: right in shape, wrong in every other way.

WORDS = [
    "",
    "x",
    "x" * 64,
    "x" * 65,
    "x" * 2049,
    "AppConfig.AllAtOnce",
    "hosted",
    "ssm-parameter://x",
    "$LATEST",
    "0",
    "1",
    "-1",
    "..",
    "/",
    "%2e",
    "ü✓\U0001f600",
    "a\nb",
    "a\x00b",
    "\u202e",
    "null",
    "arn:aws:appconfig:us-east-1:000000000000:application/abcdefg",
    "AWS.AppConfig.FeatureFlags",
    "LINEAR",
    "JSON_SCHEMA",
    "{}",
    '{"type":"object"}',
]
NUMBERS = [0, 1, -1, 14, 15, 50, 51, 1440, 1441, 2**31, 2**63, -(2**63), 2**100, 0.5, 100.5, 1e308]


def anything(dice, depth=0):
    kind = dice.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return dice.choice(WORDS)
    if kind == 1:
        return dice.choice(NUMBERS)
    if kind == 2:
        return dice.choice([True, False, None])
    if kind in (3, 4):
        return "".join(chr(dice.choice([dice.randrange(32, 127), dice.randrange(0xA0, 0xD7FF)])) for _ in range(dice.randrange(9)))
    if kind == 5:
        return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(WORDS): anything(dice, depth + 1) for _ in range(dice.randrange(4))}


def like(dice, shape, known, depth=0):
    """Something of the shape, more or less."""
    if dice.random() < 0.15:
        return anything(dice, depth)
    if getattr(shape, "enum", None):
        return dice.choice(shape.enum)
    if shape.type_name == "structure":
        return {n: like(dice, s, known, depth + 1) for n, s in shape.members.items() if dice.random() < 0.8}
    if shape.type_name == "list":
        return [like(dice, shape.member, known, depth + 1) for _ in range(dice.randrange(3))]
    if shape.type_name == "map":
        return {dice.choice(WORDS): like(dice, shape.value, known, depth + 1) for _ in range(dice.randrange(3))}
    if shape.type_name in ("integer", "long", "float", "double"):
        return dice.choice(NUMBERS)
    if shape.type_name == "boolean":
        return dice.random() < 0.5
    return dice.choice(known if dice.random() < 0.6 else WORDS)


def test_random_requests_never_find_a_fault_of_ours(open_server, fresh_name, seed):
    dice = random.Random(seed)
    there = Resources(open_server, fresh_name)
    there.publish({"x": 1})
    known = [there.app, there.env, there.profile, there.app_name, "1", there.strategy()]
    for turn in range(3000):
        model = MODELS[dice.choice(sorted(MODELS))]
        members = {}
        for name, shape in (model.input_shape.members if model.input_shape else {}).items():
            where = service_model.place(model.input_shape, name, shape)[0]
            if where == "path" or dice.random() < 0.85:
                members[name] = like(dice, shape, known)
            if where in ("path", "query", "header", "payload"):
                value = members.get(name)
                members[name] = value if isinstance(value, (str, int, float)) else dice.choice(known)
            if where == "header":
                text = str(members[name]).replace("\n", " ").replace("\x00", " ")
                members[name] = text.encode().decode("latin-1")
        method, target, body, headers = service_model.request(model, members)
        answer = open_server.signed.plain(method, target, body, headers)
        story = (f"seed {seed}, turn {turn}", model.name, method, target[:200], body[:300], answer)
        assert answer.status < 500, story
        content = None if model.has_streaming_output and answer.status < 300 else answer.body
        if "//" in target or target.partition("?")[0].endswith("/"):
            continue  # an empty member makes another path, which may be another operation
        assert judge.complaints(model, answer.status, answer.headers, content) == [], story


def test_random_bytes_never_find_a_fault_of_ours(open_server, seed):
    dice = random.Random(seed)
    heads = [
        b"GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /applications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n" + b'{"Name":"abc"}',
        b"GET /configuration?configuration_token=abc HTTP/1.1\r\nHost: localhost\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a\r\n\r\n",
    ]
    for turn in range(300):
        wire = bytearray(dice.choice(heads))
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(wire))
            choice = dice.randrange(3)
            if choice == 0:
                wire[at] = dice.randrange(256)
            elif choice == 1:
                del wire[at]
            else:
                wire[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 8)))
        caller = open_server.signed
        caller.timeout = 0.25  # what is no whole request is waited for; that is its right
        try:
            answer = caller.bytes(bytes(wire))
        except TimeoutError:
            continue
        assert answer is None or answer.status < 500, (f"seed {seed}, turn {turn}", bytes(wire), answer)
