"""What the room offers to a notebook."""

from pathlib import Path

import pytest

from helpers import evaluate


@pytest.mark.parametrize("name", evaluate.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(evaluate, name).__name__ == name


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'marks'"):
        evaluate.marks  # noqa: B018


def test_no_name_is_also_a_module() -> None:
    """Importing the module would put it in the name's place."""
    modules = {path.stem for path in Path(evaluate.__path__[0]).glob("*.py")}
    assert not modules & set(evaluate.__all__)
