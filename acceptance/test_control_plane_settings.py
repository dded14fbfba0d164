"""Account settings, and the protection of what is in use."""

import pytest

from resources import Resources


@pytest.fixture
def alone(serve, fresh_name):
    """A server of one's own: settings are the account's."""
    return Resources(serve(), fresh_name)


def test_settings_are_read_and_changed_member_by_member(alone):
    control = alone.control
    protection = control.get_account_settings()["DeletionProtection"]
    assert protection["Enabled"] is False

    changed = control.update_account_settings(DeletionProtection={"Enabled": True, "ProtectionPeriodInMinutes": 15})
    assert changed["DeletionProtection"] == {"Enabled": True, "ProtectionPeriodInMinutes": 15}
    changed = control.update_account_settings(VendedMetrics={"Enabled": False})
    assert changed["DeletionProtection"] == {"Enabled": True, "ProtectionPeriodInMinutes": 15}
    assert changed["VendedMetrics"] == {"Enabled": False}
    control.update_account_settings(DeletionProtection={"Enabled": False})
    found = control.get_account_settings()
    assert found["DeletionProtection"] == {"Enabled": False, "ProtectionPeriodInMinutes": 15}
    assert found["VendedMetrics"] == {"Enabled": False}


@pytest.mark.parametrize("minutes", [14, 1441])
def test_a_protection_period_has_bounds(server, minutes):
    body = {"DeletionProtection": {"Enabled": True, "ProtectionPeriodInMinutes": minutes}}
    answer = server.signed.call("PATCH", "/settings", body)
    assert (answer.status, answer.code) == (400, "BadRequestException")
    assert "protectionPeriodInMinutes'" in answer.message


def test_what_was_read_lately_is_not_deleted_when_the_caller_asks_for_the_check(resources, refused):
    control = resources.control
    resources.publish("x")
    resources.read()
    with refused("ConflictException", status=409):
        control.delete_environment(**resources.in_env, DeletionProtectionCheck="APPLY")
    control.get_environment(**resources.in_env)
    control.delete_hosted_configuration_version(**resources.in_profile, VersionNumber=1)
    with refused("ConflictException", status=409):
        control.delete_configuration_profile(**resources.in_profile, DeletionProtectionCheck="APPLY")
    control.delete_configuration_profile(**resources.in_profile, DeletionProtectionCheck="BYPASS")
    control.delete_environment(**resources.in_env, DeletionProtectionCheck="BYPASS")


def test_the_deprecated_read_counts_as_a_read(resources, refused):
    resources.publish("x")
    resources.control.get_configuration(
        Application=resources.app, Environment=resources.env, Configuration=resources.profile, ClientId="me"
    )
    with refused("ConflictException", status=409):
        resources.control.delete_environment(**resources.in_env, DeletionProtectionCheck="APPLY")


def test_what_nobody_read_is_deleted_in_spite_of_the_check(resources):
    resources.publish("x")
    resources.control.delete_environment(**resources.in_env, DeletionProtectionCheck="APPLY")


def test_the_account_setting_spares_what_is_younger_than_an_hour(alone):
    alone.control.update_account_settings(DeletionProtection={"Enabled": True})
    alone.publish("x")
    alone.read()
    alone.control.delete_environment(**alone.in_env, DeletionProtectionCheck="ACCOUNT_DEFAULT")

