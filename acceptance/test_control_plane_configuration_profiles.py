"""Configuration profiles and their validators."""

import json
import re

import pytest

from resources import FLAGS

UNKNOWN = "zzzz999"
SCHEMA = json.dumps({"type": "object", "properties": {"count": {"type": "integer", "minimum": 1}}, "required": ["count"]})
ROLE = "arn:aws:iam::000000000000:role/reader"


def test_a_profile_is_made_read_changed_and_deleted(resources, refused):
    control, name = resources.control, resources.fresh_name()
    made = control.create_configuration_profile(
        **resources.in_app,
        Name=name,
        Description="what it is for",
        LocationUri="hosted",
        Type="AWS.Freeform",
        Validators=[{"Type": "JSON_SCHEMA", "Content": SCHEMA}],
        Tags={"team": "web"},
    )
    expected = {
        "ApplicationId": resources.app,
        "Id": made["Id"],
        "Name": name,
        "Description": "what it is for",
        "LocationUri": "hosted",
        "Type": "AWS.Freeform",
        "Validators": [{"Type": "JSON_SCHEMA", "Content": SCHEMA}],
    }
    where = {"ApplicationId": resources.app, "ConfigurationProfileId": made["Id"]}
    assert _members(made) == expected
    assert _members(control.get_configuration_profile(**where)) == expected

    renamed = resources.fresh_name()
    changed = control.update_configuration_profile(**where, Name=renamed, Description="other", Validators=[])
    assert (changed["Name"], changed["Description"], changed.get("Validators", [])) == (renamed, "other", [])
    found = control.get_configuration_profile(**where)
    assert (found["Name"], "Validators" in found) == (renamed, False)

    control.delete_configuration_profile(**where)
    with refused("ResourceNotFoundException", _not_found(resources, made["Id"]), 404):
        control.get_configuration_profile(**where)


def test_a_profile_is_free_form_unless_told(resources):
    assert resources.control.get_configuration_profile(**resources.in_profile)["Type"] == "AWS.Freeform"


def test_a_profile_answers_to_names(resources):
    found = resources.control.get_configuration_profile(
        ApplicationId=resources.app_name, ConfigurationProfileId=resources.profile_name
    )
    assert found["Id"] == resources.profile


def test_an_empty_description_is_echoed_once_and_then_gone(resources):
    control = resources.control
    assert control.update_configuration_profile(**resources.in_profile, Description="")["Description"] == ""
    assert "Description" not in control.get_configuration_profile(**resources.in_profile)


def test_a_list_shows_summaries_and_can_be_narrowed_to_a_type(resources):
    control = resources.control
    flags = resources.new_profile(Type=FLAGS)
    resources.control.update_configuration_profile(
        **resources.in_profile, Validators=[{"Type": "JSON_SCHEMA", "Content": SCHEMA}]
    )
    found = {item["Id"]: item for item in control.list_configuration_profiles(**resources.in_app)["Items"]}
    assert set(found) == {resources.profile, flags}
    assert found[resources.profile] == {
        "ApplicationId": resources.app,
        "Id": resources.profile,
        "Name": resources.profile_name,
        "LocationUri": "hosted",
        "Type": "AWS.Freeform",
        "ValidatorTypes": ["JSON_SCHEMA"],
    }
    narrowed = control.list_configuration_profiles(**resources.in_app, Type=FLAGS)["Items"]
    assert [item["Id"] for item in narrowed] == [flags]
    assert control.list_configuration_profiles(**resources.in_app, Type="AWS.Other")["Items"] == []


def test_a_name_is_unique_within_its_application(resources, refused):
    control, name = resources.control, resources.profile_name
    text = (
        f"ConfigurationProfile with name {name} already exists with id {resources.profile} "
        f"in application {resources.app} account {resources.server.account}"
    )
    with refused("BadRequestException", text, 400):
        resources.new_profile(name)
    other = resources.new_profile()
    with refused("BadRequestException", text, 400):
        control.update_configuration_profile(ApplicationId=resources.app, ConfigurationProfileId=other, Name=name)


def test_an_unknown_profile_is_not_found_by_any_operation(resources, refused):
    control = resources.control
    where = {"ApplicationId": resources.app, "ConfigurationProfileId": UNKNOWN}
    calls = [
        lambda: control.get_configuration_profile(**where),
        lambda: control.update_configuration_profile(**where, Name="x"),
        lambda: control.delete_configuration_profile(**where),
        lambda: control.list_hosted_configuration_versions(**where),
        lambda: control.create_hosted_configuration_version(**where, Content=b"x", ContentType="text/plain"),
        lambda: control.validate_configuration(**where, ConfigurationVersion="1"),
    ]
    for call in calls:
        with refused("ResourceNotFoundException", _not_found(resources, UNKNOWN), 404):
            call()


def test_a_type_nobody_knows_is_not_found(resources, refused):
    text = "Invalid type, must be one of: AWS.Freeform, AWS.AppConfig.FeatureFlags"
    with refused("ResourceNotFoundException", text, 404) as refusal:
        resources.new_profile(Type="AWS.Made.Up")
    assert refusal.response["ResourceName"] == "ConfigurationProfileType"


