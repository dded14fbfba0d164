"""The server is killed without warning while many write, and at times while it starts. Whatever was acknowledged is
there afterwards, and the log is whole. (The kernel lives on: what it was given is not lost. Power cuts are simulated
where the store is tested.)

The long form: `pytest test_crash.py --crash-rounds 100 -s`.
"""

import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from resources import Resources
from running import Server

WRITERS = 6


class Writer(threading.Thread):
    """Makes things until the server is gone, and remembers what was acknowledged."""

    def __init__(self, there, number, dice):
        super().__init__(daemon=True)
        self.control, self.there, self.number, self.dice = there.server.control, there, number, dice
        self.applications, self.versions, self.deployments, self.odd = [], [], [], []
        self.start()

    def run(self):
        # An environment of one's own: deployments in it come one after the other.
        try:
            env = self.control.create_environment(ApplicationId=self.there.app, Name=f"{self.there.fresh_name()}-{self.number}")["Id"]
            while True:
                self._write(env)
        except ClientError as error:
            self.odd.append(error)
        except BotoCoreError:
            pass  # the server is gone

    def _write(self, env):
        kind = self.dice.randrange(3)
        if kind == 0:
            name = f"{self.there.fresh_name('crash')}-{self.number}"
            self.applications.append((self.control.create_application(Name=name)["Id"], name))
        elif kind == 1:
            content = self.dice.randbytes(self.dice.choice([10, 1_000, 50_000]))
            made = self.control.create_hosted_configuration_version(
                **self.there.in_profile, Content=content, ContentType="application/octet-stream"
            )
            self.versions.append((made["VersionNumber"], content))
        elif self.versions:
            version, content = self.dice.choice(self.versions)
            made = self.control.start_deployment(
                ApplicationId=self.there.app,
                EnvironmentId=env,
                ConfigurationProfileId=self.there.profile,
                ConfigurationVersion=str(version),
                DeploymentStrategyId=self.there.instant,
            )
            self.deployments.append((env, made["DeploymentNumber"], str(version), content))


def test_what_was_acknowledged_survives_being_killed_at_any_moment(binary, tmp_path, fresh_name, seed, pytestconfig, _watched):
    rounds = pytestconfig.getoption("--crash-rounds")
    dice = random.Random(seed)
    # Snapshots come often, so that some are cut short too.
    quotas = (f"--quota-{what}=1000000" for what in ("applications", "environments", "configuration-profiles"))
    server = Server(binary, tmp_path, "--snapshot-every=50", *quotas, "--log-level=warn")
    _watched.append(server)
    server.start()
    there = Resources(server, fresh_name)
    there.instant = there.strategy()
    applications, written = {}, 0
    for turn in range(1, rounds + 1):
        there.profile = there.new_profile()
        writers = [Writer(there, number, random.Random(dice.random())) for number in range(WRITERS)]
        time.sleep(dice.uniform(0.05, 0.8))  # the random moment
        server.kill()
        for writer in writers:
            writer.join(30)
            assert not writer.is_alive()
            assert writer.odd == [], f"seed {seed}, round {turn}"

        verified = server.verify_log()
        assert verified.returncode == 0, (f"seed {seed}, round {turn}", verified.stdout, verified.stderr)

        if dice.random() < 0.3:
            server.launch()
            time.sleep(dice.uniform(0, 0.05))
            server.kill()
        server.start()
        for writer in writers:
            applications.update(writer.applications)
            written += len(writer.applications) + len(writer.versions) + len(writer.deployments)
        check(server, there, writers, applications)
        print(f"round {turn}: {written} writes acknowledged so far, none lost", flush=True)
    assert written > rounds, "the writers wrote"
    assert server.stop() == 0


def check(server, there, writers, applications):
    pages = server.control.get_paginator("list_applications").paginate()
    found = {item["Id"]: item["Name"] for page in pages for item in page["Items"]}
    lost = {app: name for app, name in applications.items() if found.get(app) != name}
    assert not lost, f"applications lost: {lost}"

    acknowledged = [version for writer in writers for version in writer.versions]
    numbers = [number for number, _ in acknowledged]
    assert len(numbers) == len(set(numbers)), "no number was given twice"
    for number, content in acknowledged:
        answer = server.control.get_hosted_configuration_version(**there.in_profile, VersionNumber=number)
        assert answer["Content"].read() == content
    for writer in writers:
        for env, number, version, _ in writer.deployments:
            answer = there.deployment(number, env)
            assert (answer["State"], answer["ConfigurationVersion"]) == ("COMPLETE", version)
        if writer.deployments:
            env, number, _, content = writer.deployments[-1]
            newest = server.control.list_deployments(ApplicationId=there.app, EnvironmentId=env, MaxResults=1)["Items"][0]
            served = there.read(env=env)
            # One more may have been committed whose acknowledgement was lost.
            assert served == content or newest["DeploymentNumber"] > number
