"""Tags, which are addressed by ARN."""

from urllib.parse import quote

import pytest


@pytest.fixture
def arns(resources):
    """One of every kind of resource that has tags."""
    resources.publish("x")
    strategy = resources.strategy()
    prefix = f"arn:aws:appconfig:us-east-1:{resources.server.account}"
    return {
        "application": resources.arn(),
        "environment": resources.arn("environment", resources.env),
        "profile": resources.arn("configurationprofile", resources.profile),
        "version": resources.arn("configurationprofile", resources.profile, "hostedconfigurationversion", "1"),
        "deployment": resources.arn("environment", resources.env, "deployment", "1"),
        "strategy": f"{prefix}:deploymentstrategy/{strategy}",
    }


@pytest.mark.parametrize("kind", ["application", "environment", "profile", "version", "deployment", "strategy"])
def test_tags_are_merged_replaced_and_removed(resources, arns, kind):
    control, arn = resources.control, arns[kind]

    def tags():
        return control.list_tags_for_resource(ResourceArn=arn)["Tags"]

    assert tags() == {}
    control.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2", "with space/and:colon": ""})
    control.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": "4"})
    assert tags() == {"a": "1", "b": "3", "c": "4", "with space/and:colon": ""}
    control.untag_resource(ResourceArn=arn, TagKeys=["a", "with space/and:colon", "never there"])
    assert tags() == {"b": "3", "c": "4"}


def test_tags_given_at_the_creation_are_there(resources):
    control, tags = resources.control, {"owner": "me"}
    app = control.create_application(Name=resources.fresh_name(), Tags=tags)["Id"]
    env = resources.new_environment(Tags=tags)
    profile = resources.new_profile(Tags=tags)
    strategy = resources.strategy(Tags=tags)
    number = resources.start(resources.version("x"), strategy, Tags=tags)["DeploymentNumber"]
    prefix = f"arn:aws:appconfig:us-east-1:{resources.server.account}"
    for arn in (
        f"{prefix}:application/{app}",
        f"{prefix}:deploymentstrategy/{strategy}",
        resources.arn("environment", env),
        resources.arn("configurationprofile", profile),
        resources.arn("environment", resources.env, "deployment", str(number)),
    ):
        assert control.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags


@pytest.mark.parametrize("safe", ["", ":"], ids=["all encoded", "colons as they are"])
def test_an_arn_is_understood_however_it_is_encoded(resources, safe):
    control, arn = resources.control, resources.arn("environment", resources.env)
    control.tag_resource(ResourceArn=arn, Tags={"k": "v"})
    answer = resources.server.signed.call("GET", f"/tags/{quote(arn, safe=safe)}")
    assert (answer.status, answer.json()) == (200, {"Tags": {"k": "v"}})


def test_an_unknown_resource_is_not_found(resources, refused):
    control = resources.control
    for arn in (
        resources.arn("environment", "zzzz999"),
        f"arn:aws:appconfig:us-east-1:{resources.server.account}:application/zzzz999",
        resources.arn("environment", resources.env, "deployment", "99"),
    ):
        with refused("ResourceNotFoundException", status=404):
            control.list_tags_for_resource(ResourceArn=arn)
        with refused("ResourceNotFoundException", status=404):
            control.tag_resource(ResourceArn=arn, Tags={"a": "b"})
        with refused("ResourceNotFoundException", status=404):
            control.untag_resource(ResourceArn=arn, TagKeys=["a"])


def test_what_is_no_arn_is_refused(server):
    answer = server.signed.call("GET", "/tags/not-an-arn-at-all-really")
    assert answer.code in ("BadRequestException", "ResourceNotFoundException")


def test_a_resource_of_another_account_is_not_ours(resources, refused):
    arn = resources.arn().replace(resources.server.account, "123456789012")
    with refused("ResourceNotFoundException", status=404):
        resources.control.list_tags_for_resource(ResourceArn=arn)


def test_there_are_at_most_fifty_tags_counted_after_the_merge(resources, refused):
    control, arn = resources.control, resources.arn()
    control.tag_resource(ResourceArn=arn, Tags={f"k{number}": "v" for number in range(50)})
    control.tag_resource(ResourceArn=arn, Tags={"k0": "replaced"})
    with refused("BadRequestException", status=400):
        control.tag_resource(ResourceArn=arn, Tags={"one more": "v"})


def test_keys_that_belong_to_aws_are_refused(resources, refused):
    with refused("BadRequestException", status=400):
        resources.control.tag_resource(ResourceArn=resources.arn(), Tags={"aws:mine": "v"})


def test_tags_go_with_their_resource(resources, refused):
    arn = resources.arn("environment", resources.env)
    resources.control.tag_resource(ResourceArn=arn, Tags={"a": "b"})
    resources.control.delete_environment(**resources.in_env)
    with refused("ResourceNotFoundException", status=404):
        resources.control.list_tags_for_resource(ResourceArn=arn)
