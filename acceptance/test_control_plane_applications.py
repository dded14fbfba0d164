"""Applications: made, read, renamed and deleted by boto3."""

import pytest

UNKNOWN = "zzzz999"


def test_an_application_is_made_read_changed_and_deleted(server, fresh_name, refused):
    control, name = server.control, fresh_name()
    made = control.create_application(Name=name, Description="what it is for", Tags={"team": "web"})
    assert len(made["Id"]) == 7
    assert _members(made) == {"Id": made["Id"], "Name": name, "Description": "what it is for"}
    assert _members(control.get_application(ApplicationId=made["Id"])) == _members(made)

    renamed = fresh_name()
    changed = control.update_application(ApplicationId=made["Id"], Name=renamed, Description="something else")
    assert _members(changed) == {"Id": made["Id"], "Name": renamed, "Description": "something else"}
    assert _members(control.get_application(ApplicationId=made["Id"])) == _members(changed)

    control.delete_application(ApplicationId=made["Id"])
    text = f"Application with Id {made['Id']} could not be found for account {server.account}."
    with refused("ResourceNotFoundException", text, 404):
        control.get_application(ApplicationId=made["Id"])


def test_an_application_answers_to_its_name_as_well_as_its_id(server, fresh_name):
    control, name = server.control, fresh_name("with spaces & ümlauts")
    made = control.create_application(Name=name)
    assert control.get_application(ApplicationId=name)["Id"] == made["Id"]
    assert control.update_application(ApplicationId=name, Description="found")["Id"] == made["Id"]
    control.delete_application(ApplicationId=name)


def test_an_id_comes_before_a_name_that_looks_like_it(server, fresh_name):
    control = server.control
    first = control.create_application(Name=fresh_name())["Id"]
    impostor = control.create_application(Name=first)["Id"]
    assert control.get_application(ApplicationId=first)["Id"] == first
    control.delete_application(ApplicationId=impostor)


def test_an_update_changes_only_what_it_names(server, fresh_name):
    control, name = server.control, fresh_name()
    app = control.create_application(Name=name, Description="stays")["Id"]
    assert control.update_application(ApplicationId=app)["Description"] == "stays"
    renamed = control.update_application(ApplicationId=app, Name=fresh_name())
    assert renamed["Description"] == "stays"


def test_an_application_without_a_description_has_no_such_member(server, fresh_name):
    made = server.control.create_application(Name=fresh_name())
    assert "Description" not in made
    assert "Description" not in server.control.get_application(ApplicationId=made["Id"])


def test_an_empty_description_is_echoed_once_and_then_gone(server, fresh_name):
    control = server.control
    made = control.create_application(Name=fresh_name(), Description="")
    assert made["Description"] == ""
    assert "Description" not in control.get_application(ApplicationId=made["Id"])

    control.update_application(ApplicationId=made["Id"], Description="something")
    assert control.update_application(ApplicationId=made["Id"], Description="")["Description"] == ""
    assert "Description" not in control.get_application(ApplicationId=made["Id"])


def test_a_name_that_is_taken_is_a_bad_request(server, fresh_name, refused):
    control, name = server.control, fresh_name()
    first = control.create_application(Name=name)["Id"]
    text = f"Application with name {name} already exists with id {first} in account {server.account}"
    with refused("BadRequestException", text, 400):
        control.create_application(Name=name)
    second = control.create_application(Name=fresh_name())["Id"]
    with refused("BadRequestException", text, 400):
        control.update_application(ApplicationId=second, Name=name)


def test_an_application_may_be_renamed_to_its_own_name(server, fresh_name):
    control, name = server.control, fresh_name()
    app = control.create_application(Name=name)["Id"]
    assert control.update_application(ApplicationId=app, Name=name)["Name"] == name


def test_an_unknown_application_is_not_found_by_any_operation(server, refused):
    control = server.control
    text = f"Application with Id {UNKNOWN} could not be found for account {server.account}."
    calls = [
        lambda: control.get_application(ApplicationId=UNKNOWN),
        lambda: control.update_application(ApplicationId=UNKNOWN, Name="x"),
        lambda: control.delete_application(ApplicationId=UNKNOWN),
        lambda: control.list_environments(ApplicationId=UNKNOWN),
        lambda: control.list_configuration_profiles(ApplicationId=UNKNOWN),
        lambda: control.create_environment(ApplicationId=UNKNOWN, Name="x"),
        lambda: control.create_configuration_profile(ApplicationId=UNKNOWN, Name="x", LocationUri="hosted"),
    ]
    for call in calls:
        with refused("ResourceNotFoundException", text, 404):
            call()


def test_an_application_with_environments_or_profiles_is_not_deleted(resources, refused):
    control, app = resources.control, resources.app
    text = f"Cannot delete application {app}, because there are still environments existing under it."
    with refused("BadRequestException", text, 400):
        control.delete_application(ApplicationId=app)
    control.delete_environment(**resources.in_env)
    text = f"Cannot delete application {app}, because there are still configuration profiles existing under it."
    with refused("BadRequestException", text, 400):
        control.delete_application(ApplicationId=app)
    control.delete_configuration_profile(**resources.in_profile)
    control.delete_application(ApplicationId=app)


@pytest.mark.parametrize(
    "members, text",
    [
        ({"Name": ""}, "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        ({"Name": "x" * 65}, "at 'name' failed to satisfy constraint: Member must have length less than or equal to 64"),
        ({"Name": "ok", "Description": "x" * 1025}, "at 'description' failed to satisfy constraint: Member must have length less"),
    ],
    ids=["an empty name", "a name of 65 characters", "a description of 1025 characters"],
)
def test_lengths_are_checked(server, members, text):
    answer = server.signed.call("POST", "/applications", members)
    assert (answer.status, answer.code) == (400, "BadRequestException")
    assert answer.message.startswith("1 validation error detected: Value ") and text in answer.message


def test_lengths_are_counted_in_characters_not_in_bytes(server, fresh_name):
    name = (fresh_name() + "ü" * 64)[:64]
    assert server.control.create_application(Name=name)["Name"] == name


def test_everything_wrong_with_a_request_is_told_at_once(server):
    answer = server.signed.call("POST", "/applications", {"Description": "x" * 1025})
    assert answer.message.startswith("2 validation errors detected: ")
    assert "Value null at 'name' failed to satisfy constraint: Member must not be null" in answer.message
    assert "'description'" in answer.message


def _members(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
