"""The published service model is the judge: of the server's own table, and of what it answers to whoever breaks a rule."""

import copy
import itertools

import pytest

import judge
import service_model
from resources import Resources

MODELS = service_model.models()
TABLE = service_model.table()
SERVED = service_model.served()

# Differences between table and model, each with its reason.
EXTRA_OUTPUT = {
    # The wire carries it; the model forgot it. SDKs drop it.
    ("StartDeployment", "Type"),
    ("GetDeployment", "Type"),
    ("StopDeployment", "Type"),
    # Yardarm's own: the only way for a client to learn which version it runs.
    ("GetLatestConfiguration", "ConfigurationVersion"),
}


class TestTheTable:
    def test_every_operation_of_the_model_is_in_it_and_no_other(self):
        assert sorted(TABLE) == sorted(MODELS)

    @pytest.mark.parametrize("name", sorted(MODELS))
    def test_an_operation_is_where_the_model_has_it(self, name):
        mine, model = TABLE[name], MODELS[name]
        plane = service_model.PLANES[mine["plane"]]
        assert plane == model.service_model.service_name
        assert (mine["method"], mine["status"]) == (model.http["method"], model.http["responseCode"])
        assert mine["path"] == model.http["requestUri"].partition("?")[0]
        assert mine.get("alias") in (None, "/deploymentstrategies/{DeploymentStrategyId}"), "the right spelling"
        assert sorted(mine["errors"]) == sorted(shape.name for shape in model.error_shapes)

    @pytest.mark.parametrize("name", sorted(MODELS))
    def test_its_members_are_those_of_the_model_at_the_same_places(self, name):
        model = MODELS[name]
        assert _mine(TABLE[name]["input"]) == _theirs(model.input_shape)
        assert {one["name"] for one in TABLE[name]["input"] if not one["modelled"]} == set()
        assert _mine(TABLE[name]["output"]) == _theirs(model.output_shape)
        extra = {(name, one["name"]) for one in TABLE[name]["output"] if not one["modelled"]}
        assert extra <= EXTRA_OUTPUT

    def test_the_list_of_what_is_not_served_only_shrinks(self):
        golden = (service_model.Path(__file__).parent / "unserved.txt").read_text().split()
        assert golden == sorted(golden)
        assert golden == sorted(name for name in TABLE if not TABLE[name]["served"]), "serve more, and take it off the list"

    def test_every_extra_member_is_still_extra(self):
        """When the model learns of a member, its exception goes."""
        for name, member in EXTRA_OUTPUT:
            assert member not in MODELS[name].output_shape.members


def _mine(members):
    return {(m["name"], m["place"], m["wire"], m["required"]) for m in members if m["modelled"]}


def _theirs(shape):
    if shape is None:
        return set()
    found = set()
    for name, member in shape.members.items():
        where, wire = service_model.place(shape, name, member)
        found.add((name, where, wire, name in shape.required_members))
    return found


# From outside.

ARN = "arn:aws:appconfig:us-east-1:000000000000:application/{}"
ROLE = "arn:aws:iam::000000000000:role/r"
ALARM = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a"
ACTION = {"Name": "act", "Description": "d", "Uri": "https://hooks.example/"}


