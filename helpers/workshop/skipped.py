"""Which sections must run although a plan leaves them out: later ones use what they define.

Names are read from the code: what a section's cells define, and what later cells use. A file that a
cell writes with `%%writefile` counts as a name too.
"""

import re
from collections.abc import Sequence

from helpers.workshop.cells import Section
from helpers.workshop.names import names_in, statements

_WRITTEN = re.compile(r"#? ?%%writefile (?:(?:-a|--append) )?(?:\S*/)?([\w.-]+)")


def run_first(sections: Sequence[Section], shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Heading of a shown section -> the headings of left-out ones to run before it, in order.

    Args:
        sections: those of a walkthrough, in order.
        shown: the headings of the sections that a plan shows.
    """
    needs = _needs(sections)
    ran = set(shown)
    found: dict[str, tuple[str, ...]] = {}
    for place, section in enumerate(sections):
        if section.heading in shown:
            wanted = _closure(place, needs)
            first = [one for n, one in enumerate(sections) if n in wanted]
            found[section.heading] = tuple(one.heading for one in first if one.heading not in ran)
            ran |= set(found[section.heading])
    return {heading: names for heading, names in found.items() if names}


def _closure(place: int, needs: Sequence[set[int]]) -> set[int]:
    """The sections that one needs, and those that these need."""
    found: set[int] = set()
    waiting = [place]
    while waiting:
        for one in needs[waiting.pop()] - found:
            found.add(one)
            waiting.append(one)
    return found


def _needs(sections: Sequence[Section]) -> list[set[int]]:
    """For each section, the earlier ones that define what it uses."""
    last: dict[str, int] = {}
    found = []
    for place, section in enumerate(sections):
        needed: set[int] = set()
        for code in section.code:
            if written := _WRITTEN.match(code):
                last[written[1]] = place
                continue
            used, defined = _names(code)
            needed |= {last[name] for name in used if name in last}
            needed |= {at for name, at in last.items() if "." in name and name in code}
            last |= dict.fromkeys(defined, place)
        found.append(needed - {place})
    return found


def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that a cell takes from earlier ones, and those that it defines."""
    taken: set[str] = set()
    defined: set[str] = set()
    for statement in statements(code):
        names = names_in(statement)
        # A function is called later: by then, all of its cell has run.
        later = statement.startswith(("def ", "async def ", "class ", "@"))
        taken |= names.used - (names_in(code).defined if later else defined)
        defined |= names.defined
    return taken, defined
