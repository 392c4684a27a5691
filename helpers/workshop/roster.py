"""The roster: who is in the class, so that no learner is missing from the table."""

import csv
import difflib
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.workshop.labs import GradeError
from helpers.workshop.platforms import same

# What a column is called in a list that was made by hand, in Moodle's exports (of participants, of
# grades, and the grading worksheet) and in Canvas's gradebook: the first that is filled counts.
_COLUMNS = {
    "name": ("name", "full name", "student"),
    "first": ("first name", "firstname", "given name"),
    "last": ("last name", "lastname", "surname", "family name"),
    "id": ("id", "id number", "idnumber", "student id", "sis user id", "identifier"),
    "email": ("email", "email address", "e-mail"),
    "login": ("sis login id",),
}
# Lines of Canvas's gradebook that are not learners: what a column is worth, how it is posted, and
# a student for tests.
_CANVAS_OWN = ("", "Points Possible", "Student, Test")
_MOST_BYTES = 5 << 20


@dataclass(frozen=True)
class Person:
    """One learner of the class; `shown` is the name that the table has."""

    name: str
    id: str
    email: str
    shown: str


class Roster:
    """The class, found by name, id or address as platforms write them."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = tuple(people)
        exact = [(same(one), person) for person in people for one in _exactly(person)]
        near = [(one, person) for person in people for one in set(_nearly(person))]
        self._exact, self._near = _only(exact), _only(near)

    def find(self, name: str, number: str = "") -> Person | None:
        """Who is meant by a name, or by a platform's number; None where nobody or several are."""
        # The name first: Moodle's numbers are of the assignment, and could be another one's id.
        return (
            self._exact.get(same(name))
            or self._near.get(_letters(name))
            or (self._exact.get(same(number)) if number else None)
        )

    def nearest(self, name: str) -> str:
        """A name on the roster that is much like this one; "" where none is."""
        shown = {same(person.name): person.shown for person in self.people}
        found = difflib.get_close_matches(same(name), shown, n=1, cutoff=0.8)
        return shown[found[0]] if found else ""


def read_roster(file: Path) -> Roster:
    """Read a CSV with the columns name, and id and email where there are such.

    It may be an export of Moodle's or of Canvas's: see `_COLUMNS`.

    Raises:
        GradeError: there is no such file, or it is not a roster; the message names the line.
    """
    called = file.name
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise GradeError(f"{called} is too large for a roster: it has more than 5 MB.")
        content = file.read_bytes()
    except OSError as error:
        raise GradeError(f"The roster {called} cannot be read: {error.strerror}.") from None
    try:
        utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise GradeError(
            f"{called} is not in UTF-8: in your spreadsheet, save it as CSV UTF-8."
        ) from None
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise GradeError(f"{called} is not a CSV file: {error}.") from None
    people = list(_people(rows, called))
    if not people:
        raise GradeError(f"{called} has no learner below its first line.")
    return Roster(people)


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _people(rows: Sequence[Sequence[str]], called: str) -> Iterator[Person]:
    heads = [head.strip().casefold() for head in rows[0]] if rows else []
    columns = {heading for names in _COLUMNS.values() for heading in names} & set(heads)
    if not columns & {*_COLUMNS["name"], *_COLUMNS["last"]}:
        there = f" It has: {', '.join(head.strip() for head in rows[0])}." if any(heads) else ""
        raise GradeError(
            f"The first line of {called} should name the columns: name (or first name and last "
            f"name), and id and email where you have them.{there}"
        )
    canvas = "student" in columns
    found: list[tuple[int, dict[str, str]]] = []
    lines: dict[tuple[str, str], int] = {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = dict(zip(heads, (" ".join(cell.split()) for cell in row), strict=False))
        one = _person(cells)
        if canvas and one["name"] in _CANVAS_OWN:
            continue
        if canvas:  # "Byron, Ada"
            one["name"] = " ".join(reversed(one["name"].split(", ", 1)))
        if not one["name"]:
            raise GradeError(f"{called}, line {line}: the name is missing.")
        for key in (("id", same(one["id"])), ("email", same(one["email"]))):
            if key[1] and lines.setdefault(key, line) != line:
                raise GradeError(
                    f"{called}, lines {lines[key]} and {line} have the same {key[0]}: remove one."
                )
        key = ("name", f"{same(one['name'])}\n{same(one['id'])}")
        if lines.setdefault(key, line) != line:
            raise GradeError(
                f"{called}, lines {lines[key]} and {line} are the same learner, {one['name']}: "
                "remove one, or give each an id."
            )
        found.append((line, one))
    names = Counter(same(one["name"]) for _, one in found)
    for _, one in found:
        twice = names[same(one["name"])] > 1
        yield Person(**one, shown=f"{one['name']} ({one['id']})" if twice else one["name"])


def _person(cells: dict[str, str]) -> dict[str, str]:
    """The name, id and address in a line: heading -> cell."""
    found = {
        column: unicodedata.normalize("NFC", next(filter(None, map(cells.get, headings)), ""))
        for column, headings in _COLUMNS.items()
    }
    name = found["name"] or f"{found['first']} {found['last']}".strip()
    login = found["login"] if "@" in found["login"] else ""  # some schools' are addresses
    number = found["id"].removeprefix("Participant ")
    return {"name": name, "id": number, "email": found["email"] or login}


def _exactly(person: Person) -> list[str]:
    known = [person.name, person.shown, person.id, person.email, person.email.partition("@")[0]]
    return [one for one in known if one]


def _nearly(person: Person) -> Iterator[str]:
    """The name without accents and spaces, in the orders in which platforms write its words."""
    words = person.name.replace(",", " ").split()
    for order in (words, [*words[-1:], *words[:-1]], [*words[1:], *words[:1]]):
        yield _letters("".join(order))


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def _only(pairs: Sequence[tuple[str, Person]]) -> dict[str, Person]:
    """Key -> person, without the keys that fit several."""
    found: dict[str, set[Person]] = {}
    for key, person in pairs:
        found.setdefault(key, set()).add(person)
    return {key: people.pop() for key, people in found.items() if key and len(people) == 1}
