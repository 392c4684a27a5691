"""What an operator sees and does in a drill. A person's prompt and a script use the same.

Minutes are the shop's, counted from the beginning of the shift.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, get_args

from helpers.operate.testing.drill_plan import KINDS, Change, Plan
from helpers.shop import documents
from helpers.shop.seed import generate

Action = Literal["switch-model", "rollback", "limit", "withdraw"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
OWN_LIMITS: Final = ("rate-limited", "budget-spent", "too-many-at-once")
"""Kinds of problems that a customer has by asking too much."""
RIGHT: Final[Mapping[str, Action]] = {
    "model down": "switch-model",
    "bad release": "rollback",
    "cost spike": "limit",
    "poisoned document": "withdraw",
}
"""Which action ends which incident."""


class DrillError(ValueError):
    """Something cannot be done in a drill; the message says what can."""


@dataclass(frozen=True)
class Page:
    """An alert that fires, since which minute; `severity` "page" wakes a person, "ticket" waits."""

    alert: str
    summary: str
    severity: str
    minute: float


@dataclass(frozen=True)
class Event:
    """One line of the drill's timeline."""

    minute: float
    what: str
    detail: str = ""


class Running(Protocol):
    """The drill behind a console."""

    plan: Plan

    @property
    def prometheus(self) -> str | None:
        """The address of the Prometheus that watches; None on simulated time."""
        ...

    def minute(self) -> float:
        """The present minute."""
        ...

    def answers(self, since: float) -> list[dict[str, Any]]:
        """What customers were answered since a minute."""
        ...

    def usd(self, since: float) -> float:
        """Dollars that tokens have cost since a minute."""
        ...

    def firing(self) -> list[Page]:
        """The alerts that fire."""
        ...

    def do(self, action: str, about: str) -> None:
        """Begin an action."""
        ...


@dataclass
class Console:
    """See the module.

    Attributes:
        events: what happened so far, as far as the operator has done or seen it.
    """

    running: Running
    events: list[Event] = field(default_factory=list)

    # --- look -------------------------------------------------------------------------------------

    @property
    def minute(self) -> float:
        """Minutes since the shift began."""
        return self.running.minute()

    @property
    def left(self) -> float:
        """Minutes until the shift ends."""
        return max(0.0, self.running.plan.minutes - self.minute)

    @property
    def clock(self) -> str:
        """The shop's time of day, such as "14:05"."""
        return self.at(self.minute)

    def at(self, minute: float) -> str:
        """The time of day in a minute of the shift."""
        return self.running.plan.clock(minute)

    @property
    def prometheus(self) -> str:
        """The address of the drill's Prometheus. Raises `DrillError` where none runs."""
        if self.running.prometheus is None:
            raise DrillError(
                "This drill is on simulated time and has no Prometheus: use figures()."
            )
        return self.running.prometheus

    def pages(self) -> list[Page]:
        """The alerts that fire now. One that is false is possible, and one may follow an action."""
        return self.running.firing()

    def figures(self, minutes: float = 10.0) -> dict[str, float]:
        """Figures of the last minutes.

        `answers`: requests that ended, the canaries' among them; `failed`: of these, those without
        an answer, other than for the customer's own limit; `canaries`: canary questions,
        `canaries_wrong`: of these; `foreign`: answers with an address that is not the shop's;
        `usd`: cost of all tokens, in dollars.
        """
        since = self.minute - minutes
        rows = self.running.answers(since)
        canaries = [one["canary"] for one in rows if one["canary"]]
        return {
            "answers": len(rows),
            "failed": sum(one["failed"] not in ("", *OWN_LIMITS) for one in rows),
            "canaries": len(canaries),
            "canaries_wrong": canaries.count("wrong"),
            "foreign": sum(bool(one["addresses"]) for one in rows),
            "usd": self.running.usd(since),
        }

    def answers(self, minutes: float = 10.0) -> list[dict[str, Any]]:
        """What was answered in the last minutes, the oldest first, a dict each.

        `minute`, `customer` ("" for a visitor who is not logged in, and for a canary), `intent`,
        `question`, `answer`, `document` (the id of the document that the answer rests on, "" for
        none), `failed` (the kind of problem, "" for none), `addresses` (web domains in the answer
        that are not the shop's), `canary` ("right", "wrong" or "failed"; "" for a customer's).
        """
        return self.running.answers(self.minute - minutes)

    def changes(self) -> list[Change]:
        """What the team has changed so far: releases, and edits of documents."""
        return [one for one in self.running.plan.changes if one.minute <= self.minute]

    # --- act --------------------------------------------------------------------------------------

    def notice(self, why: str = "") -> None:
        """Say that something is wrong: from then on it counts as noticed."""
        self._note("noticed", why)

    def diagnose(self, kind: str) -> None:
        """Say what is wrong: one of `KINDS`. Raises `DrillError` for another word."""
        if kind not in KINDS:
            raise DrillError(f"{kind!r} is no diagnosis: say one of {', '.join(KINDS)}.")
        self._note("diagnosed", kind)

    def act(self, action: str, about: str = "") -> None:
        """Change the running service; it takes a minute or two until it works.

        `switch-model`: another host's model answers, at 2.7 times the price. `rollback`: the
        release before. `limit` CUSTOMER: this customer's requests are refused. `withdraw` DOCUMENT:
        no answer rests on it any more.

        Raises:
            DrillError: there is no such action, customer or document.
        """
        if action not in ACTIONS:
            raise DrillError(f"There is no action {action!r}: take one of {', '.join(ACTIONS)}.")
        if action == "limit" and about not in {one.id for one in generate()[0]}:
            raise DrillError(f"There is no customer {about!r}: write an id, as in `limit C-0042`.")
        if action == "withdraw" and about not in {one.id for one in documents()}:
            raise DrillError(f"There is no document {about!r}: write an id as `answers` shows it.")
        if action in ("switch-model", "rollback") and about:
            raise DrillError(f"{action} takes nothing more: leave out {about!r}.")
        self._note("acted", f"{action} {about}".strip())
        self.running.do(action, about)

    def leave(self) -> None:
        """Note that the operator leaves before the end."""
        self._note("left", "")

    async def wait(self, minutes: float = 1.0) -> bool:
        """Let minutes pass; False when the shift has ended. Raises `DrillError` below 0.1."""
        if not minutes >= 0.1:
            raise DrillError(
                f"Wait at least 0.1 minutes, not {minutes}: nothing changes meanwhile."
            )
        await asyncio.sleep(60 * min(minutes, self.left))
        return self.left > 0

    def _note(self, what: str, detail: str) -> None:
        self.events.append(Event(self.minute, what, detail))


Operator = Callable[[Console], Awaitable[object]]
"""Someone on duty, as a script."""
