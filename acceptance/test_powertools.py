"""Powertools for AWS Lambda, as its documentation uses it, with a client of ours in place of Amazon's.

Its AppConfig stores speak the data plane only. Whoever has an agent beside the function writes a store that asks it: the
interface is documented for that.
"""

import json

import boto3
import pytest
from aws_lambda_powertools.utilities.feature_flags import AppConfigStore, FeatureFlags, StoreProvider
from aws_lambda_powertools.utilities.feature_flags.exceptions import ConfigurationStoreError
from aws_lambda_powertools.utilities.parameters import AppConfigProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from agents import path_of
from resources import FLAGS, Resources
from running import eventually

SCHEMA = {
    "premium_features": {
        "default": False,
        "rules": {
            "customer tier equals premium": {
                "when_match": True,
                "conditions": [{"action": "EQUALS", "key": "tier", "value": "premium"}],
            }
        },
    },
    "ten_percent_off_campaign": {"default": False},
}


@pytest.fixture
def client(server):
    return boto3.client(
        "appconfigdata",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="yardarm",
        aws_secret_access_key="yardarm-dev-secret",
    )


def provider(resources, client):
    return AppConfigProvider(environment=resources.env_name, application=resources.app_name, boto3_client=client)


def test_a_parameter_is_read_kept_and_read_anew(resources, client):
    resources.publish("first value")
    parameters = provider(resources, client)
    assert parameters.get(resources.profile_name) == b"first value"
    assert parameters.get(resources.profile_name, force_fetch=True) == b"first value", "an empty answer keeps the value"
    resources.publish("second value")
    assert parameters.get(resources.profile_name) == b"first value", "still fresh enough"
    assert parameters.get(resources.profile_name, force_fetch=True) == b"second value"


def test_a_parameter_can_be_transformed(resources, client):
    resources.publish({"url": "https://example.org", "limit": 3})
    assert provider(resources, client).get(resources.profile_name, transform="json") == {
        "url": "https://example.org",
        "limit": 3,
    }


def test_a_parameter_that_is_not_deployed_raises_its_own_error(resources, client):
    with pytest.raises(GetParameterError, match="ResourceNotFoundException"):
        provider(resources, client).get(resources.profile_name)


def features(resources, client, max_age=5, **members):
    store = AppConfigStore(
        environment=resources.env_name,
        application=resources.app_name,
        name=resources.profile_name,
        max_age=max_age,
        boto3_client=client,
        **members,
    )
    return FeatureFlags(store=store)


def test_flags_are_evaluated_from_a_free_form_profile(resources, client):
    resources.publish(SCHEMA)
    flags = features(resources, client)
    assert flags.evaluate(name="premium_features", context={"tier": "premium"}, default=False) is True
    assert flags.evaluate(name="premium_features", context={"tier": "standard"}, default=False) is False
    assert flags.evaluate(name="ten_percent_off_campaign", default=False) is False
    assert flags.evaluate(name="no such flag", default="the default") == "the default"
    assert flags.get_enabled_features(context={"tier": "premium"}) == ["premium_features"]


def test_a_flag_is_flipped_by_a_deployment(resources, client):
    resources.publish(SCHEMA)
    flags = features(resources, client, max_age=0)
    assert flags.evaluate(name="ten_percent_off_campaign", default=False) is False
    resources.publish(SCHEMA | {"ten_percent_off_campaign": {"default": True}})
    assert flags.evaluate(name="ten_percent_off_campaign", default=False) is True


def test_flags_may_live_in_an_envelope(resources, client):
    resources.publish({"features": SCHEMA, "other": 1})
    flags = features(resources, client, envelope="features")
    assert flags.evaluate(name="premium_features", context={"tier": "premium"}, default=False) is True


def test_a_flag_profile_is_read_as_json(server, fresh_name, client):
    there = Resources(server, fresh_name, FLAGS)
    there.publish({"version": "1", "flags": {"f": {}}, "values": {"f": {"enabled": True}}})
    assert json.loads(provider(there, client).get(there.profile_name)) == {"f": {"enabled": True}}


class AgentStore(StoreProvider):
    """A store that asks an agent for a free-form profile."""

    def __init__(self, agent, resources):
        self.agent, self.path = agent, path_of(resources.app_name, resources.env_name, resources.profile_name)

    @property
    def get_raw_configuration(self):
        answer = self.agent.ask(self.path)
        if answer.status != 200:
            raise ConfigurationStoreError(answer)
        return answer.json()

    def get_configuration(self):
        return self.get_raw_configuration


def test_flags_are_evaluated_from_an_agent(server, agent, resources):
    resources.publish(SCHEMA)
    flags = FeatureFlags(store=AgentStore(agent(url=server.url), resources))
    assert flags.evaluate(name="premium_features", context={"tier": "premium"}, default=False) is True
    assert flags.evaluate(name="premium_features", context={"tier": "standard"}, default=False) is False
    assert flags.get_enabled_features(context={"tier": "premium"}) == ["premium_features"]
    resources.publish(SCHEMA | {"ten_percent_off_campaign": {"default": True}})
    eventually(lambda: flags.evaluate(name="ten_percent_off_campaign", default=False) is True)


def test_what_an_agent_does_not_have_is_the_default(server, agent, resources):
    flags = FeatureFlags(store=AgentStore(agent(url=server.url), resources))
    assert flags.evaluate(name="premium_features", default="the default") == "the default"
