"""Extensions with boto3, and a server of ours in the part of the functions that they call."""

import base64
import re

import pytest

from hooks import ENDLESS, Hooks
from resources import Resources
from running import Server, eventually

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:check"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/default"
UNMAPPED = "arn:aws:lambda:us-east-1:123456789012:function:nobody"


@pytest.fixture(scope="module")
def hooks():
    hooks = Hooks()
    yield hooks
    hooks.close()


@pytest.fixture(scope="module")
def calling(binary, tmp_path_factory, hooks, _watched):
    """A server that may call this machine, asks often, and gives up soon."""
    server = Server(
        binary,
        tmp_path_factory.mktemp("calling"),
        "--call-networks=127.0.0.1",
        f"--call-targets={FUNCTION}={hooks.url}/function {BUS}={hooks.url}/bus",
        "--call-timeout-seconds=2",
        "--tick-seconds=1",
        "--delivery-attempts=2",
        dev=True,
    )
    _watched.append(server)
    yield server.start()
    assert server.stop() == 0, server.last_words()


@pytest.fixture
def there(calling, fresh_name):
    return Resources(calling, fresh_name)


def extension(there, uri, *points, **members):
    action = {"Name": "act", "Uri": uri}
    name = there.fresh_name("extension")
    return there.control.create_extension(Name=name, Actions={point: [action] for point in points}, **members)


def associate(there, made, resource=None, **members):
    return there.control.create_extension_association(
        ExtensionIdentifier=made["Id"], ResourceIdentifier=resource or there.arn(), **members
    )


class TestOperations:
    def test_an_extension_is_made_read_changed_listed_and_deleted(self, there, refused):
        control = there.control
        made = extension(
            there, "https://hooks.example/", "ON_DEPLOYMENT_START", Parameters={"level": {"Dynamic": True}}
        )
        assert made["VersionNumber"] == 1 and made["Arn"].endswith(f":extension/{made['Id']}/1")
        assert made["Parameters"] == {"level": {"Required": False, "Dynamic": True}}
        for identifier in (made["Id"], made["Name"], made["Arn"]):
            assert control.get_extension(ExtensionIdentifier=identifier)["Arn"] == made["Arn"]
        changed = control.update_extension(ExtensionIdentifier=made["Name"], Description="other")
        assert (changed["Description"], changed["VersionNumber"]) == ("other", 1)
        listed = control.list_extensions(Name=made["Name"])["Items"]
        assert [item["Arn"] for item in listed] == [made["Arn"]]
        control.delete_extension(ExtensionIdentifier=made["Id"])
        text = f"Extension could not be found for account {there.server.account}."
        with refused("ResourceNotFoundException", text, 404):
            control.get_extension(ExtensionIdentifier=made["Id"])

    def test_versions_follow_their_lock(self, there, refused):
        control, name = there.control, there.fresh_name("extension")
        actions = {"ON_DEPLOYMENT_STEP": [{"Name": "act", "Uri": "https://hooks.example/"}]}
        first = control.create_extension(Name=name, Actions=actions)
        assert control.create_extension(Name=name, Actions=actions)["VersionNumber"] == 1
        text = f"LatestVersionNumber not populated and an extension with name {name} already exists."
        with refused("BadRequestException", text, 400):
            control.create_extension(Name=name, Actions=actions, Description="new")
        text = "LatestVersionNumber supplied in request 5 does not match latest version 1."
        with refused("ConflictException", text, 409):
            control.create_extension(Name=name, Actions=actions, Description="new", LatestVersionNumber=5)
        second = control.create_extension(Name=name, Actions=actions, Description="new", LatestVersionNumber=1)
        assert (second["Id"], second["VersionNumber"]) == (first["Id"], 2)

    def test_an_association_keeps_its_version_and_its_resource(self, there, refused):
        control = there.control
        made = extension(
            there, "https://hooks.example/", "ON_DEPLOYMENT_START", Parameters={"room": {"Required": True}}
        )
        text = f"Extension {made['Name']} version 1 has required parameters, but no parameters have been supplied"
        with refused("BadRequestException", text, 400):
            associate(there, made)
        association = associate(there, made, Parameters={"room": "a"}, Tags={"team": "web"})
        arn = {"ResourceArn": association["Arn"]}
        assert control.list_tags_for_resource(**arn)["Tags"] == {"team": "web"}
        where = {"ExtensionAssociationId": association["Id"]}
        changed = control.update_extension_association(**where, Parameters={"room": "b"})
        assert changed["Parameters"] == {"room": "b"}
        assert control.get_extension_association(**where)["ResourceArn"] == there.arn()
        found = control.list_extension_associations(ResourceIdentifier=there.arn())["Items"]
        assert [item["Id"] for item in found] == [association["Id"]]
        with pytest.raises(control.exceptions.BadRequestException, match="still existing"):
            control.delete_extension(ExtensionIdentifier=made["Id"])
        with pytest.raises(control.exceptions.BadRequestException, match="extensions associated with it"):
            control.delete_application(**there.in_app)
        control.delete_extension_association(**where)
        control.delete_extension(ExtensionIdentifier=made["Id"])


