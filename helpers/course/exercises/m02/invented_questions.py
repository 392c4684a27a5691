"""Questions that exercise 02.4 is tried on: those of another part, and invented ones."""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from helpers.shop import documents, questions

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LAST_FOUND: Final = "2026-04-07"
FIRST_LOST: Final = "2026-04-16"
"""Between these two days the questions of the dev part leave open where the group begins.

The one question about a text of 14 April is found by neither search, which proves nothing.
"""

_DAYS: Final = (
    *("2026-04-06", LAST_FOUND, FIRST_LOST, "2026-04-17", "2026-04-30", "2026-05-01"),
    *("2026-03-31", "2026-06-02", "2026-12-31", "2027-01-05", "2027-04-01", "2028-02-29"),
    *("2024-05-20", "2024-12-31", "2025-04-14", "2025-05-08", "2025-09-01", "2025-12-29"),
)
_OF_THE_DOCUMENT: Final = ("document", "doc_title", "doc_kind", "doc_words", "doc_price")


@cache
def _rows(part: Any) -> tuple[dict[str, Any], ...]:
    from helpers.evaluate.testing.searches import known_of

    return tuple(known_of(question) for question in questions(part))


def unseen() -> list[dict[str, Any]]:
    """The lab part's questions that a document answers; none where `seen` leaves it open."""
    import pandas as pd

    last, first = pd.Timestamp(LAST_FOUND), pd.Timestamp(FIRST_LOST)
    answered = (dict(row) for row in _rows("lab") if row["document"] is not None)
    return [row for row in answered if not last < row["updated"] < first]


def without_document() -> list[dict[str, Any]]:
    """The lab part's questions that no document answers."""
    return [dict(row) for row in _rows("lab") if row["document"] is None]


def both_sides() -> list[dict[str, Any]]:
    """Questions on both sides of where the group begins, far from it, and in other years.

    Each day has the same questions, about documents that do not exist; one is of a kind that the
    shop's questions do not have.
    """
    import pandas as pd

    found = []
    bases = [row for row in _rows("dev") if row["document"] is not None][::15]
    for number, row in enumerate(bases):
        made = row | {"id": f"new-{number}", "document": f"new-{number}", "doc_title": "New"}
        if number == 1:
            made["kind"] = "comparison"
        found += [made | {"updated": pd.Timestamp(day)} for day in _DAYS]
    return found


def rewritten() -> list[dict[str, Any]]:
    """A question about each of the shop's documents, if it had last been changed on other days."""
    import pandas as pd

    base = next(row for row in _rows("dev") if row["document"] is not None)
    found = []
    for number, one in enumerate(documents()):
        about = {
            "id": f"other-{number}",
            "document": one.id,
            "doc_title": one.title,
            "doc_kind": one.kind,
            "doc_words": len(one.text.split()),
            "doc_price": None if one.price is None else float(one.price),
        }
        for day in ("2025-12-29", FIRST_LOST):
            found.append(base | about | {"updated": pd.Timestamp(day)})
    return found


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Any question about any document, last changed on any day that decides."""
    import pandas as pd
    from hypothesis import strategies as st

    rows = [row for row in _rows("dev") if row["document"] is not None]
    days = [
        *_DAYS,
        *(str(day.date()) for day in pd.date_range("2025-01-01", LAST_FOUND, freq="17D")),
        *(str(day.date()) for day in pd.date_range(FIRST_LOST, "2027-12-31", freq="17D")),
    ]

    @st.composite
    def some(draw: st.DrawFn) -> tuple[dict[str, Any]]:
        question, about = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
        made = question | {name: about[name] for name in _OF_THE_DOCUMENT}
        made["updated"] = pd.Timestamp(draw(st.sampled_from(days)))
        made["logged_in"] = draw(st.booleans())
        made["words_shared"] = draw(st.integers(0, 9))
        if draw(st.booleans()):
            made |= {"document": "new", "doc_title": "New", "id": "new-1"}
        return (made,)

    return some()
