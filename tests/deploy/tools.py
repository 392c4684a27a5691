"""podman and HAProxy for tests: a missing one skips, or fails where it is required."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.deploy.podman import INSTALL, Podman, podman

SMALL = Path(__file__).parent / "small.py"
"""A small service for rollouts."""

SECONDS = {"1": "0.3", "2": "0.3", "3": "never"}
"""By version: when it is ready."""


def require_podman() -> None:
    """Skip the test where podman or runc is not installed; fail it where they must be."""
    missing = [each for each in ("podman", "runc") if shutil.which(each) is None]
    if missing and os.environ.get("COURSE_REQUIRE_PODMAN"):
        pytest.fail(f"COURSE_REQUIRE_PODMAN is set, and {missing[0]} is not installed: {INSTALL}.")
    if missing:
        pytest.skip(f"{missing[0]} is not installed: {INSTALL}.")


@contextmanager
def own_podman() -> Iterator[Podman]:
    """podman for a block; the test is skipped where it is not installed."""
    require_podman()
    with podman() as one:
        yield one
