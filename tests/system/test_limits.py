from __future__ import annotations

import subprocess

import pytest

from tests.helpers.cli import command


@pytest.mark.parametrize("kilobytes", [400_000, 700_000, 1_000_000])
def test_a_process_with_too_few_addresses_says_so(kilobytes: int, tmp_path: object) -> None:
    done = subprocess.run(
        ["bash", "-c", f"ulimit -v {kilobytes}; exec \"$@\"", "bash", *command("search", "budget=5")],
        capture_output=True, text=True, timeout=60, check=False, cwd=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("dynas: this process may have ")
    assert done.stderr.endswith("raise the limit by ulimit -v\n")
    assert len(done.stderr.splitlines()) == 1