class Valid:
    """A request for every served operation that is in order, with every member that can be sent."""

    def __init__(self, server):
        self.server = server
        self.numbers = itertools.count()
        self.there = Resources(server, self.name)
        self.there.publish({"x": 1})
        self.strategy = self.there.strategy()
        # Nothing is deployed there, so nobody is called.
        self.idle = server.control.create_application(Name=self.name())["Id"]

    def name(self, what="name"):
        return f"model-{what}-{next(self.numbers)}"

    def __call__(self, operation):
        make = getattr(self, operation, None)
        return make() if make else {}

    def CreateApplication(self):
        return {"Name": self.name(), "Description": "d", "Tags": {"k": "v"}}

    def GetApplication(self):
        return {"ApplicationId": self.there.app}

    def UpdateApplication(self):
        return {**self.GetApplication(), "Name": self.name(), "Description": "d"}

    def DeleteApplication(self):
        return {"ApplicationId": self.server.control.create_application(Name=self.name())["Id"]}

    def ListApplications(self):
        return {"MaxResults": 2}

    ListDeploymentStrategies = ListApplications

    def CreateEnvironment(self):
        monitors = [{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}]
        return {**self.GetApplication(), "Name": self.name(), "Description": "d", "Monitors": monitors, "Tags": {"k": "v"}}

    def GetEnvironment(self):
        return self.there.in_env

    def ListEnvironments(self):
        return {**self.GetApplication(), "MaxResults": 2}

    def UpdateEnvironment(self):
        environment = self.there.new_environment()
        return {
            "ApplicationId": self.there.app,
            "EnvironmentId": environment,
            "Name": self.name(),
            "Description": "d",
            "Monitors": [{"AlarmArn": ALARM, "AlarmRoleArn": ROLE}],
        }

    def DeleteEnvironment(self):
        return {
            "ApplicationId": self.there.app,
            "EnvironmentId": self.there.new_environment(),
            "DeletionProtectionCheck": "APPLY",
        }

    def CreateConfigurationProfile(self):
        return {
            **self.GetApplication(),
            "Name": self.name(),
            "Description": "d",
            "LocationUri": "hosted",
            "Validators": [{"Type": "JSON_SCHEMA", "Content": "{}"}],
            "Tags": {"k": "v"},
            "Type": "AWS.Freeform",
        }

    def GetConfigurationProfile(self):
        return self.there.in_profile

    def ListConfigurationProfiles(self):
        return {**self.GetApplication(), "MaxResults": 2, "Type": "AWS.Freeform"}

    def UpdateConfigurationProfile(self):
        return {
            "ApplicationId": self.there.app,
            "ConfigurationProfileId": self.there.new_profile(),
            "Name": self.name(),
            "Description": "d",
            "Validators": [{"Type": "JSON_SCHEMA", "Content": "{}"}],
        }

    def DeleteConfigurationProfile(self):
        return {
            "ApplicationId": self.there.app,
            "ConfigurationProfileId": self.there.new_profile(),
            "DeletionProtectionCheck": "BYPASS",
        }

    def ValidateConfiguration(self):
        return {**self.there.in_profile, "ConfigurationVersion": "1"}

    def CreateHostedConfigurationVersion(self):
        return {
            **self.there.in_profile,
            "Description": "d",
            "Content": b"{}",
            "ContentType": "application/json",
            "VersionLabel": self.name("label"),
        }

    def GetHostedConfigurationVersion(self):
        return {**self.there.in_profile, "VersionNumber": 1}

    def ListHostedConfigurationVersions(self):
        return {**self.there.in_profile, "MaxResults": 2, "VersionLabel": "model*"}

    def DeleteHostedConfigurationVersion(self):
        return {**self.there.in_profile, "VersionNumber": self.there.version("gone soon")}

    def CreateDeploymentStrategy(self):
        return {
            "Name": self.name(),
            "Description": "d",
            "DeploymentDurationInMinutes": 1,
            "FinalBakeTimeInMinutes": 1,
            "GrowthFactor": 10.0,
            "GrowthType": "LINEAR",
            "ReplicateTo": "NONE",
            "Tags": {"k": "v"},
        }

    def GetDeploymentStrategy(self):
        return {"DeploymentStrategyId": self.strategy}

    def UpdateDeploymentStrategy(self):
        return {
            "DeploymentStrategyId": self.there.strategy(),
            "Description": "d",
            "DeploymentDurationInMinutes": 1,
            "FinalBakeTimeInMinutes": 1,
            "GrowthFactor": 10.0,
            "GrowthType": "EXPONENTIAL",
        }

    def DeleteDeploymentStrategy(self):
        return {"DeploymentStrategyId": self.there.strategy()}

    def StartDeployment(self):
        return {
            **self.there.in_env,
            "DeploymentStrategyId": self.strategy,
            "ConfigurationProfileId": self.there.profile,
            "ConfigurationVersion": "1",
            "Description": "d",
            "Tags": {"k": "v"},
            "LatestDeploymentNumber": 1,
        }

    def GetDeployment(self):
        return {**self.there.in_env, "DeploymentNumber": 1}

    def ListDeployments(self):
        return {**self.there.in_env, "MaxResults": 2}

    def StopDeployment(self):
        number = self.there.start(1)["DeploymentNumber"]
        return {**self.there.in_env, "DeploymentNumber": number, "AllowRevert": True}

    def CreateExtension(self):
        return {
            "Name": self.name("extension"),
            "Description": "d",
            "Actions": {"ON_DEPLOYMENT_START": [{**ACTION, "RoleArn": ROLE}]},
            "Parameters": {"level": {"Description": "d", "Required": True, "Dynamic": False}},
            "Tags": {"k": "v"},
        }

    def _extension(self):
        actions = {"ON_DEPLOYMENT_START": [ACTION]}
        return self.server.control.create_extension(Name=self.name("extension"), Actions=actions)["Id"]

    def GetExtension(self):
        return {"ExtensionIdentifier": self._extension(), "VersionNumber": 1}

    def ListExtensions(self):
        return {"MaxResults": 2, "Name": "x"}

    def UpdateExtension(self):
        return {
            "ExtensionIdentifier": self._extension(),
            "Description": "d",
            "Actions": {"ON_DEPLOYMENT_STEP": [{**ACTION, "RoleArn": ROLE}]},
            "Parameters": {"level": {"Description": "d", "Required": False, "Dynamic": True}},
            "VersionNumber": 1,
        }

    def DeleteExtension(self):
        return self.GetExtension()

    def CreateExtensionAssociation(self):
        members = self.CreateExtension()
        extension = self.server.control.create_extension(**members)["Id"]
        return {
            "ExtensionIdentifier": extension,
            "ExtensionVersionNumber": 1,
            "ResourceIdentifier": ARN.format(self.idle),
            "Parameters": {"level": "1"},
            "Tags": {"k": "v"},
        }

    def _association(self):
        return self.server.control.create_extension_association(**self.CreateExtensionAssociation())["Id"]

    def GetExtensionAssociation(self):
        return {"ExtensionAssociationId": self._association()}

    def ListExtensionAssociations(self):
        return {
            "ResourceIdentifier": ARN.format(self.idle),
            "ExtensionIdentifier": "x",
            "ExtensionVersionNumber": 1,
            "MaxResults": 2,
        }

    def UpdateExtensionAssociation(self):
        return {"ExtensionAssociationId": self._association(), "Parameters": {"level": "2"}}

    def DeleteExtensionAssociation(self):
        return self.GetExtensionAssociation()

    def GetConfiguration(self):
        return {
            "Application": self.there.app,
            "Environment": self.there.env,
            "Configuration": self.there.profile,
            "ClientId": "c",
            "ClientConfigurationVersion": "0",
        }

    def TagResource(self):
        return {"ResourceArn": ARN.format(self.there.app), "Tags": {"k": "v"}}

    def UntagResource(self):
        return {"ResourceArn": ARN.format(self.there.app), "TagKeys": ["k", "l"]}

    def ListTagsForResource(self):
        return {"ResourceArn": ARN.format(self.there.app)}

    def UpdateAccountSettings(self):
        protection = {"Enabled": False, "ProtectionPeriodInMinutes": 60}
        return {"DeletionProtection": protection, "VendedMetrics": {"Enabled": False}}

    def StartConfigurationSession(self):
        return {
            "ApplicationIdentifier": self.there.app,
            "EnvironmentIdentifier": self.there.env,
            "ConfigurationProfileIdentifier": self.there.profile,
            "RequiredMinimumPollIntervalInSeconds": 15,
        }

    def GetLatestConfiguration(self):
        return {"ConfigurationToken": self.there.session()}