class TestBeforeTheWork:
    def test_a_version_is_changed_and_refused_by_the_recorded_event(self, there, hooks):
        made = extension(there, f"{hooks.url}/version", "PRE_CREATE_HOSTED_CONFIGURATION_VERSION")
        associate(there, made, there.arn("configurationprofile", there.profile))
        changed = base64.b64encode(b"changed").decode()
        hooks.answer = lambda path, event: (200, {}, {"Content": changed, "statusCode": 200})
        where = {**there.in_profile, "ContentType": "text/plain"}
        stored = there.control.create_hosted_configuration_version(Content=b"first", Description="one", **where)
        assert stored["Content"].read() == b"changed"
        there.control.create_hosted_configuration_version(Content=b"second", **where)
        first, second = (received.event for received in hooks.of("/version"))
        assert first == {
            "InvocationId": first["InvocationId"],
            "Parameters": {},
            "Type": "PreCreateHostedConfigurationVersion",
            "Application": {"Id": there.app, "Name": there.app_name},
            "ConfigurationProfile": {"Id": there.profile, "Name": there.profile_name},
            "Content": base64.b64encode(b"first").decode(),
            "ContentType": "text/plain",
            "ContentVersion": "1",
            "Description": "one",
            "ConfigurationProfileType": "AWS.Freeform",
        }
        assert second["PreviousContent"] == {"ContentType": "text/plain", "ContentVersion": "1", "Content": changed}
        assert "Description" not in second
        detail = {"Type": "T", "Name": "n", "Reason": "r"}
        hooks.answer = lambda path, event: (200, {}, {"Error": "BadRequestError", "Message": "No.", "Details": [detail]})
        with pytest.raises(there.control.exceptions.BadRequestException) as caught:
            there.control.create_hosted_configuration_version(Content=b"third", **where)
        assert caught.value.response["Message"] == f"Error invoking extension {made['Name']}: No."
        assert caught.value.response["Reason"] == "InvalidConfiguration"

    @pytest.mark.parametrize(
        "answer, why",
        [
            ((200, {}, ENDLESS), "larger than"),
            ((302, {"location": "http://169.254.169.254/latest/meta-data"}, b""), "redirects are not followed"),
            ((200, {}, b"<html>"), "not understood"),
            ((200, {"x-amz-function-error": "Unhandled"}, {"errorMessage": "boom", "errorType": "E"}), "boom"),
            ((500, {}, b""), "500"),
        ],
    )
    def test_a_hostile_answer_stores_nothing(self, there, hooks, answer, why):
        made = extension(there, f"{hooks.url}/hostile", "PRE_CREATE_HOSTED_CONFIGURATION_VERSION")
        associate(there, made)
        hooks.answer = lambda path, event: answer
        with pytest.raises(there.control.exceptions.BadRequestException, match=why):
            there.version("content", "text/plain")
        assert there.control.list_hosted_configuration_versions(**there.in_profile)["Items"] == []

    @pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]:1/", "http://localhost:1/"])
    def test_what_must_not_be_called_is_not(self, there, url):
        made = extension(there, url, "PRE_CREATE_HOSTED_CONFIGURATION_VERSION")
        associate(there, made)
        with pytest.raises(there.control.exceptions.BadRequestException, match="must not be called|no connection"):
            there.version("content", "text/plain")

    def test_an_arn_that_is_mapped_to_nothing_is_told(self, there):
        associate(there, extension(there, UNMAPPED, "PRE_CREATE_HOSTED_CONFIGURATION_VERSION"))
        with pytest.raises(there.control.exceptions.BadRequestException, match="set call-targets"):
            there.version("content", "text/plain")

    def test_a_deployment_gets_its_own_content_and_parameters(self, there, hooks):
        changed = base64.b64encode(b"for this one").decode()
        hooks.answer = lambda path, event: (200, {}, {"Content": changed})
        made = extension(there, FUNCTION, "PRE_START_DEPLOYMENT", Parameters={"level": {"Dynamic": True}})
        association = associate(there, made, there.arn("environment", there.env), Parameters={"level": "1"})
        there.version("stored", "text/plain")
        before = len(hooks.of("/function"))
        started = there.control.start_deployment(
            **there.in_env,
            ConfigurationProfileId=there.profile,
            ConfigurationVersion="1",
            DeploymentStrategyId=there.strategy(),
            Description="Friday",
            DynamicExtensionParameters={f"{made['Name']}#level": "2"},
        )
        event = hooks.of("/function")[before].event
        assert (event["Type"], event["DeploymentNumber"], event["Description"]) == ("PreStartDeployment", 1, "Friday")
        assert event["Parameters"] == {"level": "2"}
        assert event["Environment"] == {"Id": there.env, "Name": there.env_name}
        applied = {
            "ExtensionId": made["Id"],
            "ExtensionAssociationId": association["Id"],
            "VersionNumber": 1,
            "Parameters": {"level": "2"},
        }
        assert started["AppliedExtensions"] == [applied]
        assert started["EventLog"][-1]["ActionInvocations"][0]["Uri"] == FUNCTION

    def test_a_function_validates(self, there, hooks):
        profile = there.new_profile(Validators=[{"Type": "LAMBDA", "Content": FUNCTION}])
        there.version("content", "text/plain", profile=profile)
        where = {**there.in_app, "ConfigurationProfileId": profile, "ConfigurationVersion": "1"}
        hooks.answer = lambda path, event: (200, {}, b"")
        before = len(hooks.of("/function"))
        there.control.validate_configuration(**where)
        assert hooks.of("/function")[before].event == {
            "applicationId": there.app,
            "configurationProfileId": profile,
            "configurationVersion": "1",
            "content": base64.b64encode(b"content").decode(),
            "uri": "hosted",
        }
        hooks.answer = lambda path, event: (200, {"x-amz-function-error": "Unhandled"}, {"errorMessage": "too big"})
        with pytest.raises(there.control.exceptions.BadRequestException, match="too big"):
            there.control.validate_configuration(**where)


