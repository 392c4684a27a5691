"""podman and HAProxy for tests: a missing one skips, or fails where it is required."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.deploy.podman import INSTALL, Podman, podman


@contextmanager
def own_podman() -> Iterator[Podman]:
    """podman for a block; the test is skipped where it is not installed."""
    missing = [each for each in ("podman", "runc") if shutil.which(each) is None]
    if missing and os.environ.get("COURSE_REQUIRE_PODMAN"):
        pytest.fail(f"COURSE_REQUIRE_PODMAN is set, and {missing[0]} is not installed: {INSTALL}.")
    if missing:
        pytest.skip(f"{missing[0]} is not installed: {INSTALL}.")
    with podman() as one:
        yield one
