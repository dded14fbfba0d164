"""The real binary as a process: started on a free port, watched, and ended.

A server that writes an error line, or dies unasked, fails the test in which it happened: see `Server.complaints`.
"""

import functools
import os
import re
import signal
import subprocess
import threading
import time
from http.client import HTTPConnection

import boto3
import botocore.session
from botocore.config import Config

from judge import Judge
from requests_by_hand import Caller

DEV_KEY = ("yardarm", "yardarm-dev-secret")
ADMIN_KEY = ("YDKACCEPTANCE0001", "an administrator's secret, for one test run")
REGION = "us-east-1"
ACCOUNT = "000000000000"

STARTS_WITHIN = 20
ENDS_WITHIN = 30

_ADDRESS = re.compile(r"serves AWS AppConfig at (http://[0-9.]+:(\d+))")
_AGENT_ADDRESS = re.compile(r"^  agent +(http://[0-9.]+:\d+)")
# The last line of what it says to who has started it.
_ALL_SAID = re.compile(r"^    python3 -c ")
_COMPLAINT = re.compile(r"panicked|internal error|\bERROR\b|stack backtrace")


def eventually(claim, within=10.0, every=0.02):
    """The first truthy answer of `claim`; fails when none comes in time."""
    deadline = time.monotonic() + within
    while True:
        answer = claim()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within} s: {getattr(claim, '__doc__', None) or claim}"
        time.sleep(every)


def environment(**more):
    """What a command of the binary may see: nothing of the caller's."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent", "LANG": "C.UTF-8", **more}


class Server:
    """One server with a data folder of its own. Start, stop and kill it as often as needed."""

    def __init__(self, binary, folder, *options, dev=True, env=None):
        self.binary = binary
        self.folder = folder
        self.data = folder / "data"
        self.options = list(options)
        self.env = dict(env or {})
        if dev:
            self.options.append("--dev")
            self.key = DEV_KEY
        else:
            self.key = ADMIN_KEY
            self.env.setdefault("YARDARM_ADMIN_ACCESS_KEY_ID", ADMIN_KEY[0])
            self.env.setdefault("YARDARM_ADMIN_SECRET_ACCESS_KEY", ADMIN_KEY[1])
        self.judge = Judge()
        self.process = None
        self.printed = []
        self.listen = "127.0.0.1:0"
        self.agent_url = None
        # Growing a file beyond a limit then fails with an error, as on a full disk, instead of a signal.
        self.ignore_file_size_signal = False
        self._errors = folder / "stderr"
        self._read_to = 0
        self._clients = {}

    # Its life.

    def start(self):
        """Returns when it is ready."""
        self.launch()
        self._find_address()
        eventually(self._ready, within=STARTS_WITHIN)
        return self

    def launch(self):
        """Starts the process, and does not wait."""
        assert not self.alive(), "it is running already"
        self.printed = []
        self._clients = {}
        with open(self._errors, "ab") as errors:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--listen", self.listen, "--data", self.data, *self.options],
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                # A free port for its agent too: several servers run side by side.
                env=environment(**{"YARDARM_AGENT_LISTEN": "127.0.0.1:0", **self.env}),
                cwd=self.folder,
                text=True,
                preexec_fn=_ignore_file_size_signal if self.ignore_file_size_signal else None,
            )

    def _find_address(self):
        known = threading.Event()

        def read(lines, printed):
            for line in lines:
                printed.append(line.rstrip("\n"))
                found = _ADDRESS.search(line)
                if found:
                    self.url, self.port = found[1], int(found[2])
                if found := _AGENT_ADDRESS.search(line):
                    self.agent_url = found[1]
                if _ALL_SAID.search(line):
                    known.set()
            known.set()

        self._reader = threading.Thread(target=read, args=(self.process.stdout, self.printed), daemon=True)
        self._reader.start()
        assert known.wait(STARTS_WITHIN) and self.process.poll() is None, self.last_words()

    def _ready(self):
        assert self.alive(), self.last_words()
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def terminate(self):
        """Asks it to stop, and does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """Its exit code."""
        code = self.process.wait(ENDS_WITHIN)
        self._reader.join(ENDS_WITHIN)  # it ends with the output, which must not be closed under it
        self.process.stdout.close()
        return code

    def stop(self):
        self.terminate()
        return self.wait()

    def kill(self):
        """As a power cut would end it."""
        self.process.kill()
        return self.wait()

    def restart(self):
        assert self.stop() == 0, self.last_words()
        return self.start()

    # What it says.

    def log(self):
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    def last_words(self):
        return f"the server said:\n{self.log()[-4000:]}"

    def complaints(self):
        """Lines about its own faults since the last call."""
        text = self.log()
        new, self._read_to = text[self._read_to :], len(text)
        return [line for line in new.splitlines() if _COMPLAINT.search(line)]

    # How to talk to it.

    @property
    def account(self):
        return ACCOUNT

    @property
    def control(self):
        return self.client("appconfig")

    @property
    def data_plane(self):
        return self.client("appconfigdata")

    def client(self, service, key=None, region=REGION, judged=True, **config):
        """A boto3 client as people make it, except that it neither waits long nor tries again."""
        key = key or self.key
        name = (service, key, region, judged, tuple(sorted(config.items())))
        if name not in self._clients:
            settings = Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=5,
                read_timeout=20,
                max_pool_connections=50,
                **config,
            )
            client = session().client(
                service,
                endpoint_url=self.url,
                region_name=region,
                aws_access_key_id=key[0],
                aws_secret_access_key=key[1],
                config=settings,
            )
            if judged:
                self.judge.watch(client)
            self._clients[name] = client
        return self._clients[name]

    @property
    def signed(self):
        """Requests made by hand and signed as they should be."""
        return Caller(self.port, self.key, REGION)

    def get(self, path):
        """A plain, unsigned GET: status and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def run(self, *arguments, env=None, key=None, check=None, cwd=None):
        """A command of the binary, aimed at this server."""
        key = key or self.key
        env = {"YARDARM_URL": self.url, "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], **(env or {})}
        return command(self.binary, *arguments, env=env, cwd=cwd or self.folder, check=check)

    def verify_log(self):
        """`yardarm log verify` of its store, while it is down."""
        assert not self.alive()
        return command(self.binary, "log", "verify", "--data", self.data, cwd=self.folder)


def _ignore_file_size_signal():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def command(binary, *arguments, env=None, cwd=None, check=None):
    """Runs the binary to its end. With `check`, that must be the exit code."""
    done = subprocess.run(
        [binary, *arguments],
        env=environment(**(env or {})),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    if check is not None:
        assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
    return done


@functools.cache
def session():
    """One for all clients: reading the service model takes longer than most tests."""
    return boto3.session.Session(botocore_session=botocore.session.Session())
