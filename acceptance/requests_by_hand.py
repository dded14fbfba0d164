"""Requests that no SDK would send: made by hand, signed or not, over one connection each."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

JSON = "application/json"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict  # names in lower case
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The error code, as an SDK derives it."""
        return self.headers.get("x-amzn-errortype", "").partition(":")[0]

    @property
    def message(self):
        return self.json()["Message"]


def read(response):
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


class Caller:
    """Sends requests to a port of this machine, signed with a key."""

    def __init__(self, port, key, region, service="appconfig", timeout=20):
        self.port, self.key, self.region, self.service, self.timeout = port, key, region, service, timeout

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def request(self, method, path, body=b"", headers=None):
        """A request before it is signed. `path` includes the query and is sent as it is."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        headers = {"content-type": JSON} if headers is None else headers
        return AWSRequest(method, f"http://{self.host}{path}", headers=headers, data=body)

    def sign(self, request):
        SigV4Auth(Credentials(*self.key), self.service, self.region).add_auth(request)
        return request

    def presign(self, method, path, expires=60):
        """A presigned URL's path and query."""
        request = AWSRequest(method, f"http://{self.host}{path}")
        SigV4QueryAuth(Credentials(*self.key), self.service, self.region, expires=expires).add_auth(request)
        parts = urlsplit(request.url)
        return f"{parts.path}?{parts.query}"

    def call(self, method, path, body=b"", headers=None):
        """Signs and sends."""
        return self.send(self.sign(self.request(method, path, body, headers)))

    def send(self, request):
        parts = urlsplit(request.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return self.plain(request.method, target, request.data or b"", dict(request.headers.items()))

    def plain(self, method, target, body=b"", headers=None):
        """Sends as it is, unsigned."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("content-length", str(len(body)))
            try:
                connection.endheaders(body or None)
            except BrokenPipeError:
                pass  # as SDKs do: an answer that came early is read all the same
            return read(connection.getresponse())
        finally:
            connection.close()

    def bytes(self, wire):
        """Sends bytes that may be no HTTP at all. `None`: the connection was closed without an answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout) as connection:
            try:
                connection.sendall(wire)
            except (BrokenPipeError, ConnectionResetError):
                pass  # an answer may be waiting all the same
            response = HTTPResponse(connection, method="GET")
            try:
                response.begin()
                return read(response)
            except (ConnectionError, ValueError, OSError) as closed:
                if isinstance(closed, TimeoutError):
                    raise
                return None
