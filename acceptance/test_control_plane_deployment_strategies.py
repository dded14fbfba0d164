"""Deployment strategies: your own and the predefined ones."""

import pytest

PREDEFINED = {
    "AppConfig.AllAtOnce": ("Quick", 0, "LINEAR", 100.0, 10),
    "AppConfig.Linear50PercentEvery30Seconds": ("Test/Demo", 1, "LINEAR", 50.0, 1),
    "AppConfig.Canary10Percent20Minutes": ("AWS Recommended", 20, "EXPONENTIAL", 10.0, 10),
    "AppConfig.Linear20PercentEvery6Minutes": ("AWS Recommended", 30, "LINEAR", 20.0, 30),
}


def test_a_strategy_is_made_read_changed_and_deleted(server, fresh_name, refused):
    control, name = server.control, fresh_name()
    made = control.create_deployment_strategy(
        Name=name,
        Description="slowly",
        DeploymentDurationInMinutes=30,
        FinalBakeTimeInMinutes=5,
        GrowthFactor=12.5,
        GrowthType="EXPONENTIAL",
        ReplicateTo="SSM_DOCUMENT",
        Tags={"team": "web"},
    )
    expected = {
        "Id": made["Id"],
        "Name": name,
        "Description": "slowly",
        "DeploymentDurationInMinutes": 30,
        "FinalBakeTimeInMinutes": 5,
        "GrowthFactor": 12.5,
        "GrowthType": "EXPONENTIAL",
        "ReplicateTo": "SSM_DOCUMENT",
    }
    where = {"DeploymentStrategyId": made["Id"]}
    assert _members(made) == expected
    assert _members(control.get_deployment_strategy(**where)) == expected

    changes = {
        "Description": "faster",
        "DeploymentDurationInMinutes": 10,
        "FinalBakeTimeInMinutes": 0,
        "GrowthFactor": 50.0,
        "GrowthType": "LINEAR",
    }
    assert _members(control.update_deployment_strategy(**where, **changes)) == expected | changes
    assert _members(control.get_deployment_strategy(**where)) == expected | changes

    control.delete_deployment_strategy(**where)
    text = f"DeploymentStrategy with Id {made['Id']} could not be found."
    for call in (control.get_deployment_strategy, control.update_deployment_strategy, control.delete_deployment_strategy):
        with refused("ResourceNotFoundException", text, 404):
            call(**where)


def test_what_is_left_out_has_its_default(server, fresh_name):
    made = server.control.create_deployment_strategy(Name=fresh_name(), DeploymentDurationInMinutes=0, GrowthFactor=100)
    expected = {"GrowthType": "LINEAR", "FinalBakeTimeInMinutes": 0, "ReplicateTo": "NONE"}
    assert {name: made[name] for name in expected} == expected
    assert "Description" not in made


def test_deletion_works_at_the_misspelt_path_and_at_the_right_one(server, fresh_name):
    control = server.control
    for path in ("/deployementstrategies/", "/deploymentstrategies/"):
        made = control.create_deployment_strategy(Name=fresh_name(), DeploymentDurationInMinutes=0, GrowthFactor=100)
        assert server.signed.call("DELETE", path + made["Id"]).status == 204


def test_names_need_not_be_unique(server, fresh_name):
    name = fresh_name()
    ids = [
        server.control.create_deployment_strategy(Name=name, DeploymentDurationInMinutes=0, GrowthFactor=100)["Id"]
        for _ in range(2)
    ]
    assert len(set(ids)) == 2


def test_an_empty_description_is_echoed_once_and_then_gone(server, fresh_name):
    control = server.control
    made = control.create_deployment_strategy(
        Name=fresh_name(), Description="", DeploymentDurationInMinutes=0, GrowthFactor=100
    )
    assert made["Description"] == ""
    assert "Description" not in control.get_deployment_strategy(DeploymentStrategyId=made["Id"])


@pytest.mark.parametrize("strategy", PREDEFINED)
def test_a_predefined_strategy_is_there_and_cannot_be_changed_or_deleted(server, refused, strategy):
    control = server.control
    description, minutes, growth, factor, bake = PREDEFINED[strategy]
    expected = {
        "Id": strategy,
        "Name": strategy,
        "Description": description,
        "DeploymentDurationInMinutes": minutes,
        "GrowthType": growth,
        "GrowthFactor": factor,
        "FinalBakeTimeInMinutes": bake,
        "ReplicateTo": "NONE",
    }
    assert _members(control.get_deployment_strategy(DeploymentStrategyId=strategy)) == expected
    with refused("BadRequestException", f"Cannot update predefined Deployment Strategy {strategy}", 400):
        control.update_deployment_strategy(DeploymentStrategyId=strategy, Description="mine")
    with refused("BadRequestException", f"Cannot delete predefined Deployment Strategy {strategy}.", 400):
        control.delete_deployment_strategy(DeploymentStrategyId=strategy)


def test_the_predefined_strategies_are_listed_with_your_own(server, fresh_name):
    own = server.control.create_deployment_strategy(Name=fresh_name(), DeploymentDurationInMinutes=1, GrowthFactor=10)
    pages = server.control.get_paginator("list_deployment_strategies").paginate()
    found = {item["Id"]: item for page in pages for item in page["Items"]}
    assert set(PREDEFINED) < set(found)
    assert found[own["Id"]] == _members(own)


@pytest.mark.parametrize(
    "members",
    [
        {"DeploymentDurationInMinutes": 1441},
        {"DeploymentDurationInMinutes": -1},
        {"FinalBakeTimeInMinutes": 1441},
        {"GrowthFactor": 0.5},
        {"GrowthFactor": 100.5},
    ],
    ids=str,
)
def test_figures_out_of_bounds_are_refused(server, members):
    body = {"Name": "x", "DeploymentDurationInMinutes": 1, "GrowthFactor": 10} | members
    answer = server.signed.call("POST", "/deploymentstrategies", body)
    (member,) = members
    assert (answer.status, answer.code) == (400, "BadRequestException")
    assert f"'{member[0].lower()}{member[1:]}'" in answer.message


def test_a_used_strategy_may_be_changed_and_deleted_without_touching_its_deployments(resources):
    strategy = resources.strategy(minutes=60, factor=10)
    number = resources.start(resources.version("x"), strategy)["DeploymentNumber"]
    resources.control.update_deployment_strategy(DeploymentStrategyId=strategy, DeploymentDurationInMinutes=1)
    resources.control.delete_deployment_strategy(DeploymentStrategyId=strategy)
    found = resources.deployment(number)
    assert (found["DeploymentDurationInMinutes"], found["GrowthFactor"]) == (60, 10.0)
    assert found["DeploymentStrategyId"] == strategy


def _members(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
