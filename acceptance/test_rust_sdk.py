"""The AWS SDK for Rust: a program built by the Makefile, run against the binary. Skipped where it was not built."""

import subprocess
from pathlib import Path

import pytest


def test_the_aws_sdk_for_rust_walks_from_creation_to_revert(serve, pytestconfig):
    program = pytestconfig.getoption("--rust-sdk")
    if program is None:
        pytest.skip("built and run by `make acceptance-rust-sdk`")
    server = serve()
    done = subprocess.run([Path(program).resolve(), server.url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.splitlines()[-1] == "ok"
