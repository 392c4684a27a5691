"""What a check says about one place in a set of manifests."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "not checked"]
"""An error does not work, or loses requests or secrets; a warning is a risk."""
Layer = Literal["schema", "policy", "cross-resource"]
"""Who can see it: the schema, a rule on one object, or a rule on several together."""


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

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        text = f"{place}{self.severity}: {self.object}: {self.what}  [{self.rule}]"
        return "\n".join([text, f"    Why: {self.why}", f"    Fix: {self.fix}"])