@pytest.mark.parametrize(
    "members, text",
    [
        (
            {"Type": FLAGS, "LocationUri": "ssm-parameter://p", "RetrievalRoleArn": ROLE},
            "ConfigurationProfiles of type 'AWS.AppConfig.FeatureFlags' can only have a locationUri of 'hosted'",
        ),
        (
            {"LocationUri": "ssm-parameter://p", "RetrievalRoleArn": ROLE},
            "Yardarm stores configuration itself: the only supported LocationUri is hosted, not ssm-parameter://p.",
        ),
        (
            {"RetrievalRoleArn": ROLE},
            f"1 validation error detected: Value {ROLE} at 'retrievalRoleArn' failed to satisfy constraint: "
            "Member must be null if the request has the following uri: hosted",
        ),
        ({"LocationUri": "ftp://somewhere"}, "The Uri: ftp://somewhere is of an unsupported type"),
    ],
    ids=["flags elsewhere", "another store", "a role for the hosted store", "an unknown scheme"],
)
def test_the_location_and_the_rest_must_agree(resources, refused, members, text):
    with refused("BadRequestException", text, 400):
        resources.new_profile(**members)


def test_a_lambda_validator_names_a_function(resources, refused):
    with refused("BadRequestException", "ARN nonsense is invalid due to not containing an account ID.", 400):
        resources.new_profile(Validators=[{"Type": "LAMBDA", "Content": "nonsense"}])


def test_there_are_at_most_two_validators(resources, refused):
    validators = [{"Type": "JSON_SCHEMA", "Content": "{}"}] * 3
    with refused("BadRequestException", re.compile("'validators'"), 400):
        resources.new_profile(Validators=validators)


def test_a_profile_with_versions_is_not_deleted(resources, refused):
    control = resources.control
    number = resources.version("x")
    text = (
        f"Cannot delete configuration profile {resources.profile} "
        "because there are still hosted configuration versions existing under it."
    )
    for members in ({}, {"DeletionProtectionCheck": "APPLY"}):
        with refused("BadRequestException", text, 400):
            control.delete_configuration_profile(**resources.in_profile, **members)
    control.delete_hosted_configuration_version(**resources.in_profile, VersionNumber=number)
    control.delete_configuration_profile(**resources.in_profile)


class TestValidators:
    @pytest.fixture
    def with_schema(self, resources):
        resources.control.update_configuration_profile(
            **resources.in_profile, Validators=[{"Type": "JSON_SCHEMA", "Content": SCHEMA}]
        )
        return resources

    def test_a_schema_is_no_schema_until_it_is_used(self, resources, refused):
        broken = [{"Type": "JSON_SCHEMA", "Content": "{not json"}]
        profile = resources.new_profile(Validators=broken)
        number = resources.version({"count": 1}, profile=profile)
        with refused("BadRequestException", re.compile(r"\ACould not build JSON schema from invalid input:\n "), 400):
            resources.control.validate_configuration(
                ApplicationId=resources.app, ConfigurationProfileId=profile, ConfigurationVersion=str(number)
            )

    def test_content_that_fits_is_valid_by_number_and_by_label(self, with_schema):
        number = with_schema.version({"count": 1}, VersionLabel="good-one")
        for version in (str(number), "good-one"):
            answer = with_schema.control.validate_configuration(**with_schema.in_profile, ConfigurationVersion=version)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204

    def test_content_that_does_not_fit_is_stored_but_neither_valid_nor_deployed(self, with_schema, refused):
        number = with_schema.version({"count": 0})
        told = re.compile(r"\ACould not build JSON schema from invalid input:\n .*Original error message:\n", re.DOTALL)
        with refused("BadRequestException", told, 400) as refusal:
            with_schema.control.validate_configuration(**with_schema.in_profile, ConfigurationVersion=str(number))
        assert "/count" in refusal.response["Error"]["Message"]
        (found,) = refusal.response["Details"]["InvalidConfiguration"]
        assert (found["Constraint"], found["Value"]) == ("minimum", "0")
        with refused("BadRequestException", told, 400):
            with_schema.start(number)
        assert with_schema.publish({"count": 1})["DeploymentNumber"] == 1, "a refused start uses no number"

    def test_a_schema_is_draft_4_whatever_it_says(self, resources):
        schema = {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"color": {"const": "green"}}}
        profile = resources.new_profile(Validators=[{"Type": "JSON_SCHEMA", "Content": json.dumps(schema)}])
        number = resources.version({"color": "red"}, profile=profile)
        resources.control.validate_configuration(
            ApplicationId=resources.app, ConfigurationProfileId=profile, ConfigurationVersion=str(number)
        )

    def test_content_that_is_no_json_does_not_fit_a_schema(self, with_schema, refused):
        number = with_schema.version("count: 1", "application/x-yaml")
        with refused("BadRequestException", status=400):
            with_schema.control.validate_configuration(**with_schema.in_profile, ConfigurationVersion=str(number))

    def test_versions_that_do_not_exist_are_not_found(self, with_schema, refused):
        validate, where = with_schema.control.validate_configuration, with_schema.in_profile
        name = with_schema.profile_name
        with refused("ResourceNotFoundException", f"Could not find configuration {name} with version label nope", 404):
            validate(**where, ConfigurationVersion="nope")
        with refused("ResourceNotFoundException", f"Could not find configuration {name} with version number 7", 404):
            validate(**where, ConfigurationVersion="7")


def _not_found(resources, profile):
    return (
        f"Configuration Profile with Application Id {resources.app} and Configuration Profile Id {profile} "
        f"could not be found for account {resources.server.account}."
    )


def _members(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
