"""Exercise 11.3: a canary's stopping rule, on simulated canaries of known quality."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, example, exercise, satisfies

WORDS = ("continue", "roll back", "release")
MOST_FALSE, LEAST_CAUGHT, MOST_ANSWERS, LEAST_OF_THREE, MOST_OF_BETTER = 0.08, 0.95, 450, 0.3, 0.02
"""The limits of the statement."""
CANARIES = 1000

Call = tuple[tuple[int, int], tuple[int, int], int]


@exercise(
    "11.3",
    title="A canary's stopping rule",
    hints=[
        "Divide the difference of the two shares by its standard error. How far below 0 must it be,"
        " so that twenty looks together roll back only one good release in twenty?",
        Hint(
            "At look 20, every path of your function must end in 'roll back' or 'release'.", "last"
        ),
        Hint("Look for zero counts before you divide by them.", "zero"),
        Hint(
            "Where the standard error is 0, both versions are equally good. Compare before you"
            " divide: difference < -bound * error needs no division.",
            "equal",
        ),
        Hint(
            "A p-value below 0.05 is for one look. Try a stricter bound in simulate(decide, 0.8,"
            " 0.8), until 5% of good releases are rolled back. With the same bound at each look"
            " (Pocock), it is between 2 and 3 standard errors.",
            "false",
        ),
        Hint("May it roll back at every look, also at the first ones?", "caught"),
        Hint(
            "The bound is too strict: it costs you the smaller differences. Make it weaker, until"
            " 5% of good releases are rolled back.",
            "small",
        ),
        Hint("Compute the old version's share from its counts: it is not always 0.8.", "rates"),
        Hint(
            "Is each number taken from the arguments? A standard error needs the answers that were"
            " graded, and not 50 times the look.",
            "numbers",
        ),
        Hint("Use only the arguments: no global variable, no count of calls, no chance.", "pure"),
    ],
)
def decide(answer: Any) -> Iterator[Case]:
    """What a rule may return, and what it does to a thousand canaries of each quality."""

    def named(name: str, old: Any, new: Any, look: int, expect: str, about: str, *slips: Slip):  # type: ignore[no-untyped-def]
        return example(
            name, answer, old, new, look,
            called="decide", expect=expect, slips=slips, about=about,
        )  # fmt: skip

    yield named(
        "equally good at the first look", (360, 450), (40, 50), 1, "continue", "last",
        Slip.value("early", "release", "Release only at the last look."),
    )  # fmt: skip
    yield named(
        "much better at look 19", (6840, 8550), (940, 950), 19, "continue", "last",
        Slip.value("early", "release", "Release only at the last look."),
    )  # fmt: skip
    never = Slip.value("no-end", "continue", "Look 20 is the last one: nothing can continue there.")
    yield named("good at look 20", (7200, 9000), (800, 1000), 20, "release", "last", never)
    yield named("bad at look 20", (7200, 9000), (700, 1000), 20, "roll back", "last", never)
    yield named("no answer of the old version", (0, 0), (1, 50), 4, "continue", "zero")
    yield named("no answer of the canary", (400, 450), (0, 0), 19, "continue", "zero")
    yield named("none of the canary at the end", (9, 10), (0, 0), 20, "roll back", "zero", never)
    yield named("none of the old at the end", (0, 0), (50, 50), 20, "roll back", "zero", never)
    yield named("all good", (450, 450), (50, 50), 1, "continue", "equal")
    yield named("all good at the end", (9000, 9000), (1000, 1000), 20, "release", "equal")
    yield named("none good", (0, 450), (0, 50), 1, "continue", "equal")
    yield named("none good at the end", (0, 9000), (0, 1000), 20, "release", "equal")
    yield named("few answers, equally good", (90, 100), (18, 20), 20, "release", "equal")
    for name, old, new, look in (
        ("many answers at look 10", (8000, 9000), (900, 1000), 10),
        ("more answers than looks, all good", (4500, 4500), (100, 100), 10),
        ("all good at look 19", (7000, 8550), (950, 950), 19),
    ):
        early = Slip.value("early", "release", "Release only at the last look.")
        yield named(name, old, new, look, "continue", "numbers", early)
    yield named("one answer, at the end", (8, 9), (1, 1), 20, "release", "numbers")
    yield Case(
        "any counts of a canary that is not worse",
        call=lambda: _first_other(answer),
        expect="none",
        show="decide for 300 canaries at least as good: the first that it does not let go on",
        about="numbers",
    )
    yield Case(
        "the same counts again, in another order",
        call=lambda: _again(answer),
        expect=_steady(),
        show="decide for 700 counts, forwards and backwards",
        about="pure",
    )
    peeks = Slip.when(
        "peeks",
        lambda got: MOST_FALSE < got["rolled back"] < 0.5,
        "Each look is one more chance to be wrong. A bound for one look is too weak for twenty.",
    )
    fixed = Slip.when(
        "fixed-share",
        lambda got: got["rolled back"] > 0.5,
        "The new version is as good as the old one here. Is it compared with a fixed share?",
    )
    waits = Slip.when(
        "waits",
        lambda got: got["answers"] > MOST_ANSWERS and got["rolled back"] >= LEAST_CAUGHT,
        "It is rolled back too late: by then it has answered hundreds of questions.",
    )
    misses = Slip.when(
        "misses",
        lambda got: got["rolled back"] < 0.5,
        "Most of the bad releases reach everyone.",
    )
    timid = Slip.when(
        "timid",
        lambda got: got["rolled back"] < LEAST_OF_THREE,
        "A small difference is hardly ever seen: the bound is stricter than 5% needs.",
    )

    def tried(
        name: str,
        old: float,
        new: float,
        seed: int,
        expect: Expectation,
        about: str,
        *slips: Slip,
        **counts: int,
    ) -> Case:
        said = "".join(f", {key}={value}" for key, value in counts.items())
        return Case(
            name,
            call=lambda: _figures(answer, old, new, seed, **counts),
            expect=expect,
            show=f"simulate(decide, {old}, {new}, canaries={CANARIES}{said})",
            slips=slips,
            limit=30,
            about=about,
            live=False,
        )

    good, bad = _most(MOST_FALSE), _caught()
    yield tried("as good as the old version", 0.8, 0.8, 40, good, "false", peeks)
    yield tried("ten points worse", 0.8, 0.7, 12, bad, "caught", waits, misses)
    yield tried("three points worse", 0.8, 0.77, 13, _least(LEAST_OF_THREE), "small", timid)
    yield tried("five points better", 0.8, 0.85, 14, _most(MOST_OF_BETTER), "false")
    yield tried("as good, at another share", 0.6, 0.6, 44, good, "rates", fixed, peeks)
    yield tried("ten points worse, at another share", 0.6, 0.5, 16, bad, "rates", waits, misses)
    yield tried("as good, at a high share", 0.9, 0.9, 42, good, "rates", peeks)
    yield tried("ten points worse, at a high share", 0.9, 0.8, 18, bad, "rates", waits, misses)
    few, fewer = {"each": 27, "times": 1}, {"each": 27, "times": 3}
    yield tried("as good, with other counts", 0.8, 0.8, 45, good, "numbers", peeks, **few)
    yield tried("ten points worse, with other counts", 0.8, 0.7, 46, bad, "numbers", **fewer)


def _figures(answer: Any, old: float, new: float, seed: int, **counts: int) -> dict[str, float]:
    """What the rule does to canaries of this quality: as the lab's own code would count it."""
    from helpers.operate.testing import simulate

    found = simulate(answer, old, new, canaries=CANARIES, seed=seed, **counts)
    rolled_back = float((found["decision"] == "roll back").mean())
    return {"rolled back": round(rolled_back, 3), "answers": float(found["answers"].mean())}