@pytest.fixture(scope="module")
def valid(server):
    return Valid(server)


@pytest.fixture(scope="module")
def ask(server):
    """Sends members to an operation and lets the model judge the answer, whatever it is."""

    def ask(operation, members):
        model = MODELS[operation]
        answer = server.signed.call(*service_model.request(model, members))
        content = None if model.has_streaming_output and answer.status < 300 else answer.body
        assert judge.complaints(model, answer.status, answer.headers, content) == []
        return answer

    return ask


@pytest.mark.parametrize("operation", SERVED)
def test_a_request_in_order_succeeds_as_the_model_says(valid, ask, operation):
    answer = ask(operation, valid(operation))
    assert answer.status == MODELS[operation].http["responseCode"], answer


@pytest.mark.parametrize("operation", SERVED)
def test_a_missing_member_is_named(valid, ask, operation):
    """Every required member that is no part of the path."""
    shape = MODELS[operation].input_shape
    for name in shape.required_members if shape else ():
        if service_model.place(shape, name, shape.members[name])[0] == "path":
            continue
        members = valid(operation)
        del members[name]
        answer = ask(operation, members)
        assert (answer.status, answer.code) == (400, "BadRequestException"), (name, answer)
        assert f"'{service_model.camel(name)}'" in answer.message and "must not be null" in answer.message


@pytest.mark.parametrize("operation", SERVED)
def test_a_missing_member_of_a_member_is_named(valid, ask, operation):
    for path, shape in _walk(MODELS[operation].input_shape):
        if len(path) < 2 or shape.type_name != "structure":
            continue
        for name in shape.required_members:
            members = copy.deepcopy(valid(operation))
            inside = _find(members, path)
            if not isinstance(inside, dict) or name not in inside:
                continue
            del inside[name]
            answer = ask(operation, members)
            assert (answer.status, answer.code) == (400, "BadRequestException"), (path, name, answer)
            assert service_model.camel(name) in answer.message


@pytest.mark.parametrize("operation", SERVED)
def test_a_word_that_is_not_of_the_set_is_answered_with_the_set(valid, ask, operation):
    for path, shape in _walk(MODELS[operation].input_shape):
        if not getattr(shape, "enum", None):
            continue
        answer = ask(operation, _with(valid(operation), path, "NO_SUCH_WORD"))
        assert (answer.status, answer.code) == (400, "BadRequestException"), (path, answer)
        _, _, told = answer.message.partition("Member must satisfy enum value set: [")
        assert set(told.partition("]")[0].split(", ")) == set(shape.enum), answer.message


