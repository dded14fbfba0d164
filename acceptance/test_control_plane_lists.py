"""Every list: pages, tokens and their bounds, with botocore's own paginators."""

import pytest

from resources import Resources

COUNT = 7


@pytest.fixture(scope="module")
def filled(server):
    """More than two pages of everything."""
    numbers = iter(range(1000))
    there = Resources(server, lambda what="name": f"lists-{what}-{next(numbers)}")
    strategy = there.strategy()
    for number in range(COUNT):
        there.new_environment()
        there.new_profile()
        there.version(f"content {number}")
        there.start(number + 1, strategy)
        there.strategy()
        server.control.create_application(Name=there.fresh_name("more"))
        actions = {"ON_DEPLOYMENT_START": [{"Name": "act", "Uri": "https://hooks.example/"}]}
        extension = server.control.create_extension(Name=there.fresh_name("extension"), Actions=actions)
        # With an application in which nothing is deployed: nobody is told anything.
        idle = server.control.create_application(Name=there.fresh_name("idle"))["Id"]
        server.control.create_extension_association(
            ExtensionIdentifier=extension["Id"],
            ResourceIdentifier=f"arn:aws:appconfig:us-east-1:{server.account}:application/{idle}",
        )
    return there


LISTS = {
    "list_applications": lambda there: {},
    "list_environments": lambda there: there.in_app,
    "list_configuration_profiles": lambda there: there.in_app,
    "list_hosted_configuration_versions": lambda there: there.in_profile,
    "list_deployments": lambda there: there.in_env,
    "list_deployment_strategies": lambda there: {},
    "list_extensions": lambda there: {},
    "list_extension_associations": lambda there: {},
}


def _key(item):
    return item.get("Id") or item.get("VersionNumber") or item.get("DeploymentNumber")


@pytest.mark.parametrize("operation", LISTS)
def test_a_paginator_finds_everything_once_and_in_order(filled, operation):
    paginator = filled.control.get_paginator(operation)
    where = LISTS[operation](filled)
    pages = list(paginator.paginate(**where, PaginationConfig={"PageSize": 3}))
    assert len(pages) >= 3
    assert all(len(page["Items"]) == 3 and page["NextToken"] for page in pages[:-1])
    assert 1 <= len(pages[-1]["Items"]) <= 3 and "NextToken" not in pages[-1]
    found = [_key(item) for page in pages for item in page["Items"]]
    assert len(found) == len(set(found)) >= COUNT
    whole = [_key(item) for page in paginator.paginate(**where) for item in page["Items"]]
    assert found == whole, "the size of the pages does not change the order"


@pytest.mark.parametrize("operation", LISTS)
def test_a_page_has_1_to_50_entries(filled, operation, refused):
    where = LISTS[operation](filled)
    call = getattr(filled.server.client("appconfig", parameter_validation=False), operation)
    assert len(call(**where, MaxResults=1)["Items"]) == 1
    call(**where, MaxResults=50)
    for bad in (0, 51, -1):
        with refused("BadRequestException", status=400) as refusal:
            call(**where, MaxResults=bad)
        assert "'maxResults'" in refusal.response["Error"]["Message"]


@pytest.mark.parametrize("operation", LISTS)
def test_a_token_that_nobody_gave_out_is_refused(filled, operation, refused):
    for token in ("nonsense", "AAAA", "ü/+=%20"):
        with refused("BadRequestException", f"Invalid nextToken parameter {token}.", 400):
            getattr(filled.control, operation)(**LISTS[operation](filled), NextToken=token)


def test_a_token_of_another_list_is_refused(filled, refused):
    token = filled.control.list_environments(**filled.in_app, MaxResults=1)["NextToken"]
    with refused("BadRequestException", status=400):
        filled.control.list_configuration_profiles(**filled.in_app, MaxResults=1, NextToken=token)


def test_what_is_made_and_deleted_between_two_pages_shifts_nothing(resources):
    control = resources.control
    for _ in range(5):
        resources.new_environment()
    everything = [item["Id"] for item in control.list_environments(**resources.in_app)["Items"]]
    first = control.list_environments(**resources.in_app, MaxResults=3)
    control.delete_environment(ApplicationId=resources.app, EnvironmentId=everything[0])
    resources.new_environment()
    second = control.list_environments(**resources.in_app, NextToken=first["NextToken"])
    seen = [item["Id"] for item in first["Items"] + second["Items"]]
    assert seen[: len(everything)] == everything


def test_an_empty_list_is_an_empty_list(resources):
    answer = resources.control.list_deployments(**resources.in_env)
    assert answer["Items"] == [] and "NextToken" not in answer
