"""Go or no-go, from the files of a home: evidence, accepted risks, releases."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from helpers.evaluate import acceptance, evidence
from helpers.evaluate.checklist import CHECKLIST, Before, Report, assess_all
from helpers.evaluate.packed import version_and_time
from helpers.evaluate.releases import Release, ReleaseError, last_release
from helpers.evaluate.version import Version


def ship_check(
    version: Version | None = None, *, now: datetime | None = None, home: Path | None = None
) -> Report:
    """Decide every item of the checklist for a version, by default the agent as it is now.

    Reads files only. Evidence that cannot be read counts as not assessed, and an acceptance that
    cannot be read does not count.

    Args:
        version: what is about to be shipped.
        now: the moment of the decision, by default the present.
        home: a folder like `.course`, by default your own. Of a packed one (it has a
            `release.json`) version and moment are by default those of the package.

    Raises PackError when the home's `release.json` cannot be read.
    """
    version, now = version_and_time(home, version, now)
    last, problem = last_release_of(version, home)
    before = None
    if last is not None:
        changed = last.version.changed(version)
        before = Before(last.name, last.recorded, changed, last.figures)
    report = assess_all(
        {each.name: _read(each.name, home) for each in CHECKLIST},
        version,
        now=now,
        first_release=last is None and not problem,
        before=before,
        acceptances={each.name: _acceptance(each.name, home) for each in CHECKLIST},
    )
    return replace(report, note=problem)


def last_release_of(version: Version, home: Path | None = None) -> tuple[Release | None, str]:
    """The last release of another agent, and what is wrong with a record that cannot be read."""
    try:
        return last_release(version, home), ""
    except ReleaseError as problem:
        return None, str(problem)


def _read(name: str, home: Path | None) -> evidence.Evidence | evidence.EvidenceError | None:
    try:
        return evidence.read(name, home)
    except evidence.EvidenceError as problem:
        return problem


def _acceptance(
    name: str, home: Path | None
) -> acceptance.Acceptance | acceptance.AcceptanceError | None:
    try:
        return acceptance.read(name, home)
    except acceptance.AcceptanceError as problem:
        return problem
