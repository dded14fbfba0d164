"""Deployments: started, watched, stopped and reverted."""

import datetime
import re

import pytest

from resources import FLAGS, Resources

DOCUMENT = {"version": "1", "flags": {"f": {"name": "f"}}, "values": {"f": {"enabled": True}}}


def test_an_instant_deployment_is_complete_when_it_starts(resources):
    version = resources.version({"a": 1}, VersionLabel="first")
    strategy = resources.strategy()
    made = resources.start(version, strategy, Description="go", Tags={"ticket": "7"})
    started, completed = made.pop("StartedAt"), made.pop("CompletedAt")
    assert datetime.timedelta() <= completed - started < datetime.timedelta(seconds=5)
    log = made.pop("EventLog")
    made.pop("ResponseMetadata")
    assert made == {
        "ApplicationId": resources.app,
        "EnvironmentId": resources.env,
        "DeploymentStrategyId": strategy,
        "ConfigurationProfileId": resources.profile,
        "DeploymentNumber": 1,
        "ConfigurationName": resources.profile_name,
        "ConfigurationLocationUri": "hosted",
        "ConfigurationVersion": "1",
        "VersionLabel": "first",
        "Description": "go",
        "DeploymentDurationInMinutes": 0,
        "GrowthType": "LINEAR",
        "GrowthFactor": 100.0,
        "FinalBakeTimeInMinutes": 0,
        "State": "COMPLETE",
        "PercentageComplete": 100.0,
        "AppliedExtensions": [],
    }
    assert _words(log) == [
        ("DEPLOYMENT_COMPLETED", "APPCONFIG", "Deployment completed instantly"),
        ("DEPLOYMENT_STARTED", "USER", "Deployment started"),
    ]
    found = resources.deployment(1)
    assert (found["State"], found["StartedAt"], found["CompletedAt"]) == ("COMPLETE", started, completed)


def test_a_gradual_deployment_starts_with_nobody(resources):
    made = resources.start(resources.version("x"), "AppConfig.AllAtOnce")
    assert (made["State"], made["PercentageComplete"]) == ("DEPLOYING", 0.0)
    assert "CompletedAt" not in made and "VersionLabel" not in made and "Description" not in made
    assert _words(made["EventLog"]) == [("DEPLOYMENT_STARTED", "USER", "Deployment started")]


def test_a_linear_deployment_grows_bakes_and_completes(resources):
    strategy = resources.strategy_in_seconds(duration=2, bake=1, factor=50)
    number = resources.start(resources.version("x"), strategy)["DeploymentNumber"]
    done = resources.comes_to("COMPLETE", number)
    assert _words(done["EventLog"]) == [
        ("DEPLOYMENT_COMPLETED", "APPCONFIG", "Deployment completed"),
        ("BAKE_TIME_STARTED", "APPCONFIG", "Deployment bake time started"),
        ("PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 100.00% of clients"),
        ("PERCENTAGE_UPDATED", "APPCONFIG", "Configuration available to 50.00% of clients"),
        ("DEPLOYMENT_STARTED", "USER", "Deployment started"),
    ]
    assert done["PercentageComplete"] == 100.0
    times = [event["OccurredAt"] for event in done["EventLog"]]
    assert times == sorted(times, reverse=True)


def test_an_exponential_deployment_doubles(resources):
    strategy = resources.strategy_in_seconds(duration=2, factor=25, growth="EXPONENTIAL")
    number = resources.start(resources.version("x"), strategy)["DeploymentNumber"]
    done = resources.comes_to("COMPLETE", number)
    shares = [re.search(r"to (\S+)%", event["Description"]) for event in done["EventLog"]]
    assert [share[1] for share in shares if share] == ["100.00", "50.00", "25.00"]


def test_a_deployment_without_duration_bakes_as_long_as_it_was_told(resources):
    strategy = resources.strategy_in_seconds(duration=0, bake=3600)
    number = resources.start(resources.version("x"), strategy)["DeploymentNumber"]
    baking = resources.comes_to("BAKING", number)
    assert baking["PercentageComplete"] == 100.0
    assert [event["EventType"] for event in baking["EventLog"]] == [
        "BAKE_TIME_STARTED",
        "PERCENTAGE_UPDATED",
        "DEPLOYMENT_STARTED",
    ]
    assert resources.stop(number)["State"] == "ROLLED_BACK", "a bake is still in progress"


def test_the_waiters_see_the_end(resources):
    strategy = resources.strategy_in_seconds(duration=1)
    number = resources.start(resources.version("x"), strategy)["DeploymentNumber"]
    often = {"Delay": 0.1, "MaxAttempts": 200}
    wait = resources.control.get_waiter("deployment_complete").wait
    wait(**resources.in_env, DeploymentNumber=number, WaiterConfig=often)
    wait = resources.control.get_waiter("environment_ready_for_deployment").wait
    wait(**resources.in_env, WaiterConfig=often)


