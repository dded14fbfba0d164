"""The published service model judges every answer of every boto3 call in this suite.

botocore passes over members it does not know, so an answer in the wrong shape would go unnoticed by ordinary tests.
The judge looks at the answer as it was sent.
"""

import json
import re

# Members that the live service sends although its model lacks them, and Yardarm's one header.
BEYOND_THE_MODEL = {"Type", "ProvidedIdentifier"}
EVERY_ANSWER = {"content-type", "content-length", "date", "x-amzn-requestid"}
OUR_HEADERS = {"configuration-version"}

# Codes that come from in front of an operation; the model does not declare them.
IN_FRONT = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MethodNotAllowedException",
    "MissingAuthenticationTokenException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "UnsupportedOperationException",
}

# Error bodies: what goes with each code, and Yardarm's additions to a violation.
ERROR_MEMBERS = {"Message", "Reason", "Details", "ResourceName", "ResourceType", "ReferencedBy", "Measure", "Limit", "Size"}

_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Judge:
    """Collects what is wrong with answers."""

    def __init__(self):
        self.found = []

    def watch(self, client):
        client.meta.events.register("after-call.*.*", self._after_call)

    def _after_call(self, http_response, parsed, model, **_):
        content = None if model.has_streaming_output and http_response.status_code < 300 else http_response.content
        self.found += complaints(model, http_response.status_code, dict(http_response.headers.items()), content)

    def verdict(self):
        """What was found since the last call."""
        found, self.found = self.found, []
        return found


def complaints(operation, status, headers, content):
    """What is wrong with an answer to `operation`. `content`: `None` where it is a raw configuration."""
    said = [f"{operation.name} {status}: {text}" for text in _complaints(operation, status, headers, content)]
    return list(dict.fromkeys(said))


def _complaints(operation, status, headers, content):
    names = {name.lower(): value for name, value in headers.items()}
    if not _REQUEST_ID.fullmatch(names.get("x-amzn-requestid", "")):
        yield f"x-amzn-requestid is {names.get('x-amzn-requestid')!r}"
    if "date" not in names:
        yield "no date"
    if "transfer-encoding" in names:
        yield "chunked"
    if status >= 400:
        yield from _error(operation, status, names, content)
        return
    if status != operation.http["responseCode"]:
        yield f"the model says {operation.http['responseCode']}"
    if status == 204:
        if "content-length" in names or content:
            yield "a 204 with a body or a content-length"
        if names.get("content-type") != "application/json":
            yield f"a 204 with content-type {names.get('content-type')}"
        return
    if "content-length" not in names:
        yield "no content-length"
    shape = operation.output_shape
    members = shape.members if shape else {}
    places = {m.serialization["name"].lower() for m in members.values() if m.serialization.get("location") == "header"}
    for name in names:
        if name not in EVERY_ANSWER | OUR_HEADERS | places:
            yield f"header {name} is not in the model"
    if content is None:
        return
    if names.get("content-type") != "application/json":
        yield f"content-type {names.get('content-type')}"
    if shape is None:
        yield from [f"body {content!r} where the model has none"] if content else []
        return
    try:
        value = json.loads(content)
    except ValueError:
        yield f"the body is no JSON: {content[:100]!r}"
        return
    yield from fits(value, shape, "", top=True)


def fits(value, shape, at, top=False):
    """Why a JSON value is not of a shape."""
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            yield f"{at or 'the body'} is no object"
            return
        for name, member in value.items():
            known = shape.members.get(name)
            if known is None or (top and known.serialization.get("location")):
                if name not in BEYOND_THE_MODEL:
                    yield f"{at}{name} is not in the model"
            else:
                yield from fits(member, known, f"{at}{name}.")
        return
    if shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{at} is no list"
            return
        for one in value:
            yield from fits(one, shape.member, f"{at}[].")
        return
    if shape.type_name == "map":
        if not isinstance(value, dict):
            yield f"{at} is no map"
            return
        for one in value.values():
            yield from fits(one, shape.value, f"{at}*.")
        return
    yield from _scalar(value, shape, at)


def _scalar(value, shape, at):
    kinds = {
        "string": str,
        "timestamp": str,
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
        "boolean": bool,
    }
    kind = kinds[shape.type_name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{at} is {value!r}, no {shape.type_name}"
    elif shape.type_name == "timestamp" and not _TIMESTAMP.fullmatch(value):
        yield f"{at} is {value!r}, not in milliseconds"
    # The model's words for an environment's state are not those on the wire, which the official waiter expects.
    elif getattr(shape, "enum", None) and value not in shape.enum and shape.name != "EnvironmentState":
        yield f"{at} is {value!r}, not of {shape.enum}"


def _error(operation, status, names, content):
    kind = names.get("x-amzn-errortype", "")
    code = kind.removesuffix(":")
    if not kind.endswith(":"):
        yield f"x-amzn-errortype is {kind!r}"
    declared = {shape.name: shape.metadata.get("error", {}).get("httpStatusCode") for shape in operation.error_shapes}
    if code not in declared and code not in IN_FRONT:
        yield f"{code} is not declared: {sorted(declared)}"
    if declared.get(code) not in (None, status):
        yield f"{code} has status {declared[code]} in the model"
    if names.get("content-type") != "application/json":
        yield f"an error of content-type {names.get('content-type')}"
    try:
        body = json.loads(content)
    except (TypeError, ValueError):
        yield f"an error that is no JSON: {content!r}"
        return
    if not isinstance(body, dict) or not isinstance(body.get("Message"), str):
        yield f"an error without a Message: {body!r}"
        return
    for name in body.keys() - ERROR_MEMBERS:
        yield f"an error with {name}"
