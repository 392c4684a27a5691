"""An instant model for each test, and one plain service for those that change nothing of it."""

from collections.abc import Iterator

import pytest

from helpers.service.check.fake_model import FakeModel, fake_model
from tests.service.serving import Running, serving


@pytest.fixture
def model() -> Iterator[FakeModel]:
    with fake_model() as found:
        yield found


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with fake_model(chunks=4) as model, serving(model) as running:
        yield running
