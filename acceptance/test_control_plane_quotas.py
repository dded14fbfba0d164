"""Quotas, on a server that is given small ones."""

import pytest

from resources import Resources


@pytest.fixture
def small(serve, fresh_name):
    server = serve(
        "--quota-applications=2",
        "--quota-environments=2",
        "--quota-configuration-profiles=2",
        "--quota-deployment-strategies=2",
        "--quota-hosted-version-kb=1024",
        "--quota-hosted-store-mb=1",
        "--quota-access-keys=2",
    )
    return Resources(server, fresh_name)


def test_one_too_many_costs_402(small, refused):
    control = small.control
    control.create_application(Name="two")
    with refused("ServiceQuotaExceededException", status=402):
        control.create_application(Name="three")
    small.new_environment()
    with refused("ServiceQuotaExceededException", status=402):
        small.new_environment()
    small.new_profile()
    with refused("ServiceQuotaExceededException", status=402):
        small.new_profile()
    small.strategy(), small.strategy()
    with refused("ServiceQuotaExceededException", status=402):
        small.strategy()


def test_what_is_deleted_makes_room(small):
    other = small.new_environment()
    small.control.delete_environment(ApplicationId=small.app, EnvironmentId=other)
    small.new_environment()


def test_a_name_that_is_taken_is_told_before_the_quota(small, refused):
    small.control.create_application(Name="two")
    with refused("BadRequestException", status=400):
        small.control.create_application(Name="two")


def test_the_hosted_store_has_a_size(small, refused):
    small.version(b"x" * 700_000, "text/plain")
    with refused("ServiceQuotaExceededException", status=402):
        small.version(b"y" * 700_000, "text/plain")
    small.control.delete_hosted_configuration_version(**small.in_profile, VersionNumber=1)
    small.version(b"y" * 700_000, "text/plain")


def test_a_version_has_a_size(small, refused):
    with refused("PayloadTooLargeException", "Content size limit exceeded.", 413) as refusal:
        small.version(b"x" * (1024 * 1024 + 1), "text/plain")
    assert (refusal.response["Limit"], refusal.response["Size"]) == (1024.0, 1025.0)


def test_one_access_key_too_many_is_a_conflict_of_the_native_api(small):
    def create(name):
        return small.server.signed.call("POST", "/yardarm/v1/access-keys", {"name": name}).status

    assert [create("one"), create("two"), create("three")] == [201, 201, 409]
