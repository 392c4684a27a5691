"""What a check says about one place in a set of manifests, and the rules that it may name.

`rules.yaml` says of each rule why it matters and what to do. The functions in `rules/` and
`schema.py` yield problems; each becomes a finding with its file and line.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from helpers.deploy.render import Item
from helpers.deploy.sources import Place, get

IGNORE = "ignore-check.deploy-check/"
"""An annotation of this prefix and a rule's name, with a reason, ignores that rule's findings in
its object alone."""

Severity = Literal["error", "warning", "not checked"]
"""An error does not work, or loses requests or secrets; a warning is a risk."""
Layer = Literal["schema", "policy", "cross-resource"]
"""Who can see it: the schema, a rule on one object, or a rule on several together."""


@dataclass(frozen=True)
class Rule:
    """One kind of fault."""

    layer: Layer
    severity: Severity
    why: str
    fix: str


RULES = {
    name: Rule(**texts)
    for name, texts in yaml.safe_load(
        (Path(__file__).parent / "rules" / "rules.yaml").read_text(encoding="utf-8")
    ).items()
}


@dataclass(frozen=True)
class Finding:
    """One fault, with its place, its consequence, and what to do about it."""

    rule: str
    severity: Severity
    layer: Layer
    object: str
    """Kind and name, such as `Deployment agent`."""
    what: str
    why: str
    fix: str
    file: str = ""
    """Empty where the object was given in memory."""
    line: int = 0
    """Counted from 1; 0 where the object was given in memory."""
    ignored: str = ""
    """Why it may be ignored, as an annotation of the object says; empty where it may not."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        text = f"{place}{self.severity}: {self.object}: {self.what}  [{self.rule}]"
        last = f"Ignored: {self.ignored}" if self.ignored else f"Fix: {self.fix}"
        return "\n".join([text, f"    Why: {self.why}", f"    {last}"])


@dataclass(frozen=True)
class Problem:
    """A rule that an object breaks, and where in it.

    `sure` is false where something that cannot be seen here may make it right: it is then at most a
    warning.
    """

    rule: str
    item: Item
    place: Place
    what: str
    sure: bool = True

    def finding(self) -> Finding:
        """The problem with its place in the files and the texts of its rule."""
        rule = RULES[self.rule]
        severity = "warning" if rule.severity == "error" and not self.sure else rule.severity
        named = f"{self.item.kind or 'document'} {self.item.name}".strip()
        file, line = self.item.locate(self.place)
        texts = (self.what, rule.why, rule.fix, file, line)
        reason = get(self.item.body, "metadata", "annotations", IGNORE + self.rule)
        ignored = " ".join(str(reason or "").split())
        return Finding(self.rule, severity, rule.layer, named, *texts, ignored)
