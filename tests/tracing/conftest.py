"""One service for all tests of a worker, and a client that talks to it."""

from collections.abc import Iterator

import pytest
from langsmith import Client

from tests.tracing.serving import Running, serving


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("traces") / "traces.db") as running:
        yield running


@pytest.fixture(scope="session")
def client(service: Running) -> Iterator[Client]:
    found = service.client()
    yield found
    found.flush()
