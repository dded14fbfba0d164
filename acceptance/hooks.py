"""A server that extensions and functions are: it remembers what it was sent, and answers as it is told."""

import base64
import hashlib
import hmac
import json

from local_server import LocalServer, QuietHandler


class Hooks(LocalServer):
    """`answer(path, event)` gives status, headers and body; a body that is no bytes becomes JSON."""

    def __init__(self, answer=lambda path, event: (200, {}, b"")):
        self.answer, self.received = answer, []
        hooks = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                event = json.loads(body)
                hooks.received.append(Received(self.path, dict(self.headers.items()), body, event))
                status, headers, answer = hooks.answer(self.path, event)
                if answer is ENDLESS:
                    return self._endless()
                if not isinstance(answer, bytes):
                    answer = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def _endless(self):
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                try:
                    while True:
                        self.wfile.write(b"more " * 10_000)
                except OSError:
                    pass

        super().__init__(Handler)

    def of(self, path):
        """What was sent to `path`, oldest first."""
        return [received for received in self.received if received.path == path]


ENDLESS = object()


class Received:
    def __init__(self, path, headers, body, event):
        self.path, self.body, self.event = path, body, event
        self.headers = {name.lower(): value for name, value in headers.items()}

    def is_signed_with(self, secret):
        """By the rules of Standard Webhooks, written down here once more."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")
