"""The data of an export: answers, the evidence that they cite, and of which version and date it is.

The page holds it in `<script type="application/json" id="review">`, so that the answers can be
judged again without the learner's folder. It is no proof: a person can edit the text, and a figure
of the evidence as well.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.evaluate.evidence import Evidence, save_json
from helpers.evaluate.packed import FILE, Packed
from helpers.evaluate.version import Version
from helpers.review.judge import Finding

FORMAT = 1
MOST_BYTES = 2 << 20
"""The largest page that is written and read."""

OPENING = '<script type="application/json" id="review">'
_BLOCK = re.compile(re.escape(OPENING) + r"(.*?)</script>", re.DOTALL)
_ITEM = re.compile(r"[a-z][a-z0-9_-]{0,60}")


class ExportedError(ValueError):
    """A file is no export, or a damaged one; the message says what is the matter."""


@dataclass(frozen=True)
class ExportedAnswer:
    """An answer, what was found in it, and what it is judged by.

    Attributes:
        question: such as "Q1".
        text: Markdown.
        written: when it was reviewed last.
        findings: of the judgement at the export.
        about: of which version and date its evidence is to be.
        evidence: item -> the evidence, of the items that it cites.
    """

    question: str
    text: str
    written: datetime
    findings: tuple[Finding, ...]
    about: Packed
    evidence: Mapping[str, Evidence]

    def unpack(self, folder: Path) -> Path:
        """Write a packed home with its evidence into a folder; gives back the folder."""
        save_json(folder / FILE, self.about.as_json())
        for item, one in self.evidence.items():
            save_json(folder / "evidence" / f"{item}.json", one.as_json())
        return folder


@dataclass(frozen=True)
class Export:
    """What one page holds; `name` is the learner's, where it was given."""

    answers: tuple[ExportedAnswer, ...]
    exported: datetime
    name: str | None = None

    def block(self) -> str:
        """The data as an element of the page. No text in it can end the element."""
        content = {
            "format": FORMAT,
            "exported": _time(self.exported),
            **({"name": self.name} if self.name else {}),
            "answers": [_answer_as_json(one) for one in self.answers],
        }
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        for sign in "<>&\u2028\u2029":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        return f"{OPENING}{text}</script>"


def is_export(content: bytes) -> bool:
    """Whether a file looks like an export, damaged or not."""
    return OPENING.encode() in content


def parse(content: bytes) -> Export:
    """Read an export's data. Raises ExportedError."""
    if len(content) > MOST_BYTES:
        raise ExportedError(f"it is larger than {MOST_BYTES >> 20} MB")
    try:
        blocks = _BLOCK.findall(content.decode("utf-8"))
        if len(blocks) != 1:
            raise ExportedError("it is not a page that `course review export` wrote")
        found: Any = json.loads(blocks[0])
        if found["format"] != FORMAT:
            raise ExportedError("another version of the course wrote it")
        answers = tuple(_answer(one) for one in found["answers"])
        name = found.get("name")
        made = Export(answers, _read_time(found["exported"]), None if name is None else str(name))
    except ExportedError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise ExportedError(f"its data is damaged ({type(problem).__name__})") from problem
    if not answers or len({one.question for one in answers}) != len(answers):
        raise ExportedError("it has no answer, or two to the same question")
    return made


def _answer_as_json(one: ExportedAnswer) -> dict[str, Any]:
    return {
        "question": one.question,
        "text": one.text,
        "written": _time(one.written),
        "findings": [asdict(finding) for finding in one.findings],
        "about": one.about.as_json(),
        "evidence": {item: found.as_json() for item, found in one.evidence.items()},
    }


def _answer(found: Any) -> ExportedAnswer:
    about = found["about"]
    if not isinstance(found["text"], str):
        raise TypeError(found["text"])
    return ExportedAnswer(
        question=str(found["question"]),
        text=found["text"],
        written=_read_time(found["written"]),
        findings=tuple(Finding(str(one["aspect"]), str(one["text"])) for one in found["findings"]),
        about=Packed(_version(about["version"]), _read_time(about["recorded"])),
        evidence={item: _evidence(item, one) for item, one in found["evidence"].items()},
    )


def _evidence(item: str, found: Any) -> Evidence:
    if not _ITEM.fullmatch(item) or found["item"] != item:  # it becomes the name of a file
        raise ValueError(item)
    _version(found["version"])
    _read_time(found["written"])
    return Evidence.of_json(found)


def _version(found: Any) -> Version:
    version = Version({str(name): str(digest) for name, digest in found["parts"].items()})
    if found["digest"] != version.digest:
        raise ExportedError("its data is damaged (a version's digest is not that of its parts)")
    return version


def _time(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")


def _read_time(text: Any) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(text)
    return when