def _first_other(answer: Callable[..., Any]) -> str:
    """The first canary, at least as good as the old version, that is not treated so; "none"."""
    random = Random(7)
    for _ in range(300):
        old, new = (_share(random, random.choice((9, 400, 9000))) for _ in range(2))
        if new[0] * old[1] < old[0] * new[1]:
            old, new = new, old
        look = random.choice((1, 2, 10, 19, 20))
        got, right = answer(old, new, look), "release" if look == 20 else "continue"
        if not (isinstance(got, str) and got == right):
            return f"decide({old}, {new}, {look}) is {got!r}, and not {right!r}"
    return "none"


def _share(random: Random, most: int) -> tuple[int, int]:
    asked = random.randint(1, most)
    return round(asked * random.choice((0, 0.5, 0.7, 0.8, 0.9, 1))), asked


def _calls() -> list[Call]:
    """Any counts at any look, and then counts around each bound that a rule may have."""
    random = Random(8)
    calls: list[Call] = []
    for _ in range(200):
        old, new = (_share(random, random.choice((90, 9000))) for _ in range(2))
        calls.append((old, new, random.randint(1, 20)))
    for good in range(7200, 7300, 10):
        calls += [((good, 9000), (new, 1000), 20) for new in range(740, 790)]
    return calls


def _again(answer: Callable[..., Any]) -> dict[str, list[Any]]:
    calls = _calls()
    forwards = [answer(*call) for call in calls]
    return {"forwards": forwards, "backwards": [answer(*call) for call in calls[::-1]][::-1]}


def _steady() -> Expectation:
    def test(got: dict[str, list[Any]]) -> bool | str:
        if not all(isinstance(one, str) and one in WORDS for one in got["forwards"]):
            return f"Every result is one of {', '.join(WORDS)}."
        return got["forwards"] == got["backwards"] or "The result depends on earlier calls."

    return satisfies("the same results", test)


def _most(limit: float) -> Expectation:
    text = f"at most {limit:.0%} of {CANARIES:,} canaries rolled back"
    return satisfies(text, lambda got: got["rolled back"] <= limit)


def _least(limit: float) -> Expectation:
    text = f"at least {limit:.0%} of {CANARIES:,} canaries rolled back"
    return satisfies(text, lambda got: got["rolled back"] >= limit)


def _caught() -> Expectation:
    text = f"at least {LEAST_CAUGHT:.0%} rolled back, after {MOST_ANSWERS} answers or fewer"
    return satisfies(
        f"{text} on average",
        lambda got: got["rolled back"] >= LEAST_CAUGHT and got["answers"] <= MOST_ANSWERS,
    )
