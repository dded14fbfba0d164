"""Sources of alarms for the tests: a real Prometheus, and stubs of what cannot run here."""

import json
import shutil
import socket
import subprocess
import threading
from http.client import HTTPConnection

from local_server import LocalServer, QuietHandler
from running import environment, eventually


class Stub(LocalServer):
    """An HTTP server whose answer a test chooses, and which remembers what it was asked."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []
        stub = self

        class Handler(QuietHandler):
            def respond(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stub.requests.append((self.command, self.path, dict(self.headers.items()), body))
                status, headers, content = stub.answer(self.path, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = respond

        super().__init__(Handler)


class Metric(Stub):
    """A program with one metric, `errors`, for Prometheus to scrape."""

    def __init__(self):
        self.value = 0
        super().__init__(
            lambda *_: (200, {"content-type": "text/plain; version=0.0.4"}, f"errors {self.value}\n".encode())
        )


class CloudWatch(Stub):
    """As much of CloudWatch as is asked: DescribeAlarms in the JSON protocol."""

    def __init__(self):
        self.state, self.actions_enabled = "OK", True
        super().__init__(self._describe)

    def _describe(self, _, body):
        alarms = [
            {
                "AlarmName": name,
                "AlarmArn": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}",
                "StateValue": self.state,
                "StateReason": "Threshold Crossed: 1 datapoint was greater than the threshold",
                "StateUpdatedTimestamp": 1.7e9,
                "ActionsEnabled": self.actions_enabled,
            }
            for name in json.loads(body)["AlarmNames"]
        ]
        answer = json.dumps({"MetricAlarms": alarms, "CompositeAlarms": []}).encode()
        return 200, {"content-type": "application/x-amz-json-1.0"}, answer


class Prometheus:
    """The real one, which scrapes `target` every 200 milliseconds."""

    def __init__(self, folder, target):
        program = shutil.which("prometheus")
        assert program, "prometheus is not installed: `make acceptance` installs Debian's package"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        address = target.url.removeprefix("http://")
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
            f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{address}']}}]}}]\n"
        )
        with open(folder / "prometheus.log", "wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
                env=environment(),
            )
        eventually(self._ready, within=30)

    def _ready(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def close(self):
        self._process.terminate()
        self._process.wait(30)
