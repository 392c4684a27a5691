"""Accept a risk: ship although an item of the checklist has failed.

Only what was measured can be accepted. An item that was not assessed is unknown, and an unknown
risk has no size that a person could answer for.
"""

import textwrap
from datetime import date, datetime
from pathlib import Path

from helpers.evaluate.acceptance import Acceptance, AcceptanceError, check, iso_date, save
from helpers.evaluate.checklist import STATE_COMMAND, Finding, item, missed
from helpers.evaluate.evidence import refuse_fast_mode
from helpers.evaluate.packed import version_and_time
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.version import Version

ACCEPT_COMMAND = 'course ship-check --accept {item} "..." --by NAME --until YYYY-MM-DD'


def propose(
    name: str,
    reason: str,
    *,
    by: str,
    until: str | date,
    version: Version | None = None,
    now: datetime | None = None,
    home: Path | None = None,
) -> Acceptance:
    """What would be accepted; nothing is written yet.

    Args:
        name: an item of the checklist that has failed on current evidence.
        reason: at least five words.
        by: the name of the person who answers for it.
        until: the last day on which it counts, at most 90 days ahead (UTC).
        version: what is about to be shipped, as for `ship_check`.
        now: the moment, as for `ship_check`.
        home: a folder like `.course`, by default your own.

    Raises:
        AcceptanceError: it cannot be accepted; the message is one sentence that says why.
        FastMode: `COURSE_FAST` is on, and the home is your own.
        KeyError: there is no such item.
    """
    about = item(name)
    if home is None:  # the evidence in another home was not measured now
        refuse_fast_mode(ACCEPT_COMMAND.format(item=name))
    version, now = version_and_time(home, version, now)
    last = iso_date(until) if isinstance(until, str) else until
    said, person = (" ".join(text.split()) for text in (reason, by))
    acceptance = Acceptance(
        item=name,
        digest=version.digest,
        parts=version.only(about.parts),
        written=now,
        by=person,
        until=last,
        reason=said,
        missed=missed(_failed(ship_check(version, now=now, home=home).findings, name)),
    )
    check(person, said, last, acceptance.day)
    return acceptance


def accept(
    name: str,
    reason: str,
    *,
    by: str,
    until: str | date,
    version: Version | None = None,
    now: datetime | None = None,
    home: Path | None = None,
) -> Path:
    """Accept the risk of a failed item, as `propose` describes it; returns the file."""
    risk = propose(name, reason, by=by, until=until, version=version, now=now, home=home)
    return save(risk, home)


def in_words(risk: Acceptance) -> str:
    """Exactly what is accepted, for the person to read before it is written."""
    about = item(risk.item)
    days = risk.days_left(risk.written)
    lines = [f"Risk to be accepted: {about.title}, owner: {about.owner}."]
    for line in (
        *(f"- {each}" for each in risk.missed),
        f"What can happen: {about.why}",
        f"For version {risk.digest}, until {risk.until} ({days} day{'' if days == 1 else 's'}).",
        f"By {risk.by}, because: {risk.reason}",
    ):
        lines += textwrap.wrap(line, 100, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def _failed(findings: tuple[Finding, ...], name: str) -> Finding:
    """The finding of an item that a person can accept. Raises `AcceptanceError` for any other."""
    finding = next(each for each in findings if each.item.name == name)
    title = finding.item.title
    if finding.item.stated:
        command = STATE_COMMAND.format(item=name)
        raise AcceptanceError(f"{title} has no figure to accept, so state it: {command}")
    if finding.status == "passed":
        raise AcceptanceError(f"{title} has passed, so there is no risk to accept.")
    if finding.status == "not assessed":
        raise AcceptanceError(
            f"{title} is not assessed, and a risk must be measured first: {finding.to_do}"
        )
    return finding
