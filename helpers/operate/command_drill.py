"""`course drill`."""

from collections.abc import Callable, Sequence


def drill(argv: Sequence[str]) -> int:
    """Say that it is not there yet."""
    raise NotImplementedError


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"drill": drill}
