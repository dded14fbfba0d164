"""Many callers at the same moment: one wins, the others are told why, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

CALLERS = 16


def together(call, times=CALLERS):
    """Calls at once; what came back, and the codes of what was refused."""

    def attempt(number):
        try:
            return call(number), None
        except ClientError as error:
            return None, error.response["Error"]["Code"]

    with ThreadPoolExecutor(CALLERS) as pool:
        outcomes = list(pool.map(attempt, range(times)))
    return [made for made, _ in outcomes if made], {code for _, code in outcomes if code}


def test_a_name_goes_to_one_of_many(server, fresh_name):
    name = fresh_name()
    made, codes = together(lambda _: server.control.create_application(Name=name))
    assert (len(made), codes) == (1, {"BadRequestException"})


def test_the_lock_lets_one_of_many_through(resources):
    made, codes = together(lambda number: resources.version(f"content {number}", LatestVersionNumber=0))
    assert (made, codes) == ([1], {"ConflictException"})


def test_a_label_goes_to_one_of_many(resources):
    made, codes = together(lambda number: resources.version(f"content {number}", VersionLabel="release"))
    assert (len(made), codes) == (1, {"BadRequestException"})


def test_one_of_many_deployments_starts(resources):
    version, strategy = resources.version("x"), resources.strategy(minutes=60)
    made, codes = together(lambda _: resources.start(version, strategy))
    assert ([one["DeploymentNumber"] for one in made], codes) == ([1], {"ConflictException"})


def test_numbers_have_neither_gaps_nor_twins(resources):
    versions, codes = together(lambda number: resources.version(f"content {number}"), times=100)
    assert (sorted(versions), codes) == (list(range(1, 101)), set())
    strategy = resources.strategy()
    deployments, codes = together(lambda number: resources.start(number + 1, strategy)["DeploymentNumber"], times=100)
    assert (sorted(deployments), codes) == (list(range(1, 101)), set())


def test_a_stop_and_the_end_of_a_deployment_agree_on_who_came_first(resources):
    """Whatever the outcome, the deployment, its log and what is served tell the same story."""
    resources.publish("old")
    strategy = resources.strategy_in_seconds(duration=0, bake=1)
    version = resources.version("new")
    for _ in range(3):
        number = resources.start(version, strategy)["DeploymentNumber"]
        resources.comes_to("BAKING", number)
        stopped, codes = together(lambda _: resources.stop(number), times=4)
        found = resources.deployment(number)
        if stopped:
            assert found["State"] == "ROLLED_BACK" and len(stopped) == 1
            assert resources.read() == b"old"
        else:
            assert found["State"] == "COMPLETE"
            resources.stop(number, AllowRevert=True)
        assert codes <= {"BadRequestException"}


def test_readers_never_see_anything_but_whole_versions(resources):
    """Versions of one letter each; an answer of two kinds of letters would be a torn one."""
    contents = [letter * 50_000 for letter in "abcdefgh"]
    resources.publish(contents[0])
    with ThreadPoolExecutor(8) as pool:
        writer = pool.submit(lambda: [resources.publish(content) for content in contents * 2])
        bodies = []
        while not writer.done():
            bodies += pool.map(lambda _: resources.read().decode(), range(8))
    writer.result()
    assert set(bodies) <= set(contents)
