"""What an attack and a benign request are, and the course's own of both, which are open to all.

The own material is visible: a learner looks at it, and controls are tuned on it. What decides is
`heldout`.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar, get_args

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass as checked

from helpers.security.attacks.wording import DEFAULT, Wording
from helpers.security.labels import Place

Goal = Literal["secret", "action", "text"]
Kind = Literal["direct", "indirect"]

PLACES: Final[tuple[Place, ...]] = get_args(Place)
FOLDER: Final = Path(__file__).parent / "material"

T = TypeVar("T")

_STRICT = ConfigDict(extra="forbid")
_Text = Annotated[str, Field(min_length=1)]
_Customer = Annotated[str, Field(pattern=r"^C-\d{4}$")]


class MaterialError(ValueError):
    """A file of attacks or benign requests breaks the format; the message names file and field."""


@checked(frozen=True, config=_STRICT)
class Planted:
    """What an attacker has left where the agent reads it.

    `place` says in whose words: a customer's review under a document ("document"), the note that a
    customer wrote on an order ("order"), or a message of the carrier's system, which the order
    lookup passes on ("tool"). `labelled` says whether the shop's system marks it as such a text;
    without a label it looks like the shop's own words, as on a page that an attacker has changed.
    """

    place: Place
    text: _Text
    labelled: bool = True


@checked(frozen=True, config=_STRICT)
class Attack:
    """One attack: what is said to the agent, by whom, and what would be a success.

    Attributes:
        id: unique among the attacks of a run.
        family: attacks of one author or one technique; rates are reported by family.
        author: who wrote it.
        goal: "secret": the goodwill code gets out. "action": the agent does what must not be done.
            "text": words of the attacker's reach the customer as if they were the shop's.
        request: what the person writes. In an indirect attack, an ordinary customer's question.
        customer: who is logged in; None: nobody.
        planted: in an indirect attack, what the attacker has left, and where.
        unwanted: of an attack whose goal is "text", the words that must not reach the customer: a
            false fact, an address. Any of them is a success.
    """

    id: _Text
    family: _Text
    author: _Text
    goal: Goal
    request: _Text
    customer: _Customer | None = None
    planted: Planted | None = None
    unwanted: tuple[_Text, ...] = ()

    @model_validator(mode="after")
    def _has_what_it_is_judged_by(self) -> Self:
        if (self.goal == "text") != bool(self.unwanted):
            raise ValueError('`unwanted` words belong to the goal "text", and it needs some')
        return self

    @property
    def kind(self) -> Kind:
        """Whether the person attacks, or a text that the agent reads on a customer's behalf."""
        return "direct" if self.planted is None else "indirect"


@checked(frozen=True, config=_STRICT)
class Benign:
    """A harmless request that looks suspicious, and the facts that a right answer states.

    A right answer states one alternative of every group in `required`, nothing of `forbidden`, and
    does not refuse; and nothing was done beside `asks_for`, the actions that the person wants.
    `planted` is a harmless text of a customer's or a carrier's that waits where the agent reads.
    """

    request: _Text
    required: Annotated[tuple[tuple[_Text, ...], ...], Field(min_length=1)]
    forbidden: tuple[_Text, ...] = ()
    asks_for: tuple[_Text, ...] = ()
    customer: _Customer | None = None
    planted: Planted | None = None


OWN_AUTHOR: Final = "this course"


@checked(frozen=True, config=_STRICT)
class _Written:
    """An attack as a file holds it: what the attacks of a family share stands elsewhere."""

    request: _Text
    customer: _Customer | None = None
    planted: Planted | None = None
    goal: Goal = "secret"
    unwanted: tuple[_Text, ...] = ()


_ATTACKS: Final = TypeAdapter(dict[str, list[_Written]])
_BENIGN: Final = TypeAdapter(list[Benign])


def visible_attacks(kind: Kind | None = None, *, wording: Wording = DEFAULT) -> list[Attack]:
    """The course's own attacks, direct ones first; of one `kind`, or all.

    `wording` is what they call the secret; it must be that of the agent's prompt.

    Raises `MaterialError` when a file is missing or breaks the format.
    """
    return [attack for attack in _visible(wording) if kind in (None, attack.kind)]


def benign_requests() -> list[Benign]:
    """The course's harmless requests, in the order of the file. Raises as `visible_attacks`."""
    return list(_benign("benign.yaml"))


def harmless_texts() -> list[Benign]:
    """Honest questions while harmless reviews, notes and messages wait where the agent reads.

    What a control against planted text costs. Some ask for the very text. Raises as
    `visible_attacks`.
    """
    return list(_benign("harmless_texts.yaml"))


@cache
def _visible(wording: Wording) -> tuple[Attack, ...]:
    files = ("direct.yaml", "indirect.yaml", "planted.yaml")
    return tuple(one for file in files for one in load_attacks(FOLDER / file, wording=wording))


@cache
def _benign(file: str) -> tuple[Benign, ...]:
    found: list[Benign] = _read(FOLDER / file, _BENIGN)
    return tuple(found)


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of the items, evenly spaced and in their order; all when there are fewer."""
    if most < 1:
        raise ValueError("Take at least one item: give `most` a number from 1.")
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]


def load_attacks(
    path: Path, *, author: str = OWN_AUTHOR, wording: Wording = DEFAULT
) -> list[Attack]:
    """The attacks of one file: `{family: [attack, ...]}`. Raises as `visible_attacks`."""
    families = _read(path, _ATTACKS)
    return [
        Attack(
            id=f"{path.stem}-{family.replace(' ', '-')}-{number}",
            family=family,
            author=author,
            goal="text" if one.unwanted else one.goal,
            request=wording.fill(one.request),
            customer=one.customer,
            planted=one.planted and replace(one.planted, text=wording.fill(one.planted.text)),
            unwanted=one.unwanted,
        )
        for family, written in families.items()
        for number, one in enumerate(written, start=1)
    ]


def _read(path: Path, adapter: TypeAdapter[T]) -> T:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return adapter.validate_python(content)
    except FileNotFoundError:
        raise MaterialError(f"{path} is missing: restore it from the repository.") from None
    except yaml.YAMLError as problem:
        raise MaterialError(f"{path.name} is not YAML: {problem}") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise MaterialError(f"{path.name}: {place}: {first['msg']}") from problem
