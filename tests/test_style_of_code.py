"""The code and the prose hold to what ruff, mypy and codespell check (settings: pyproject.toml)."""

import subprocess
import sys

import pytest

from helpers.paths import ROOT

TOOLS = {
    "lint": ["ruff", "check", "--no-cache"],
    "format": ["ruff", "format", "--check", "--no-cache"],
    "types": ["mypy"],
    "spelling": ["codespell_lib"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TOOLS)
def test_the_tool_finds_nothing(name: str) -> None:
    tool, *options = TOOLS[name]
    result = subprocess.run(
        [sys.executable, "-m", tool, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{tool}:\n{result.stdout}{result.stderr}"
