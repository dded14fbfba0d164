"""Clients in JavaScript, each test file run by Node's own test runner against the server that all tests share. OpenFeature's
are run once more with an agent of each test's own in front of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from running import DEV_KEY

NODE = Path(__file__).parent / "node"


FILES = sorted(path.name for path in NODE.glob("*.test.js"))


@pytest.mark.parametrize(
    ("file", "answering"),
    [(file, "server") for file in FILES] + [(file, "agent") for file in FILES if file.startswith("openfeature-")],
)
def test_a_javascript_client(server, binary, file, answering, tmp_path):
    assert (NODE / "node_modules").is_dir(), "install the clients first: make acceptance does"
    done = subprocess.run(
        [shutil.which("node"), "--test", "--test-reporter=spec", NODE / file],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "YARDARM_URL": server.url,
            "YARDARM_BINARY": str(binary),
            # Who evaluates the flags of OpenFeature clients.
            "ANSWERING": answering,
            "AWS_ACCESS_KEY_ID": DEV_KEY[0],
            "AWS_SECRET_ACCESS_KEY": DEV_KEY[1],
            "NO_PROXY": "127.0.0.1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