class TestDuringADeployment:
    def test_a_tick_takes_a_deployment_back(self, there, hooks):
        made = extension(there, f"{hooks.url}/tick", "AT_DEPLOYMENT_TICK")
        associate(there, made)
        there.version("content", "text/plain")
        hooks.answer = lambda path, event: (200, {}, {"Directive": "CONTINUE"})
        number = there.start(1, there.strategy(10, factor=50))["DeploymentNumber"]
        eventually(lambda: len(hooks.of("/tick")) >= 2)
        event = hooks.of("/tick")[0].event
        assert (event["Type"], event["DeploymentState"], event["PercentageComplete"]) == ("AtDeploymentTick", "DEPLOYING", "0.0")
        hooks.answer = lambda path, event: (200, {}, {"Directive": "ROLL_BACK", "Description": "Errors are up"})

        def rolled_back():
            found = there.control.get_deployment(**there.in_env, DeploymentNumber=number)
            return found if found["State"] == "ROLLED_BACK" else None

        log = eventually(rolled_back)["EventLog"]
        assert [(entry["EventType"], entry["TriggeredBy"]) for entry in log[:2]] == [
            ("ROLLBACK_COMPLETED", "APPCONFIG"),
            ("ROLLBACK_STARTED", "APPCONFIG"),
        ]
        assert log[1]["Description"] == "Errors are up"

    def test_what_happens_is_told_signed_and_in_the_shape_of_event_bridge(self, there, hooks):
        hooks.answer = lambda path, event: (200, {}, b"")
        made = extension(there, f"{hooks.url}/told", "ON_DEPLOYMENT_START", "ON_DEPLOYMENT_COMPLETE")
        associate(there, made)
        bus = associate(there, extension(there, BUS, "ON_DEPLOYMENT_COMPLETE"))
        there.version("content", "text/plain")
        there.start(1, there.strategy())
        start, complete = eventually(lambda: hooks.of("/told") if len(hooks.of("/told")) == 2 else None)
        assert (start.event["Type"], complete.event["Type"]) == ("OnDeploymentStart", "OnDeploymentComplete")
        assert start.event["ConfigurationVersion"] == "1" and start.event["DeploymentNumber"] == 1
        path = f"/yardarm/v1/extensions/{made['Id']}/signing-secret"
        secret = there.server.signed.call("GET", path).json()["secret"]
        assert start.is_signed_with(secret) and complete.is_signed_with(secret)
        assert start.headers["webhook-id"] != complete.headers["webhook-id"]
        event = eventually(lambda: hooks.of("/bus"))[0].event
        assert (event["source"], event["detail-type"], event["version"]) == ("aws.appconfig", "On Deployment Complete", "0")
        assert event["resources"] == [bus["Arn"]]
        assert event["detail"]["Application"] == {"Id": there.app, "Name": there.app_name}

    def test_events_are_told_as_cloud_events_too(self, there, hooks):
        hooks.answer = lambda path, event: (202, {}, b"")
        associate(there, extension(there, f"cloudevents+{hooks.url}/events", "ON_DEPLOYMENT_START"))
        there.version("content", "text/plain")
        there.start(1, there.strategy())
        told = eventually(lambda: hooks.of("/events"))[0]
        assert told.headers["content-type"] == "application/cloudevents+json"
        assert (told.event["specversion"], told.event["type"]) == ("1.0", "dev.yardarm.OnDeploymentStart")
        assert told.event["source"] == there.arn("environment", there.env)
        assert told.event["subject"] == "deployment/1" and told.event["id"] == told.headers["webhook-id"]
        assert told.event["data"]["DeploymentNumber"] == 1

    def test_what_could_not_be_told_is_listed_and_told_again(self, there, hooks):
        hooks.answer = lambda path, event: (503, {}, b"")
        made = extension(there, f"{hooks.url}/down", "ON_DEPLOYMENT_START")
        associate(there, made)
        there.version("content", "text/plain")
        there.start(1, there.strategy())

        def listed(state):
            items = there.server.signed.call("GET", "/yardarm/v1/deliveries").json()["items"]
            return [item for item in items if item["extensionId"] == made["Id"] and item["state"] == state]

        (given_up,) = eventually(lambda: listed("given-up"), within=30)
        assert (given_up["attempts"], given_up["errorCode"]) == (2, "RefusedByReceiver")
        ids = {received.headers["webhook-id"] for received in hooks.of("/down")}
        assert ids == {f"msg_{given_up['deliveryId']}"}
        hooks.answer = lambda path, event: (200, {}, b"")
        answer = there.server.signed.call("POST", f"/yardarm/v1/deliveries/{given_up['deliveryId']}/retry")
        assert answer.status == 202, answer
        eventually(lambda: not listed("given-up") and not listed("waiting"))
        assert len(hooks.of("/down")) == 3
        metrics = there.server.get("/metrics")[1].decode()
        for counted in ("deliveries_total", "delivery_failures_total", "deliveries_given_up_total"):
            assert re.search(rf"^yardarm_{counted} [1-9]", metrics, re.M), metrics

    def test_a_delivery_survives_the_servers_death(self, serve, fresh_name):
        hooks = Hooks(lambda path, event: (503, {}, b""))
        server = serve("--call-networks=127.0.0.1")
        there = Resources(server, fresh_name)
        associate(there, extension(there, f"{hooks.url}/told", "ON_DEPLOYMENT_START"))
        there.version("content", "text/plain")
        there.start(1, there.strategy())
        eventually(lambda: hooks.received)
        server.kill()
        hooks.answer = lambda path, event: (200, {}, b"")
        told = len(hooks.received)
        server.start()
        eventually(lambda: len(hooks.received) > told)
        ids = {received.headers["webhook-id"] for received in hooks.received}
        assert len(ids) == 1
        eventually(lambda: server.signed.call("GET", "/yardarm/v1/deliveries").json()["items"] == [])
        hooks.close()
