"""The days to replay, and the incidents, as data: what cannot be is refused."""

from collections import Counter
from datetime import timedelta

import pytest

from helpers.testbed.replay import (
    INCIDENTS,
    KINDS,
    MIDNIGHT,
    SHAPES,
    Excerpt,
    Incident,
    Shape,
    days,
    helpful,
    traffic,
)

SEED = 20260701


@pytest.mark.parametrize("shape", SHAPES)
def test_a_day_is_in_order_in_one_day_and_the_same_again(shape: Shape) -> None:
    found = traffic(shape, seed=SEED, count=400)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert MIDNIGHT <= found[0].at <= found[-1].at < MIDNIGHT + timedelta(days=1)
    assert len({one.id for one in found}) == len(found)
    assert found == traffic(shape, seed=SEED, count=400) != traffic(shape, seed=1, count=400)
    # A conversation belongs to one customer.
    owners = {(one.session, one.customer) for one in found}
    assert len(owners) == len({session for session, _ in owners})


def test_the_shapes_differ_as_they_say() -> None:
    ordinary, weekend, newsletter, holiday = (
        traffic(shape, seed=SEED, count=400)
        for shape in ("ordinary", "weekend", "newsletter", "holiday")
    )
    assert 395 <= len(ordinary) <= 400  # without what is asked after midnight
    assert 200 <= len(weekend) <= 240
    assert 600 < len(holiday) < 700
    noon = [Counter(one.at.hour for one in day)[12] for day in (ordinary, newsletter)]
    assert noon[1] > 1.5 * noon[0]


@pytest.mark.parametrize(
    ("shape", "count", "said"), [("Sunday", 400, "no day 'Sunday'"), ("weekend", 99, "at least")]
)
def test_no_such_day(shape: Shape, count: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        traffic(shape, seed=SEED, count=count)


@pytest.mark.parametrize(("begin", "end"), [(3, 3), (5, 4), (-1, 4), (3, 25)])
def test_no_such_hours(begin: float, end: float) -> None:
    with pytest.raises(ValueError, match="give hours of one day"):
        Excerpt(begin, end)


@pytest.mark.parametrize(
    ("incident", "said"),
    [
        (("fire", 3, 1, 1), "no incident 'fire'"),
        (("slow model", 23, 2, 3), "does not fit"),
        (("slow model", -1, 2, 3), "does not fit"),
        (("slow model", 3, 0, 3), "does not fit"),
        (("slow model", 3, 1, 0), "is none"),
        (("slow model", 3, 1, -2), "is none"),
        (("bad release", 3, 1, 1, "returns-policy"), "no document 'returns-policy'"),
        (("failing tool", 3, 1, 1, "Pennine"), "no carrier 'Pennine'"),
        (("looping client", 3, 1, 9, "C-9999"), "no customer 'C-9999'"),
        (("price", 3, 1, 2, "openai:gpt-9"), "no price 'openai:gpt-9'"),
        (("dead model", 3, 1, 1.5), "a share"),
    ],
)
def test_an_incident_that_cannot_be(incident: tuple[str, float, float, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Incident(*incident)


def test_every_kind_happens_in_both_parts_at_other_sizes_on_other_days() -> None:
    for part in INCIDENTS.values():
        assert [one.kind for one in part] == list(KINDS)
    for visible, heldout in zip(INCIDENTS["visible"], INCIDENTS["heldout"], strict=True):
        assert visible.at != heldout.at
        assert (visible.size, visible.about) != (heldout.size, heldout.about)
        assert "{" not in visible.truth + heldout.truth
    seeds = [day.seed for part in INCIDENTS for day in days(part)]
    assert len(seeds) == len(set(seeds)) == 52
    assert sum(day.incident is None for day in days("heldout")) == 20


def test_a_looping_client_adds_its_requests_in_order() -> None:
    incident = Incident("looping client", 3, 0.5, 20, "C-0042")
    found = incident.traffic(traffic("ordinary", seed=SEED, count=200))
    added = [one for one in found if one.session.startswith("LOOP")]
    assert len(added) == 600
    assert all(incident.begins <= one.at < incident.ends for one in added)
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_what_helps_a_customer() -> None:
    day = traffic("ordinary", seed=SEED, count=400)
    tents = next(one for one in day if one.intent == "return_window")
    order = next(one for one in day if one.intent == "order_status")
    assert helpful(tents, "You have 30 days.") is True
    assert helpful(tents, "You have 40 days.") is False
    assert helpful(order, "It should arrive by 18 June 2026.") is True
    assert helpful(order, "The carrier does not answer.") is False


def test_an_excerpt_of_a_planned_day_lies_around_its_incident_and_within_the_day() -> None:
    by_kind = {day.name: day for day in days("visible")}
    dead, clean = by_kind["dead model"], by_kind["clean: holiday"]
    assert (dead.start, dead.stop) == (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    assert dead.hours(before=1, after=0.5).excerpt == Excerpt(13.5, 15)
    assert dead.hours(before=20, after=20).excerpt == Excerpt(0, 24)
    some = clean.hours(before=1, after=1, noon=9)
    assert (some.start.hour, some.stop.hour) == (8, 10)
    assert (some.seed, some.requests()) == (clean.seed, clean.requests())
