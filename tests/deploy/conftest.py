"""One podman for all tests that need one: its base image takes seconds."""

from collections.abc import Iterator

import pytest

from helpers.deploy.image import make_base
from helpers.deploy.podman import Podman
from tests.deploy.tools import own_podman


@pytest.fixture(scope="session")
def one() -> Iterator[Podman]:
    """podman with the base image; each test stops the pods that it runs."""
    with own_podman() as found:
        make_base(found)
        yield found
