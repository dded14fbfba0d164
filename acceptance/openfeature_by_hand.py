"""OpenFeature's remote evaluation protocol by plain HTTP: requests and event streams, of a server or an agent."""

import json
from collections import namedtuple
from http.client import HTTPConnection

ALL = "/ofrep/v1/evaluate/flags"

Answering = namedtuple("Answering", "port")


class OpenFeature:
    """Requests by hand, as no provider makes them. `answering`: a server or an agent."""

    def __init__(self, answering, base="", **headers):
        self.answering, self.base, self.headers = answering, base, headers

    @classmethod
    def at(cls, url, base=""):
        """Of whoever answers there."""
        return cls(Answering(int(url.rpartition(":")[2])), base)

    def send(self, method, path, body=None, **headers):
        connection = HTTPConnection("127.0.0.1", self.answering.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
            connection.request(method, self.base + path, body, named)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def post(self, path, context=None, **headers):
        body = None if context is None else json.dumps({"context": context})
        status, head, body = self.send("POST", path, body, Content_Type="application/json", **headers)
        return status, head, json.loads(body) if body else None

    def one(self, key, **context):
        return self.post(f"{ALL}/{key}", context)

    def all(self, **context):
        return self.post(ALL, context)


class Stream:
    """An open event stream."""

    def __init__(self, answering, uri, **headers):
        self.connection = HTTPConnection("127.0.0.1", answering.port, timeout=30)
        self.connection.request("GET", uri, headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.response = self.connection.getresponse()

    def event(self):
        """The next event: its id and data. Passes over everything else."""
        while True:
            fields = self.fields()
            if "data" in fields:
                return int(fields["id"]), json.loads(fields["data"])

    def fields(self):
        """What comes up to the next empty line, without comments."""
        fields = {}
        while True:
            line = self.response.readline().decode()
            assert line, "the stream ended"
            if line == "\n":
                if fields:
                    return fields
            elif not line.startswith(":"):
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value

    def close(self):
        self.response.close()
        self.connection.close()
