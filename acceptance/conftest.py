"""Servers and resources for the tests. What runs is the real binary, given with --yardarm."""

import itertools
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from agents import Agent
from resources import Resources
from running import Server

HERE = Path(__file__).parent

# More of everything than a run of this suite makes in one server.
ROOM = [
    "--quota-applications=100000",
    "--quota-deployment-strategies=100000",
    "--quota-environments=1000",
    "--quota-configuration-profiles=1000",
    "--quota-extensions=100000",
    "--quota-extension-associations=100000",
    "--log-level=info",
]


def pytest_addoption(parser):
    parser.addoption(
        "--yardarm",
        default=os.environ.get("ACCEPTANCE_BINARY", HERE.parent / "target" / "debug" / "yardarm"),
        help="the binary under test; also ACCEPTANCE_BINARY",
    )
    parser.addoption("--crash-rounds", type=int, default=10, help="how often the server is killed under load")
    parser.addoption("--rust-sdk", default=None, help="the built program of rust-sdk/")
    parser.addoption("--seed", type=int, default=None, help="of everything random; printed with every run")


def pytest_configure(config):
    # Nothing of the machine's own AWS set-up may reach the tests.
    for name in [name for name in os.environ if name.startswith(("AWS_", "YARDARM_", "POWERTOOLS_"))]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["NO_PROXY"] = "127.0.0.1"
    if config.getoption("--seed") is None:
        config.option.seed = int(time.time()) % 1_000_000


def pytest_report_header(config):
    return f"binary: {config.getoption('--yardarm')}, seed: {config.getoption('--seed')}"


@pytest.fixture(scope="session")
def binary(pytestconfig):
    path = Path(pytestconfig.getoption("--yardarm")).resolve()
    assert path.is_file(), f"{path} does not exist: build it, or name it with --yardarm"
    return path


@pytest.fixture
def seed(pytestconfig):
    return pytestconfig.getoption("--seed")


@pytest.fixture(scope="session")
def _watched():
    """Every server of the run that somebody must keep an eye on."""
    return []


@pytest.fixture(autouse=True)
def no_server_complains(request, _watched):
    """A fault of the server, or an answer that does not fit the model, fails the test that met it."""
    yield
    expected = [mark.args[0] for mark in request.node.iter_markers("complaints")]
    said = [line for server in _watched for line in server.complaints()]
    said = [line for line in said if not any(re.search(pattern, line) for pattern in expected)]
    assert not said, "\n".join(said)
    misfits = [text for server in _watched for text in server.judge.verdict()]
    assert not misfits, "\n".join(misfits)


@pytest.fixture(scope="session")
def server(binary, tmp_path_factory, _watched):
    """A development server that all tests share. Take what you make there out of `fresh_name`."""
    server = Server(binary, tmp_path_factory.mktemp("shared"), *ROOM)
    _watched.append(server)
    yield server.start()
    code = server.stop()
    assert code == 0, server.last_words()


@pytest.fixture
def serve(binary, tmp_path_factory, _watched):
    """Starts servers of the test's own: `serve("--option", …, dev=True)`."""
    started = []

    def serve(*options, dev=True, env=None, start=True):
        server = Server(binary, tmp_path_factory.mktemp("server"), *options, dev=dev, env=env)
        started.append(server)
        _watched.append(server)
        return server.start() if start else server

    yield serve
    for server in started:
        if server.alive():
            assert server.stop() == 0, server.last_words()


@pytest.fixture
def agent(binary, tmp_path_factory):
    """Starts agents: `agent("--option", …, url=…, env=…)`. By default they ask every second."""
    started = []

    def agent(*options, url=None, env=None, interval="1s"):
        where = ["--url", url] if url else []
        folder = tmp_path_factory.mktemp("agent")
        one = Agent(binary, folder, *where, "--poll-interval", interval, *options, env=env)
        started.append(one)
        return one.start()

    yield agent
    for one in started:
        if one.alive():
            one.stop()
        assert "panicked" not in one.log()


_numbers = itertools.count(1)


@pytest.fixture
def fresh_name():
    """Names that no other test has."""
    return lambda what="name": f"{what}-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def resources(server, fresh_name):
    """An application with an environment and a free-form profile, on the shared server."""
    return Resources(server, fresh_name)


@contextmanager
def refused(code, message=None, status=None):
    """The call inside is refused with this code and, word for word, this message (or one that fits a pattern)."""

    class Refused:
        response = None

    refusal = Refused()
    with pytest.raises(ClientError) as raised:
        yield refusal
    refusal.response = raised.value.response
    error = refusal.response["Error"]
    assert error["Code"] == code, refusal.response
    if isinstance(message, re.Pattern):
        assert message.search(error["Message"]), error["Message"]
    elif message is not None:
        assert error["Message"] == message
    if status is not None:
        assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.fixture(name="refused")
def _refused():
    return refused
