"""Ray as `helpers` sets it up for this machine, whatever a test joins afterwards."""

import os
from collections.abc import Iterator

import pytest

SWITCH = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@pytest.fixture(scope="session", autouse=True)
def _on_loopback() -> None:
    """Import Ray first: it reads then whether its parts listen on loopback alone.

    A test that joins a cluster elsewhere turns that off. Where such a test was the first to import
    Ray, every later cluster of the session listened on the machine's own address.
    """
    import ray  # noqa: F401


@pytest.fixture(autouse=True)
def _keep_the_switch() -> Iterator[None]:
    before = os.environ.get(SWITCH, "0")
    yield
    os.environ[SWITCH] = before
