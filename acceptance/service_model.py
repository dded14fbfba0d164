"""The service model that botocore carries, and requests made from it member by member.

The requests are not made by botocore: they are meant to break rules that it would keep.
"""

import base64
import json
from pathlib import Path
from urllib.parse import quote, urlencode

import botocore.session

TABLE = Path(__file__).parent.parent / "crates" / "wire" / "golden" / "operations.snap.json"
PLANES = {"control": "appconfig", "data": "appconfigdata"}


def table():
    """The server's own list of operations, by name."""
    return {operation["name"]: operation for operation in json.loads(TABLE.read_text())}


def models():
    """The published operations of both services, by name."""
    session = botocore.session.Session()
    found = {}
    for service in PLANES.values():
        model = session.get_service_model(service)
        found |= {name: model.operation_model(name) for name in model.operation_names}
    return found


def served():
    """Names of the operations that the server serves."""
    return sorted(name for name, operation in table().items() if operation["served"])


def place(operation, name, shape):
    """Where a member travels, and under which name."""
    where = {"uri": "path", "querystring": "query", "header": "header"}.get(shape.serialization.get("location"))
    if where:
        return where, shape.serialization["name"]
    if operation.serialization.get("payload") == name:
        return "payload", name
    return "body", shape.serialization.get("name", name)


def request(operation, members):
    """Method, path with query, body and headers of a request with these members, right or wrong."""
    path = operation.http["requestUri"].partition("?")[0]
    query, headers, body, payload = [], {}, {}, None
    for name, value in members.items():
        where, wire = place(operation.input_shape, name, operation.input_shape.members[name])
        if where == "path":
            path = path.replace("{" + wire + "}", quote(str(value), safe=""))
        elif where == "query":
            query += [(wire, _text(one)) for one in (value if isinstance(value, list) else [value])]
        elif where == "header":
            headers[wire] = _text(value)
        elif where == "payload":
            payload = value if isinstance(value, bytes) else str(value).encode()
        else:
            body[wire] = value
    if payload is None:
        raw = operation.http["method"] in ("GET", "DELETE") or "payload" in operation.input_shape.serialization
        payload = b"" if raw else _json(body)
        if payload:
            headers.setdefault("content-type", "application/json")
    target = path + ("?" + urlencode(query, quote_via=quote) if query else "")
    return operation.http["method"], target, payload, headers


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(body):
    return json.dumps(body, default=lambda value: base64.b64encode(value).decode()).encode()


def camel(name):
    """As the service's messages spell a member."""
    return name[0].lower() + name[1:]
