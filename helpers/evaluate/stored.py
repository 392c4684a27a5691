"""Stored runs: what a slow step brought, kept in a file, so that nobody has to wait for it again.

A step that takes over two minutes reads its answers from a file when there is one of exactly this
version of the agent. Two places are looked at: `.course/runs`, for the learner's own runs, and
`helpers/evaluate/stored_runs`, for those that come with the course. Whatever is read is announced
as a stored run, with the version, the date and the command that makes it again. A file of another
version is named as stale and not read.

A live run is kept in `.course/runs` as it proceeds, so that one that was interrupted goes on where
it stopped.
"""

import gzip
import json
import os
import re
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.evaluate.evidence import save_bytes
from helpers.evaluate.version import AGENT, Version
from helpers.paths import STORED_RUNS, runs_dir

SAVE_EVERY_S = 10.0
"""Seconds between two savings of a live run: what an interruption can lose."""

Progress = Callable[[Iterable[str]], Iterable[str]]


class StoredRunError(ValueError):
    """A stored run cannot be read; the message names the file and says what to do."""


@dataclass(frozen=True)
class Item:
    """The answer to one question, as JSON, and how long it took when it was given."""

    content: Mapping[str, Any]
    cpu_seconds: float
    wall_seconds: float


@dataclass
class StoredRun:
    """What one step brought: by section (a version of the agent, say) and key (a question's id).

    Attributes:
        name: of the step and of its file, such as "02-agent".
        version: what was asked. Another version's answers are never taken for this one's.
        made: when the run began.
        cores: of the machine that made it.
        complete: whether every answer is there; a run that was interrupted is not complete.
    """

    name: str
    version: Version
    made: datetime
    cores: int
    complete: bool = False
    sections: dict[str, dict[str, Item]] = field(default_factory=dict)

    @property
    def items(self) -> list[Item]:
        """All answers."""
        return [item for section in self.sections.values() for item in section.values()]

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all answers."""
        return sum(item.cpu_seconds for item in self.items)

    @property
    def wall_seconds(self) -> float:
        """Time of all answers, one after the other."""
        return sum(item.wall_seconds for item in self.items)


def read(path: Path) -> StoredRun | None:
    """The stored run in a file; None where there is no file.

    Raises `StoredRunError` when the file cannot be understood.
    """
    try:
        found: Any = json.loads(gzip.decompress(path.read_bytes()))
        contents = found["contents"]
        return StoredRun(
            name=str(found["name"]),
            version=Version(dict(found["version"])),
            made=datetime.fromisoformat(found["made"]),
            cores=int(found["cores"]),
            complete=bool(found["complete"]),
            sections={
                section: {
                    key: Item(contents[place], float(cpu), float(wall))
                    for key, (place, cpu, wall) in answers.items()
                }
                for section, answers in found["sections"].items()
            },
        )
    except FileNotFoundError:
        return None
    except (
        OSError,
        EOFError,
        zlib.error,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as problem:
        raise StoredRunError(
            f"The stored run {path.name} cannot be read ({problem!r}): remove {path}, or restore "
            "it from the repository."
        ) from problem


def write(stored: StoredRun, folder: Path) -> Path:
    """Write a run, compressed, whole or not at all. Equal answers are written once."""
    contents: dict[str, int] = {}
    sections: dict[str, dict[str, list[float]]] = {}
    for section, answers in stored.sections.items():
        sections[section] = {}
        for key, item in answers.items():
            text = json.dumps(item.content, ensure_ascii=False, allow_nan=False)
            place = contents.setdefault(text, len(contents))
            sections[section][key] = [
                place,
                round(item.cpu_seconds, 2),
                round(item.wall_seconds, 2),
            ]
    content = {
        "name": stored.name,
        "made": stored.made.astimezone(UTC).isoformat(timespec="seconds"),
        "cores": stored.cores,
        "command": command(stored.name),
        "complete": stored.complete,
        "version": dict(stored.version.parts),
        "sections": sections,
        "contents": [json.loads(text) for text in contents],
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    # No time in the file's head: the same run gives the same bytes.
    return save_bytes(folder / f"{stored.name}.json.gz", gzip.compress(text.encode(), mtime=0))


def minutes(seconds: float) -> str:
    """Seconds in words, such as "40 seconds" or "4.5 minutes"."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 600 else f"{seconds / 60:.0f} minutes"


