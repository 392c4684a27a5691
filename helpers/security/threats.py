"""The threat map: what threatens Fernhill, what the course does about it, and what shows that.

The risks are the OWASP Top 10 for LLM applications, 2025. A map that says only "mitigated" cannot
be wrong, so each row names a test; a test of this course checks that it exists.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

FILE: Final = Path(__file__).with_name("threats.yaml")

_STRICT = ConfigDict(extra="forbid")
_Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=_STRICT)
class Exposure:
    """One way in which a risk meets Fernhill.

    Attributes:
        exposure: what happens, in one sentence.
        control: what the course does about it.
        test: the test that shows the control working, as pytest names it: `file.py::test_name`.
        module: the number of the module that deals with it.
    """

    exposure: _Text
    control: _Text
    test: Annotated[str, Field(pattern=r"^tests/[\w/]+\.py::test_\w+$")]
    module: Annotated[str, Field(pattern=r"^\d\d$")]


@dataclass(frozen=True, config=_STRICT)
class Threat:
    """One risk of the list, with at least one exposure of Fernhill."""

    id: Annotated[str, Field(pattern=r"^LLM\d\d$")]
    title: _Text
    rows: Annotated[tuple[Exposure, ...], Field(min_length=1)]


_THREATS: Final = TypeAdapter(tuple[Threat, ...])


@cache
def threats() -> tuple[Threat, ...]:
    """The ten risks in OWASP's order. Raises pydantic's `ValidationError` for a broken file."""
    return _THREATS.validate_python(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def threat_rows() -> list[dict[str, str]]:
    """The map as the rows of a table: risk, exposure, control, module, test."""
    return [
        {
            "risk": f"{threat.id} {threat.title}",
            "at Fernhill": row.exposure,
            "control": row.control,
            "module": row.module,
            "shown by": row.test.rpartition("::")[2],
        }
        for threat in threats()
        for row in threat.rows
    ]
