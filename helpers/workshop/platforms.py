"""Whose a file is, by the names that people and learning platforms give.

Known are Moodle's "Ada Byron_12345_assignsubmission_file_", as a folder or at the beginning of a
file's name; Canvas's "byronada_LATE_12345_67890_name-1.ipynb"; a folder for each learner; a folder
for each lab; a zip of the learners' zips; and files in one folder, named after the learner, with or
without the lab's name.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
_CANVAS = re.compile(r"(?P<name>.+?)_(?P<late>LATE_)?(?P<id>\d{2,})_\d{2,}_(?P<file>.+)")
_AGAIN = re.compile(r"-(?P<number>\d{1,3})(?=\.[A-Za-z]+$|$)")
_LAB_FOLDER = re.compile(r"(?:(?:lab|module|week)[ _-]*)?(?P<number>\d\d)(?:[ _-]*lab)?", re.I)
_EDGES = " _-.,()[]"


@dataclass(frozen=True)
class Owner:
    """Whose a file is; `learner` is "" where the name does not tell.

    `id` is the platform's number of the learner, `attempt` that of the resubmission (0: the first),
    `place` the folders above, and `rest` the path below the learner's own.
    """

    learner: str
    rest: tuple[str, ...]
    place: tuple[str, ...] = ()
    id: str = ""
    late: bool = False
    attempt: int = 0
    by_platform: bool = False


def same(name: str) -> str:
    """A name for comparison: accents composed, one space between words, no capitals."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def plain(name: str) -> str:
    """The same without accents."""
    apart = unicodedata.normalize("NFKD", same(name))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def owners(
    paths: Iterable[tuple[str, ...]],
    stems: Collection[str],
    known: Callable[[str], bool] = lambda _: False,
    zips: Collection[tuple[str, ...]] = (),
) -> dict[tuple[str, ...], Owner]:
    """Each path's owner.

    Args:
        paths: from the submissions' folder.
        stems: the labs' names, such as "01_build_an_agent".
        known: whether a name is on the roster.
        zips: which of these paths, or of the folders in them, are zips.
    """
    paths = list(paths)
    inside: dict[tuple[str, ...], set[str]] = {}  # folder -> what is in it
    for path in paths:
        for depth in range(1, len(path)):
            inside.setdefault(path[:depth], set()).add(path[depth])

    def holds_learners(place: tuple[str, ...]) -> bool:
        if _is_lab_folder(place[-1], stems):
            return True
        if _platform(place[-1]) or known(place[-1]):
            return False
        if any(_platform(name) or known(name.rpartition(".")[0] or name) for name in inside[place]):
            return True
        # Several zips in a zip with no notebook beside them: a learner each, unless a lab each.
        held = [name for name in inside[place] if (*place, name) in zips]
        return (
            place in zips
            and len(held) > 1
            and not any(name.casefold().endswith(".ipynb") for name in inside[place])
            and not any(_is_a_lab(name, stems) for name in held)
        )

    def owner(path: tuple[str, ...]) -> Owner:
        depth = 0
        while depth + 1 < len(path) and holds_learners(path[: depth + 1]):
            depth += 1
        place, name, rest = path[:depth], path[depth], path[depth + 1 :]
        if found := _platform(name):
            return _placed(found, place, rest)
        if rest:
            return Owner(_composed(name), rest, place)
        return Owner(
            _composed(_without_lab(name.rpartition(".")[0] or name, stems)), (name,), place
        )

    return {path: owner(path) for path in paths}


def copy_number(name: str) -> int:
    """The number that a browser or a file manager gave to a copy: 2 in "lab (2).ipynb"."""
    found = re.search(r"(?: \((\d+)\)|[-_ ](?:copy|Copy)(\d*))(?=\.|$)", name)
    return int(found[1] or found[2] or 1) if found else 0


def _placed(found: Owner, place: tuple[str, ...], rest: tuple[str, ...]) -> Owner:
    return Owner(
        found.learner,
        rest or found.rest,
        place,
        found.id,
        found.late,
        found.attempt,
        by_platform=True,
    )


def _platform(name: str) -> Owner | None:
    """What a platform's name says; None where no platform gave it."""
    if found := _MOODLE.fullmatch(name):
        file = found["file"] or name
        return Owner(_composed(found["name"]), (file,), id=found["id"])
    if found := _CANVAS.fullmatch(name):
        again = _AGAIN.search(found["file"])
        file = _AGAIN.sub("", found["file"])
        late, attempt = bool(found["late"]), int(again["number"]) if again else 0
        return Owner(_composed(found["name"]), (file,), (), found["id"], late, attempt)
    return None


def _composed(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _is_lab_folder(name: str, stems: Collection[str]) -> bool:
    if name in stems:
        return True
    found = _LAB_FOLDER.fullmatch(name)
    return found is not None and any(stem.startswith(found["number"]) for stem in stems)


def _is_a_lab(name: str, stems: Collection[str]) -> bool:
    name = name.removesuffix(".zip")
    return _is_lab_folder(name, stems) or not _without_lab(name, stems)


def _without_lab(stem: str, stems: Collection[str]) -> str:
    """Whose a single file is: its name without the lab's; "" where nothing is left."""
    for lab in sorted(stems, key=len, reverse=True):
        if lab in stem:
            rest = stem.replace(lab, " ").strip(_EDGES)
            return "" if not rest or rest.isdigit() or rest.casefold() == "copy" else rest
    return stem
