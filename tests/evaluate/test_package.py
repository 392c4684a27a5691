"""What the room offers to a notebook."""

import pytest

from helpers import evaluate


@pytest.mark.parametrize("name", evaluate.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(evaluate, name).__name__ == name


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'marks'"):
        evaluate.marks  # noqa: B018
