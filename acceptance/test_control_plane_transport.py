"""What every answer of the AWS planes carries, byte by byte."""

import re
import uuid

from resources import Resources


def test_every_answer_carries_the_same_headers(resources):
    signed = resources.server.signed
    for answer in (
        signed.call("GET", f"/applications/{resources.app}"),
        signed.call("POST", "/applications", {"Name": resources.fresh_name()}),
        signed.call("GET", "/applications/zzzz999"),
        signed.call("POST", "/applications", {}),
        signed.plain("GET", "/applications"),
        signed.plain("GET", "/nowhere"),
    ):
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert "date" in answer.headers and "transfer-encoding" not in answer.headers
        uuid.UUID(answer.headers["x-amzn-requestid"])


def test_request_ids_differ(server):
    assert len({server.signed.call("GET", "/settings").headers["x-amzn-requestid"] for _ in range(5)}) == 5


def test_an_answer_without_content_has_a_type_but_no_length(resources):
    answer = resources.server.signed.call("DELETE", f"/applications/{resources.app}/environments/{resources.env}")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["content-type"] == "application/json"
    assert "content-length" not in answer.headers and "transfer-encoding" not in answer.headers


def test_numbers_and_times_are_written_as_the_service_writes_them(resources):
    resources.publish("x")
    answer = resources.server.signed.call(
        "GET", f"/applications/{resources.app}/environments/{resources.env}/deployments/1"
    )
    text = answer.body.decode()
    assert '"PercentageComplete":100.0' in text and '"GrowthFactor":100.0' in text
    assert re.search(r'"StartedAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', text)
    assert "null" not in text and ": " not in text.replace("://", ""), "compact, and nothing is null"


def test_an_environment_is_as_many_bytes_as_the_service_sends(server):
    control = server.control
    app = control.create_application(Name=f"bytes-{uuid.uuid4().hex[:12]}")["Id"]
    answer = server.signed.call("POST", f"/applications/{app}/environments", {"Name": "production-x"})
    body = {"ApplicationId": app, "Id": answer.json()["Id"], "Name": "production-x", "State": "ReadyForDeployment"}
    assert answer.json() == body
    assert len(answer.body) == len(
        f'{{"ApplicationId":"{app}","Id":"{body["Id"]}","Name":"production-x","State":"ReadyForDeployment"}}'
    )


def test_an_error_is_named_in_a_header_that_ends_with_a_colon(server):
    answer = server.signed.call("GET", "/applications/zzzz999")
    assert answer.status == 404
    assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException:"
    assert set(answer.json()) <= {"Message", "ResourceName"}


def test_unknown_members_are_ignored_and_null_is_absent(server, fresh_name):
    body = {"Name": fresh_name(), "Description": None, "Tags": None, "FromTheFuture": {"x": [1]}}
    answer = server.signed.call("POST", "/applications", body)
    assert answer.status == 201
    assert set(answer.json()) == {"Id", "Name"}


def test_the_content_type_of_a_request_does_not_matter_for_json(server, fresh_name):
    for headers in ({"content-type": "application/x-amz-json-1.1"}, {"content-type": "text/plain"}, {}):
        answer = server.signed.call("POST", "/applications", {"Name": fresh_name()}, headers)
        assert answer.status == 201, answer


def test_one_connection_serves_many_requests(server):
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    sockets = set()
    for _ in range(3):
        request = server.signed.sign(server.signed.request("GET", "/settings"))
        connection.request("GET", "/settings", headers=dict(request.headers.items()))
        assert connection.getresponse().read()
        sockets.add(connection.sock.getsockname())
    connection.close()
    assert len(sockets) == 1


def test_names_with_slashes_and_percent_signs_are_decoded_once(server, fresh_name):
    control = server.control
    name = fresh_name("100%25/slash")
    app = control.create_application(Name=name)["Id"]
    assert control.get_application(ApplicationId=name)["Id"] == app


def test_a_description_in_a_header_may_be_in_any_language(resources):
    """boto3 writes headers in UTF-8 and reads them in Latin-1; a list, which is JSON, shows what was understood."""
    for text in ("grün", "✓ 変更", "\U0001f600"):
        resources.version("x", Description=text)
        newest = resources.control.list_hosted_configuration_versions(**resources.in_profile, MaxResults=1)["Items"][0]
        assert newest["Description"] == text


def test_region_and_account_are_the_servers_settings(serve, fresh_name):
    server = serve("--region", "eu-central-1", "--account-id", "123456789012")
    control = server.client("appconfig", region="eu-central-1")
    app = control.create_application(Name="a", Tags={"k": "v"})["Id"]
    arn = f"arn:aws:appconfig:eu-central-1:123456789012:application/{app}"
    assert control.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"k": "v"}
    try:
        control.get_application(ApplicationId="zzzz999")
    except control.exceptions.ResourceNotFoundException as error:
        assert "for account 123456789012." in error.response["Error"]["Message"]
    assert server.client("appconfig", region="us-east-1")


def test_clients_of_both_planes_share_one_address(server, fresh_name):
    there = Resources(server, fresh_name)
    there.publish("x")
    assert there.read() == b"x"
