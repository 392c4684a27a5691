"""What a rule is, and how its function is found.

`rules.yaml` says of each rule what it is about, why it matters and what to do. A function marked
with `finds` looks at the whole set of objects and yields problems, each with the name of its rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from helpers.deploy.finding import Finding, Layer, Severity
from helpers.deploy.objects import Objects
from helpers.deploy.render import Item
from helpers.deploy.sources import Place


@dataclass(frozen=True)
class Rule:
    """One kind of fault."""

    id: str
    title: str
    layer: Layer
    severity: Severity
    why: str
    fix: str


@dataclass(frozen=True)
class Problem:
    """A rule that an object breaks, and where in it.

    `sure` is false where an object that cannot be seen here may make it right: it is then at most a
    warning.
    """

    rule: str
    item: Item
    place: Place
    what: str
    sure: bool = True

    def saying(self, what: str) -> "Problem":
        """The same problem in other words."""
        return replace(self, what=what)

    def finding(self) -> Finding:
        """The problem with its place in the files and the texts of its rule."""
        rule = RULES[self.rule]
        severity = "warning" if rule.severity == "error" and not self.sure else rule.severity
        named = f"{self.item.kind or 'document'} {self.item.name}".strip()
        file, line = self.item.locate(self.place)
        return Finding(
            rule.id, severity, rule.layer, named, self.what, rule.why, rule.fix, file, line
        )


def _read() -> dict[str, Rule]:
    path = Path(__file__).with_name("rules.yaml")
    texts = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: Rule(id=name, **fields) for name, fields in texts.items()}


RULES = _read()

Finder = Callable[[Objects], Iterator[Problem]]
_FINDERS: list[Finder] = []


def finds(finder: Finder) -> Finder:
    """Have a function tried on each set of objects."""
    _FINDERS.append(finder)
    return finder


def found_in(objects: Objects) -> Iterator[Problem]:
    """What all rules find."""
    for finder in _FINDERS:
        yield from finder(objects)
