"""The agent as a process of its own: started on a free port, asked over plain HTTP, and ended."""

import json
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from running import ENDS_WITHIN, STARTS_WITHIN, environment

_ADDRESS = re.compile(r"serves at (http://127\.0\.0\.1:\d+)")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body!r}"


def ask(url, path, headers=(), method="GET"):
    """A request as people make it with the standard library. `headers`: pairs, so that one can be sent twice."""
    request = urllib.request.Request(url + path, method=method)
    for name, value in dict(headers).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        return Answer(refusal.code, refusal.headers, refusal.read())


def path_of(application, environment, configuration, *flags):
    """Where the agent serves a configuration."""
    parts = [urllib.parse.quote(part, safe="") for part in (application, environment, configuration)]
    path = "/applications/{}/environments/{}/configurations/{}".format(*parts)
    return path + ("?" + "&".join(f"flag={flag}" for flag in flags) if flags else "")


class Agent:
    """One agent, with a folder of its own for what it says and keeps."""

    def __init__(self, binary, folder, *options, env=None):
        self.binary, self.folder, self.options, self.env = binary, folder, options, dict(env or {})
        self.process = self._reader = None
        self._said = folder / "agent.log"

    def start(self):
        """Returns when it is ready."""
        known = threading.Event()
        with open(self._said, "ab") as said:
            self.process = subprocess.Popen(
                [self.binary, "agent", "--http-port", "0", *self.options],
                stdout=subprocess.PIPE,
                stderr=said,
                stdin=subprocess.DEVNULL,
                env=environment(**self.env),
                cwd=self.folder,
                text=True,
            )

        def read(lines):
            for line in lines:
                found = _ADDRESS.search(line)
                if found:
                    self.url = found[1]
                    known.set()
            known.set()

        self._reader = threading.Thread(target=read, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        assert known.wait(STARTS_WITHIN) and self.alive(), self.log()
        return self

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        self.process.terminate()
        code = self.process.wait(ENDS_WITHIN)
        self._reader.join(ENDS_WITHIN)  # it ends with the output, which must not be closed under it
        self.process.stdout.close()
        assert code == 0, self.log()

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        return self._said.read_text(errors="replace") if self._said.exists() else ""

    def ask(self, path, headers=(), method="GET"):
        return ask(self.url, path, headers, method)

    def read(self, resources, *flags, headers=()):
        """The configuration of `resources`, by names."""
        return self.ask(path_of(resources.app_name, resources.env_name, resources.profile_name, *flags), headers)
