"""Environments: made, read, changed and deleted by boto3, and their states."""

import re

UNKNOWN = "zzzz999"
ALARM = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:latency"
ROLE = "arn:aws:iam::000000000000:role/alarms"


def test_an_environment_is_made_read_changed_and_deleted(resources, refused):
    control, name = resources.control, resources.fresh_name()
    made = control.create_environment(
        **resources.in_app,
        Name=name,
        Description="where it runs",
        Monitors=[{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}],
        Tags={"stage": "test"},
    )
    expected = {
        "ApplicationId": resources.app,
        "Id": made["Id"],
        "Name": name,
        "Description": "where it runs",
        "State": "ReadyForDeployment",
        "Monitors": [{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}],
    }
    where = {"ApplicationId": resources.app, "EnvironmentId": made["Id"]}
    assert _members(made) == expected
    assert _members(control.get_environment(**where)) == expected

    renamed = resources.fresh_name()
    changed = control.update_environment(**where, Name=renamed, Description="elsewhere")
    expected |= {"Name": renamed, "Description": "elsewhere"}
    assert _members(changed) == expected
    assert _members(control.get_environment(**where)) == expected

    control.delete_environment(**where)
    text = (
        f"Environment with Application Id {resources.app} and Environment Id {made['Id']} "
        f"could not be found for account {resources.server.account}."
    )
    with refused("ResourceNotFoundException", text, 404):
        control.get_environment(**where)


def test_an_environment_answers_to_names(resources):
    found = resources.control.get_environment(ApplicationId=resources.app_name, EnvironmentId=resources.env_name)
    assert (found["ApplicationId"], found["Id"]) == (resources.app, resources.env)


def test_a_bare_environment_has_neither_description_nor_monitors(resources):
    found = resources.control.get_environment(**resources.in_env)
    assert set(_members(found)) == {"ApplicationId", "Id", "Name", "State"}


def test_an_empty_description_is_echoed_once_and_then_gone(resources):
    control = resources.control
    assert control.update_environment(**resources.in_env, Description="")["Description"] == ""
    assert "Description" not in control.get_environment(**resources.in_env)


def test_monitors_stay_until_an_empty_list_removes_them(resources):
    control = resources.control
    control.update_environment(**resources.in_env, Monitors=[{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}])
    assert control.update_environment(**resources.in_env, Description="x")["Monitors"]
    assert not control.update_environment(**resources.in_env, Monitors=[]).get("Monitors")
    assert "Monitors" not in control.get_environment(**resources.in_env)


def test_a_monitor_needs_no_role_unless_the_server_is_strict(resources, serve, refused):
    without_role = [{"AlarmArn": ALARM}]
    assert resources.control.update_environment(**resources.in_env, Monitors=without_role)["Monitors"] == without_role

    control = serve("--strict-alarm-role").control
    app = control.create_application(Name="a")["Id"]
    text = (
        "1 validation error detected: Value null at 'alarmRoleArn' failed to satisfy constraint: "
        "Member must not be null."
    )
    with refused("BadRequestException", text, 400):
        control.create_environment(ApplicationId=app, Name="e", Monitors=without_role)


def test_there_are_at_most_five_monitors(resources, refused):
    monitors = [{"AlarmArn": f"{ALARM}-{number}"} for number in range(6)]
    with refused("BadRequestException", re.compile("'monitors'"), 400):
        resources.control.update_environment(**resources.in_env, Monitors=monitors)


def test_a_name_is_unique_within_its_application_only(resources, refused):
    control, app, name = resources.control, resources.app, resources.env_name
    text = (
        f"Environment with name {name} already exists with id {resources.env} "
        f"in application {app} and account {resources.server.account}"
    )
    with refused("BadRequestException", text, 400):
        control.create_environment(ApplicationId=app, Name=name)
    other = resources.new_environment()
    with refused("BadRequestException", text, 400):
        control.update_environment(ApplicationId=app, EnvironmentId=other, Name=name)
    elsewhere = control.create_application(Name=resources.fresh_name())["Id"]
    assert control.create_environment(ApplicationId=elsewhere, Name=name)["Name"] == name


def test_an_unknown_environment_is_not_found_by_any_operation(resources, refused):
    control, app = resources.control, resources.app
    where = {"ApplicationId": app, "EnvironmentId": UNKNOWN}
    text = (
        f"Environment with Application Id {app} and Environment Id {UNKNOWN} "
        f"could not be found for account {resources.server.account}."
    )
    calls = [
        lambda: control.get_environment(**where),
        lambda: control.update_environment(**where, Name="x"),
        lambda: control.delete_environment(**where),
        lambda: control.list_deployments(**where),
    ]
    for call in calls:
        with refused("ResourceNotFoundException", text, 404):
            call()


def test_the_state_follows_the_deployments(resources):
    control = resources.control

    def state():
        return control.get_environment(**resources.in_env)["State"]

    assert state() == "ReadyForDeployment"
    resources.publish({"step": 1})
    assert state() == "ReadyForDeployment"

    number = resources.start(resources.version({"step": 2}), resources.strategy(minutes=60))["DeploymentNumber"]
    assert state() == "Deploying"
    resources.stop(number)
    assert state() == "RolledBack"

    number = resources.publish({"step": 3})["DeploymentNumber"]
    assert state() == "ReadyForDeployment"
    resources.stop(number, AllowRevert=True)
    assert state() == "Reverted"


def test_an_environment_with_deployments_can_be_deleted(resources):
    resources.publish({"x": 1})
    resources.control.delete_environment(**resources.in_env)


def _members(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
