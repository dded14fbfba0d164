"""The judge itself: an answer that fits passes, and every way of not fitting is found."""

import json

import pytest

import judge
import service_model

MODELS = service_model.models()
HEADERS = {
    "x-amzn-RequestId": "8d3b4b0c-3d0e-4c5f-9d83-0d6f5d3a1b2c",
    "Date": "Mon, 23 Nov 2026 02:00:00 GMT",
    "Content-Type": "application/json",
    "Content-Length": "2",
}
ERROR = HEADERS | {"x-amzn-errortype": "BadRequestException:"}


def found(operation, status, body, headers=HEADERS):
    content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    return "\n".join(judge.complaints(MODELS[operation], status, headers, content))


def test_what_fits_passes():
    environment = {"ApplicationId": "a", "Id": "b", "Name": "c", "State": "ReadyForDeployment"}
    assert found("GetEnvironment", 200, environment) == ""
    deployment = {"StartedAt": "2026-09-28T11:59:58.004Z", "GrowthFactor": 10.0, "DeploymentNumber": 1, "Type": "USER"}
    assert found("GetDeployment", 200, deployment) == ""
    assert found("GetApplication", 400, {"Message": "m"}, ERROR) == ""
    empty = {name: value for name, value in HEADERS.items() if name != "Content-Length"}
    assert found("DeleteApplication", 204, b"", empty) == ""
    raw = HEADERS | {"Content-Type": "x/y", "Version-Number": "1", "VersionLabel": "l", "Application-Id": "a"}
    assert found("GetHostedConfigurationVersion", 200, None, raw) == ""


@pytest.mark.parametrize(
    "operation, status, body, said",
    [
        ("GetApplication", 201, {"Id": "a"}, "the model says 200"),
        ("GetApplication", 200, {"Identifier": "a"}, "Identifier is not in the model"),
        ("GetApplication", 200, {"Name": None}, "no string"),
        ("GetApplication", 200, b"<xml>", "no JSON"),
        ("GetDeployment", 200, {"GrowthFactor": 10}, "no float"),
        ("GetDeployment", 200, {"StartedAt": "2026-09-28T11:59:58Z"}, "not in milliseconds"),
        ("GetDeployment", 200, {"State": "DONE"}, "not of"),
        ("GetDeployment", 200, {"EventLog": [{"What": 1}]}, "What is not in the model"),
        ("ListApplications", 200, {"Items": {}}, "no list"),
        ("DeleteApplication", 204, b"x", "a 204 with a body"),
    ],
)
def test_what_does_not_fit_is_found(operation, status, body, said):
    assert said in found(operation, status, body)


def test_headers_that_are_missing_or_too_many_are_found():
    for name, said in (("x-amzn-RequestId", "x-amzn-requestid"), ("Date", "no date"), ("Content-Length", "no content-length")):
        assert said in found("GetApplication", 200, {}, {n: v for n, v in HEADERS.items() if n != name})
    assert "header x-own is not in the model" in found("GetApplication", 200, {}, HEADERS | {"X-Own": "1"})
    assert "chunked" in found("GetApplication", 200, {}, HEADERS | {"Transfer-Encoding": "chunked"})


@pytest.mark.parametrize(
    "status, body, kind, said",
    [
        (409, {"Message": "m"}, "ConflictException:", "ConflictException is not declared"),
        (404, {"Message": "m"}, "BadRequestException:", "has status 400 in the model"),
        (400, {"Message": "m"}, "BadRequestException", "x-amzn-errortype is"),
        (400, {"message": "m"}, "BadRequestException:", "without a Message"),
        (400, {"Message": "m", "Secret": 1}, "BadRequestException:", "with Secret"),
        (400, b"", "BadRequestException:", "no JSON"),
    ],
)
def test_errors_that_do_not_fit_are_found(status, body, kind, said):
    assert said in found("GetApplication", status, body, ERROR | {"x-amzn-errortype": kind})
