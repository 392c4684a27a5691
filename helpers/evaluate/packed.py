"""Packed homes: a folder like `.course` that carries its own version and date.

`HOME/release.json` says of which agent its evidence is, and when it was packed. What a packed home
shows is judged against these two, so that it stays readable after the agent has changed. A home
without that file is judged against the agent as it is now, today.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.evaluate.version import Version, current_version

FILE = "release.json"


class PackError(ValueError):
    """A packed home cannot be read or written; the message says what to do."""


@dataclass(frozen=True)
class Packed:
    """What a packed home is about: the version of the agent, and when it was packed."""

    version: Version
    recorded: datetime

    def as_json(self) -> dict[str, Any]:
        """The content of `release.json`."""
        return {
            "recorded": self.recorded.astimezone(UTC).isoformat(timespec="seconds"),
            "version": self.version.as_json(),
        }


def packed(home: Path) -> Packed | None:
    """What a home is about, None where it has no `release.json`. Raises `PackError`."""
    file = home / FILE
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        version = Version({str(k): str(v) for k, v in found["version"]["parts"].items()})
        recorded = datetime.fromisoformat(found["recorded"])
        digest = found["version"]["digest"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise PackError(f"{FILE} cannot be read ({problem!r}): pack it again.") from problem
    if recorded.tzinfo is None or digest != version.digest:
        raise PackError(f"{FILE} has no time zone, or not the digest of its parts: pack it again.")
    return Packed(version, recorded)


def version_and_time(
    home: Path | None, version: Version | None = None, now: datetime | None = None
) -> tuple[Version, datetime]:
    """Against what a home is judged: what is given, else what it carries, else the agent today.

    Raises `PackError` when the home's `release.json` cannot be read.
    """
    about = packed(home) if home is not None else None
    if about is not None:
        return version or about.version, now or about.recorded
    return version or current_version(), now or datetime.now(UTC)
