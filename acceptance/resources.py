"""What most tests need before they can ask their question: an application, an environment, a profile, deployments."""

import json

from running import eventually

FLAGS = "AWS.AppConfig.FeatureFlags"


class Resources:
    """Made when first used, with names that nobody else has."""

    def __init__(self, server, fresh_name, profile_type=None):
        self.server, self.fresh_name = server, fresh_name
        control = server.control
        self.app_name, self.env_name, self.profile_name = fresh_name("app"), fresh_name("env"), fresh_name("profile")
        self.app = control.create_application(Name=self.app_name)["Id"]
        self.env = control.create_environment(ApplicationId=self.app, Name=self.env_name)["Id"]
        self.profile = self.new_profile(self.profile_name, **({"Type": profile_type} if profile_type else {}))

    @property
    def control(self):
        return self.server.control

    @property
    def data(self):
        return self.server.data_plane

    @property
    def in_app(self):
        return {"ApplicationId": self.app}

    @property
    def in_env(self):
        return {"ApplicationId": self.app, "EnvironmentId": self.env}

    @property
    def in_profile(self):
        return {"ApplicationId": self.app, "ConfigurationProfileId": self.profile}

    def arn(self, *parts):
        """`arn("environment", env)`: of something in the application."""
        return ":".join(["arn:aws:appconfig:us-east-1", self.server.account, "/".join(["application", self.app, *parts])])

    def new_environment(self, **members):
        members.setdefault("Name", self.fresh_name("env"))
        return self.control.create_environment(**self.in_app, **members)["Id"]

    def new_profile(self, name=None, **members):
        members.setdefault("LocationUri", "hosted")
        made = self.control.create_configuration_profile(**self.in_app, Name=name or self.fresh_name("profile"), **members)
        return made["Id"]

    def version(self, content, content_type=None, profile=None, **members):
        """Stores a version and answers its number. What is no text becomes JSON."""
        if not isinstance(content, (str, bytes)):
            content, content_type = json.dumps(content), content_type or "application/json"
        made = self.control.create_hosted_configuration_version(
            ApplicationId=self.app,
            ConfigurationProfileId=profile or self.profile,
            Content=content,
            ContentType=content_type or "text/plain",
            **members,
        )
        return made["VersionNumber"]

    def strategy(self, minutes=0, bake=0, factor=100, **members):
        """A strategy in minutes; by default one that is complete at once."""
        members.setdefault("Name", self.fresh_name("strategy"))
        made = self.control.create_deployment_strategy(
            DeploymentDurationInMinutes=minutes, FinalBakeTimeInMinutes=bake, GrowthFactor=factor, **members
        )
        return made["Id"]

    def strategy_in_seconds(self, duration=0, bake=0, factor=100, growth="LINEAR"):
        """A strategy of the native API."""
        body = {
            "name": self.fresh_name("strategy"),
            "durationSeconds": duration,
            "bakeSeconds": bake,
            "growthFactor": factor,
            "growthType": growth,
        }
        answer = self.server.signed.call("POST", "/yardarm/v1/deployment-strategies", body)
        assert answer.status == 201, answer
        return answer.json()["id"]

    def start(self, version, strategy=None, env=None, profile=None, **members):
        """Starts a deployment and answers it as it then is."""
        return self.control.start_deployment(
            ApplicationId=self.app,
            EnvironmentId=env or self.env,
            ConfigurationProfileId=profile or self.profile,
            ConfigurationVersion=str(version),
            DeploymentStrategyId=strategy or self.strategy(),
            **members,
        )

    def publish(self, content, content_type=None, env=None, profile=None, **members):
        """Stores content and deploys it to everyone at once."""
        version = self.version(content, content_type, profile, **members)
        deployment = self.start(version, env=env, profile=profile)
        assert deployment["State"] == "COMPLETE", deployment
        return deployment

    def deployment(self, number, env=None):
        return self.control.get_deployment(ApplicationId=self.app, EnvironmentId=env or self.env, DeploymentNumber=number)

    def stop(self, number, env=None, **members):
        return self.control.stop_deployment(
            ApplicationId=self.app, EnvironmentId=env or self.env, DeploymentNumber=number, **members
        )

    def comes_to(self, state, number, within=20):
        """Waits until a deployment is in a state."""
        return eventually(lambda: self._in(state, number), within)

    def _in(self, state, number):
        found = self.deployment(number)
        return found if found["State"] == state else None

    # Reading.

    def session(self, env=None, profile=None, **members):
        """A token of a new session."""
        return self.data.start_configuration_session(
            ApplicationIdentifier=self.app,
            EnvironmentIdentifier=env or self.env,
            ConfigurationProfileIdentifier=profile or self.profile,
            **members,
        )["InitialConfigurationToken"]

    def poll(self, token):
        """The bytes that a poll gives, and the next token."""
        answer = self.data.get_latest_configuration(ConfigurationToken=token)
        return answer["Configuration"].read(), answer["NextPollConfigurationToken"]

    def read(self, **members):
        """What a new session gets."""
        return self.poll(self.session(**members))[0]