# Constraints of the model that the server leaves aside, each with its reason.
LENIENT = set()


@pytest.mark.parametrize("operation", SERVED)
def test_a_value_out_of_its_bounds_is_refused_and_the_member_named(valid, ask, operation):
    """Lengths and ranges of every member that is no part of the path."""
    for path, shape in _walk(MODELS[operation].input_shape):
        top = MODELS[operation].input_shape.members[path[0]]
        where = service_model.place(MODELS[operation].input_shape, path[0], top)[0]
        if where in ("path", "payload") or (operation, path) in LENIENT:
            continue
        for bad in _out_of_bounds(shape, where):
            answer = ask(operation, _with(valid(operation), path, bad))
            assert (answer.status, answer.code) == (400, "BadRequestException"), (path, str(bad)[:40], answer)
            named = service_model.camel([part for part in path if isinstance(part, str)][0])
            # What is of another type too is named as it was sent.
            assert named.lower() in answer.message.lower(), (path, str(bad)[:40], answer.message[:200])


@pytest.mark.parametrize("operation", SERVED)
def test_a_value_of_another_type_is_refused(valid, ask, operation):
    """Every member of a JSON body, with every JSON type that is not its own."""
    model = MODELS[operation]
    for name, shape in (model.input_shape.members if model.input_shape else {}).items():
        if service_model.place(model.input_shape, name, shape)[0] != "body":
            continue
        for wrong in _wrong_types(shape):
            answer = ask(operation, valid(operation) | {name: wrong})
            assert (answer.status, answer.code) == (400, "BadRequestException"), (name, wrong, answer)
            assert name.lower() in answer.message.lower(), (name, wrong, answer.message)


@pytest.mark.parametrize("operation", sorted(set(MODELS) - set(SERVED)))
def test_an_operation_that_is_not_served_says_so(server, ask, operation):
    path = {
        name: "x"
        for name, shape in (MODELS[operation].input_shape.members.items())
        if shape.serialization.get("location") == "uri"
    }
    path |= {"Run": 1} if "Run" in path else {}
    answer = ask(operation, path)
    assert (answer.status, answer.code) == (400, "UnsupportedOperationException")
    assert operation in answer.message


def test_an_sdk_raises_what_the_operation_does_not_declare_as_a_client_error(server, refused):
    with refused("UnsupportedOperationException", status=400):
        server.control.list_experiment_definitions()


def _walk(shape, path=()):
    """Every member, as a path of names and of indexes into lists."""
    if shape is None:
        return
    if path:
        yield path, shape
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _walk(member, (*path, name))
    elif shape.type_name == "list":
        yield from _walk(shape.member, (*path, 0))


def _find(members, path):
    for part in path:
        try:
            members = members[part]
        except (KeyError, IndexError, TypeError):
            return None
    return members


def _with(members, path, value):
    """The same members with another value at a path; what is on the way there is made."""
    members = copy.deepcopy(members)
    inside = members
    for part, following in zip(path, path[1:]):
        empty = [] if isinstance(following, int) else {}
        if isinstance(part, int) and len(inside) <= part:
            inside.append(empty)
        elif isinstance(part, str):
            inside.setdefault(part, empty)
        inside = inside[part]
    if isinstance(path[-1], int) and len(inside) <= path[-1]:
        inside.append(value)
    else:
        inside[path[-1]] = value
    return members


def _out_of_bounds(shape, where):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string" and not getattr(shape, "enum", None):
        # An empty header or query parameter is as good as none to many clients; only the upper end is sharp there.
        if low and where == "body":
            yield "x" * (low - 1)
        if high:
            # A header of megabytes does not get as far as the operation.
            yield from ["x" * (high + 1)] if high < 40_000 or where == "body" else []
    elif shape.type_name in ("integer", "long", "float", "double"):
        if low is not None:
            yield low - 1
        if high is not None:
            yield high + 1
    elif shape.type_name == "list" and high and where == "body":
        yield [{} for _ in range(high + 1)]
    elif shape.type_name == "map" and high:
        yield {f"key{number}": "v" for number in range(high + 1)}


def _wrong_types(shape):
    own = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool}.get(shape.type_name, (int, float))
    for wrong in ({"a": 1}, ["x"], "word", True, 17):
        if isinstance(wrong, own) and not (own == (int, float) and wrong is True):
            continue
        yield wrong
    if shape.type_name in ("integer", "long"):
        yield 1.5
        yield 2**70
