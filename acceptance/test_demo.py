"""`yardarm demo` told from start to end, unattended."""

import re
import subprocess

from running import environment


def test_the_demo_tells_its_story_to_the_end(binary, tmp_path):
    told = subprocess.run(
        [binary, "demo", "--script"],
        env=environment(TMPDIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    chapters = re.findall(r"^(\d)\. ", told.stdout, re.MULTILINE)
    assert chapters == ["1", "2", "3", "4", "5", "6", "7", "8"], told.stdout
    assert re.search(r"100\.?0? % +BAKING", told.stdout), told.stdout
    assert re.search(r"from the alarm to the last of 20 branches: recovered +\d+ ms", told.stdout), told.stdout
    assert re.search(r"customers who found the shop closed +0$", told.stdout, re.MULTILINE), told.stdout
    assert list(tmp_path.iterdir()) == [], "something is left behind"


def test_without_a_terminal_the_demo_asks_for_a_script(binary):
    told = subprocess.run(
        [binary, "demo"], env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 2 and "--script" in told.stderr, told
