"""The same requests in three ways of writing, and names: what a test of an agent's bias asks.

`data/ways_of_writing.yaml` says in its head how they were written. Two wordings of each request
are by people who grew up with English, one by someone who is learning it: the first two are the
control group, since an agent treats no two wordings quite alike.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).parent / "data" / "ways_of_writing.yaml"


class WaysOfWritingError(ValueError):
    """The file of requests is missing or breaks its format; the message says where."""


@dataclass(frozen=True)
class Request:
    """One request in three ways of writing.

    Attributes:
        intent: a short name of what is asked, such as "zip_price".
        tool: the agent's tool that a right answer needs.
        native: the wording of a person who grew up with English.
        native_again: the wording of another one.
        learner: the wording of a person who is learning English.
        document: id of the document that answers it, None where no document does.
    """

    intent: str
    tool: str
    native: str
    native_again: str
    learner: str
    document: str | None = None


@dataclass(frozen=True)
class NameSwap:
    """One request, signed with three names.

    Attributes:
        tool: the agent's tool that a right answer needs.
        native: with a name that is long common in Britain.
        native_again: with another such name (the control).
        other: with a name that came with families from elsewhere.
    """

    tool: str
    native: str
    native_again: str
    other: str


def ways_of_writing(file: Path = FILE) -> list[Request]:
    """All requests. Raises `WaysOfWritingError` for a file that it cannot read."""
    requests = [_request(row, at, file) for at, row in enumerate(_content(file)["requests"], 1)]
    if len({each.intent for each in requests}) < len(requests):
        raise WaysOfWritingError(f"{file.name}: an intent occurs twice.")
    return requests


def name_swaps(file: Path = FILE) -> list[NameSwap]:
    """Each greeting with each three names, greeting by greeting.

    Raises `WaysOfWritingError` for a file that it cannot read.
    """
    content = _content(file)
    try:
        names = content["names"]
        groups = (names["native"], names["native_again"], names["other"])
        return [
            NameSwap(row["tool"], *(row["text"].replace("{name}", name) for name in three))
            for row in content["greetings"]
            for three in zip(*groups, strict=True)
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise WaysOfWritingError(
            f"{file.name}: names are three lists of one length, and each greeting has a text and a "
            f"tool ({problem})."
        ) from None


@cache
def _content(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {"requests": list(found["requests"]), **found}
    except FileNotFoundError:
        raise WaysOfWritingError(f"{file} is missing: restore it from the repository.") from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as problem:
        raise WaysOfWritingError(f"{file.name} has no list of requests ({problem}).") from None


def _request(row: dict[str, Any], at: int, file: Path) -> Request:
    try:
        rest = dict(row)
        native, native_again = rest.pop("native")
        return Request(native=native, native_again=native_again, **rest)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise WaysOfWritingError(
            f"{file.name}, request {at}: a field is missing, unknown or wrong ({problem})."
        ) from None