def test_the_waiters_give_up_on_what_was_taken_back(resources):
    from botocore.exceptions import WaiterError

    number = resources.start(resources.version("x"), "AppConfig.AllAtOnce")["DeploymentNumber"]
    resources.stop(number)
    often = {"Delay": 0.1, "MaxAttempts": 200}
    for waiter, where in (("deployment_complete", {"DeploymentNumber": number}), ("environment_ready_for_deployment", {})):
        with pytest.raises(WaiterError, match="terminal failure state"):
            resources.control.get_waiter(waiter).wait(**resources.in_env, **where, WaiterConfig=often)


def test_a_stopped_deployment_is_rolled_back_at_once(resources):
    number = resources.start(resources.version("x"), resources.strategy(minutes=60))["DeploymentNumber"]
    stopped = resources.stop(number)
    assert stopped["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (stopped["State"], stopped["PercentageComplete"]) == ("ROLLED_BACK", 0.0)
    assert "CompletedAt" not in stopped and "AppliedExtensions" not in stopped
    assert _words(stopped["EventLog"])[0] == ("ROLLBACK_COMPLETED", "USER", "Deployment rolled back by user request")
    assert [event["EventType"] for event in stopped["EventLog"]] == ["ROLLBACK_COMPLETED", "DEPLOYMENT_STARTED"]


def test_a_complete_deployment_is_reverted_only_on_demand(resources, refused):
    number = resources.publish("x")["DeploymentNumber"]
    text = (
        f"Deployment {number} for App {resources.app} and Environment {resources.env} "
        "cannot be stopped, it has a status of {}."
    )
    with refused("BadRequestException", text.format("COMPLETE"), 400):
        resources.stop(number)
    reverted = resources.stop(number, AllowRevert=True)
    assert (reverted["State"], reverted["PercentageComplete"]) == ("REVERTED", 0.0)
    assert "CompletedAt" in reverted
    assert _words(reverted["EventLog"]) == [
        ("REVERT_COMPLETED", "USER", "Deployment reverted by user request"),
        ("DEPLOYMENT_COMPLETED", "APPCONFIG", "Deployment completed instantly"),
        ("DEPLOYMENT_STARTED", "USER", "Deployment started"),
    ]
    for members in ({}, {"AllowRevert": True}):
        with refused("BadRequestException", text.format("REVERTED"), 400):
            resources.stop(number, **members)


def test_a_rolled_back_deployment_cannot_be_stopped_again(resources, refused):
    number = resources.start(resources.version("x"), "AppConfig.AllAtOnce")["DeploymentNumber"]
    resources.stop(number, AllowRevert=True)
    for members in ({}, {"AllowRevert": True}):
        with refused("BadRequestException", re.compile("it has a status of ROLLED_BACK"), 400):
            resources.stop(number, **members)


def test_only_the_newest_deployment_of_a_profile_is_reverted(resources, refused):
    first, second = resources.publish("x")["DeploymentNumber"], resources.publish("y")["DeploymentNumber"]
    with refused("BadRequestException", status=400):
        resources.stop(first, AllowRevert=True)
    assert resources.stop(second, AllowRevert=True)["State"] == "REVERTED"


def test_a_new_deployment_may_follow_a_rollback_or_a_revert_also_of_the_same_version(resources):
    version = resources.version("x")
    first = resources.start(version, "AppConfig.AllAtOnce")["DeploymentNumber"]
    resources.stop(first)
    second = resources.start(version)["DeploymentNumber"]
    resources.stop(second, AllowRevert=True)
    assert resources.start(version)["State"] == "COMPLETE"


def test_one_deployment_at_a_time_and_the_refusal_names_the_one_in_the_way(resources, refused):
    number = resources.start(resources.version("x"), resources.strategy(minutes=60))["DeploymentNumber"]
    other = resources.new_profile()
    text = f"Environment {resources.env} already has a deployment in progress: {number}"
    with refused("ConflictException", text, 409):
        resources.start(resources.version("y", profile=other), profile=other)
    elsewhere = resources.new_environment()
    assert resources.start(1, env=elsewhere)["State"] == "COMPLETE", "other environments are not concerned"
    resources.stop(number)
    assert resources.start(1, profile=other)["DeploymentNumber"] == number + 1


def test_numbers_are_the_environments_own_across_profiles(resources):
    other = resources.new_profile()
    assert resources.publish("x")["DeploymentNumber"] == 1
    assert resources.publish("y", profile=other)["DeploymentNumber"] == 2
    assert resources.publish("x", env=resources.new_environment())["DeploymentNumber"] == 1


def test_a_label_or_a_name_will_do(resources):
    resources.version("x", VersionLabel="release-7")
    made = resources.control.start_deployment(
        ApplicationId=resources.app_name,
        EnvironmentId=resources.env_name,
        ConfigurationProfileId=resources.profile_name,
        ConfigurationVersion="release-7",
        DeploymentStrategyId=resources.strategy(),
    )
    assert (made["ConfigurationVersion"], made["VersionLabel"]) == ("1", "release-7")
    assert made["ConfigurationProfileId"] == resources.profile


def test_what_does_not_exist_is_not_deployed(resources, refused):
    name = resources.profile_name
    with refused("ResourceNotFoundException", f"Could not find configuration {name} with version number 9", 404):
        resources.start(9)
    with refused("ResourceNotFoundException", f"Could not find configuration {name} with version label nope", 404):
        resources.start("nope")
    version = resources.version("x")
    with refused("ResourceNotFoundException", "DeploymentStrategy with Id zzzz999 could not be found.", 404):
        resources.start(version, "zzzz999")
    for where in ({"env": "zzzz999"}, {"profile": "zzzz999"}):
        with refused("ResourceNotFoundException", status=404):
            resources.start(version, resources.strategy(), **where)
    with refused("ResourceNotFoundException", status=404):
        resources.deployment(99)
    with refused("ResourceNotFoundException", status=404):
        resources.stop(99)


def test_a_stale_deployment_number_is_accepted_unless_the_server_is_strict(resources, serve, refused, fresh_name):
    version = resources.version("x")
    for number in (1, 2):
        assert resources.start(version, LatestDeploymentNumber=0)["DeploymentNumber"] == number

    strict = Resources(serve("--strict-latest-deployment-number"), fresh_name)
    version = strict.version("x")
    strict.start(version, LatestDeploymentNumber=0)
    with refused("ConflictException", status=409):
        strict.start(version, LatestDeploymentNumber=0)
    assert strict.start(version, LatestDeploymentNumber=1)["DeploymentNumber"] == 2


def test_a_flag_profile_lists_the_helper_that_checked_it(server, fresh_name):
    flags = Resources(server, fresh_name, FLAGS)
    flags.version(DOCUMENT)
    path = f"/applications/{flags.app}/environments/{flags.env}/deployments"
    body = {"ConfigurationProfileId": flags.profile, "ConfigurationVersion": "1", "DeploymentStrategyId": flags.strategy()}
    made = server.signed.call("POST", path, body).json()
    (applied,) = made["AppliedExtensions"]
    association = applied.pop("ExtensionAssociationId")
    assert re.fullmatch("[a-z0-9]{7}", association)
    assert applied == {
        "ProvidedIdentifier": "AWS.AppConfig.FeatureFlags",
        "ExtensionId": "AWS.AppConfig.FeatureFlags",
        "VersionNumber": 1,
        "Parameters": {},
    }
    assert made["Type"] == "USER"
    stopped = flags.stop(1, AllowRevert=True)
    assert stopped["AppliedExtensions"][0]["ExtensionAssociationId"] == association, "the same in every deployment"


def test_deployments_are_listed_with_the_highest_number_first(resources):
    resources.publish("x", VersionLabel="first")
    resources.publish("y")
    resources.stop(2, AllowRevert=True)
    number = resources.start(1, resources.strategy(minutes=60, bake=3, factor=25, GrowthType="EXPONENTIAL"))
    third, second, first = resources.control.list_deployments(**resources.in_env)["Items"]
    assert [one["DeploymentNumber"] for one in (third, second, first)] == [3, 2, 1]
    assert (second["State"], second["PercentageComplete"]) == ("REVERTED", 0.0)
    assert third.pop("StartedAt") == number["StartedAt"]
    assert third == {
        "DeploymentNumber": 3,
        "ConfigurationProfileId": resources.profile,
        "ConfigurationName": resources.profile_name,
        "ConfigurationVersion": "1",
        "VersionLabel": "first",
        "DeploymentDurationInMinutes": 60,
        "GrowthType": "EXPONENTIAL",
        "GrowthFactor": 25.0,
        "FinalBakeTimeInMinutes": 3,
        "State": "DEPLOYING",
        "PercentageComplete": 0.0,
        "Type": "USER",
    }
    assert "CompletedAt" in first


def test_growth_may_begin_at_once(serve, fresh_name):
    early = Resources(serve("--growth-begins", "at-once"), fresh_name)
    strategy = early.strategy_in_seconds(duration=3600, factor=50)
    number = early.start(early.version("x"), strategy)["DeploymentNumber"]
    from running import eventually

    eventually(lambda: early.deployment(number)["PercentageComplete"] == 50.0)


def _words(log):
    return [(event["EventType"], event["TriggeredBy"], event["Description"]) for event in log]