class Step:
    """One slow step of a notebook: from where its answers come, and where they are kept.

    The first call of `answers` says where from; later ones, of other sections, say nothing more.
    """

    def __init__(
        self,
        name: str,
        *,
        version: Version,
        live: bool = False,
        of: str = "agent",
        say: Callable[[str], None] = print,
    ) -> None:
        """Look for a run of this name and version.

        Args:
            name: of the step; begins with the number of its module, such as "02-agent".
            version: what is about to be asked.
            live: leave what comes with the course aside, and ask (or go on asking). `COURSE_LIVE`
                does that for every step.
            of: what the version is of, for the sentences.
            say: gets the sentences that say what is read, and what is not and why.

        Raises:
            StoredRunError: a file cannot be read.
        """
        if not re.fullmatch(r"\d\d-[a-z0-9-]+", name):
            raise ValueError(f"{name!r} names no step: begin with the module, as in 02-agent.")
        self.name = name
        self._version = version
        self._of = of
        self._say = say
        self._own = read(runs_dir() / f"{name}.json.gz")
        if self._own and self._own.version.changed(version):
            self._own = None
        self._given = None if live or _always_live() else read(STORED_RUNS / f"{name}.json.gz")
        self._told = False
        self._trusted = False
        self._whole = True

    @property
    def stored(self) -> bool:
        """Whether there is a whole run of this version, so that hardly anything will be asked."""
        runs = [self._own, self._given]
        return any(
            run is not None and run.complete and not run.version.changed(self._version)
            for run in runs
        )

    def begun(self, section: str = "") -> set[str]:
        """The questions that an interrupted run of this version has answered."""
        found = self._own if self._own and not self._own.complete else None
        return set(found.sections.get(section, {})) if found else set()

    def forget(self, keys: Iterable[str], section: str = "") -> None:
        """Ask these again, which an interrupted run has answered."""
        if self._own and not self._own.complete:
            for key in keys:
                self._own.sections.get(section, {}).pop(key, None)

    def answers(
        self,
        keys: Sequence[str],
        ask: Callable[[str], Item],
        *,
        section: str = "",
        spot: Sequence[str] = (),
        last: bool = True,
        again: Callable[[str], Item] | None = None,
        keep: Callable[[Item], bool] = lambda _: True,
        progress: Progress = iter,
    ) -> list[Item]:
        """The answers to these questions, stored or live.

        Args:
            keys: the questions' ids.
            ask: asks one of them.
            section: which of several agents is asked.
            spot: ids that are asked live even so, to see that the stored answers are of this
                agent; where one differs, nothing is taken from the file.
            last: whether this is the step's last section.
            again: asks one of `spot`, where that is not to be done by `ask`; of its content, what
                it leaves out is not compared.
            keep: whether an answer may be stored; another (a timeout) is asked again next time.
            progress: passes the ids on, to show a bar over what is asked live.
        """
        for stored in (self._own, self._given):
            if stored is not None and self._usable(stored, section, keys, again or ask, spot):
                return [stored.sections[section][key] for key in keys]
        return self._asked(keys, ask, section, last, keep, progress)

    def _usable(
        self,
        stored: StoredRun,
        section: str,
        keys: Sequence[str],
        ask: Callable[[str], Item],
        spot: Sequence[str],
    ) -> bool:
        kept = stored.sections.get(section, {})
        if stored is self._given and (changed := stored.version.changed(self._version)):
            self._say(
                f"The stored run {self.name} is stale: it is of {self._of} version "
                f"{_shown(stored.version)}, and yours is {_shown(self._version)} (other: "
                f"{', '.join(changed)}). It is not used. The questions are asked live, which took "
                f"{_took(stored)} then, and their answers are kept. To do this in a terminal: "
                f"{command(self.name)}"
            )
            self._given = None
            return False
        if not self._same(stored, kept, ask, spot):
            return False
        if not stored.complete or any(key not in kept for key in keys):
            return False
        again = f" Of {len(keys)} questions {len(spot)} were asked again just now: same answers."
        whose, how = "Stored run", f"live=True in this call, or {command(self.name)}"
        if stored is self._own:
            whose, how = "Your own stored run", f"{command(self.name)} --anew"
        if not self._told:
            self._say(
                f"{whose} {self.name}: not asked just now, but on {_date(stored.made)} of "
                f"{self._of} version {_shown(stored.version)}, which is yours; it took "
                f"{_took(stored)}.{again if spot else ''} To run it again: {how}"
            )
        self._told = True
        return True

    def _same(
        self,
        stored: StoredRun,
        kept: Mapping[str, Item],
        ask: Callable[[str], Item],
        spot: Sequence[str],
    ) -> bool:
        """Whether the agent gives the stored answers to the questions of `spot`."""
        asked = [key for key in spot if key in kept]
        if self._trusted or not asked:
            return True
        different = [
            key for key in asked if not ask(key).content.items() <= kept[key].content.items()
        ]
        self._trusted = not different
        if different:
            self._say(
                f"The stored run {self.name} is not of this {self._of}: asked again just now, "
                f"{len(different)} of {len(asked)} questions got another answer "
                f"({different[0]}). It is not used; the questions are asked live."
            )
            if stored is self._own:
                self._own = None
            else:
                self._given = None
        return self._trusted

    def _asked(
        self,
        keys: Sequence[str],
        ask: Callable[[str], Item],
        section: str,
        last: bool,
        keep: Callable[[Item], bool],
        progress: Progress,
    ) -> list[Item]:
        if self._own is None or self._own.complete:
            self._own = StoredRun(
                self.name, self._version, datetime.now(UTC), cores=os.cpu_count() or 1
            )
        kept = self._own.sections.setdefault(section, {})
        found: dict[str, Item] = {}
        saved = time.monotonic()
        try:
            for key in progress(keys):
                found[key] = kept[key] if key in kept else ask(key)
                if keep(found[key]):
                    kept[key] = found[key]
                else:
                    self._whole = False
                if time.monotonic() - saved > SAVE_EVERY_S:
                    write(self._own, runs_dir())
                    saved = time.monotonic()
            self._own.complete = last and self._whole
        finally:  # what was asked before an interruption is not asked again
            write(self._own, runs_dir())
        return [found[key] for key in keys]


def _shown(version: Version) -> str:
    """The digest of the agent, where the version has all of it, and of nothing around it."""
    return (version.only(AGENT) if version.parts.keys() >= set(AGENT) else version).digest


def _always_live() -> bool:
    return os.environ.get("COURSE_LIVE", "").strip() not in {"", "0"}


def _took(stored: StoredRun) -> str:
    return (
        f"{minutes(stored.wall_seconds)} ({stored.cpu_seconds:.0f} CPU seconds, "
        f"{stored.cores} cores)"
    )


def _date(when: datetime) -> str:
    return f"{when.day} {when:%B %Y}"


def command(name: str) -> str:
    """What a person types to make the run of a step again."""
    return f"course runs {name}"
