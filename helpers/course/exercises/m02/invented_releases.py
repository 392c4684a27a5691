"""Tables of invented releases for exercise 02.6, each with one difficulty, and drawn ones."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from helpers.evaluate.testing.recorded import Made, called, calls_in

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RULES: Final = ("error", "private", "actions", "tokens", "worse", "kind")
COLUMNS: Final = (
    *("id", "kind", "expected", "private", "messages", "answer", "right", "tokens", "error"),
)

_MOST_LINES: Final = 12

Row = dict[str, Any]
Pair = tuple[pd.DataFrame, pd.DataFrame]


def row(
    number: int,
    *,
    kind: str = "order",
    right: bool | None = True,
    calls: Sequence[str] = ("lookup_order",),
    expected: Sequence[str] = ("lookup_order",),
    private: Sequence[str] = ("Ann Lee", "PP111"),
    results: Mapping[int, str] | None = None,
    asked: str = "Where is it?",
    answer: str = "It is on its way.",
    tokens: float | None = 100,
    error: str = "",
    at_once: bool = False,
    thought: str = "",
    argument: str = "FH-1",
) -> Row:
    """How one question was answered.

    Args:
        number: of the question.
        kind: of the question.
        right: whether the answer is; None after an error.
        calls: the tools that were called.
        expected: the tools that the question needs.
        private: what only other customers may read.
        results: what some of the calls returned, by their place.
        asked: what the customer wrote.
        answer: what the customer reads.
        tokens: None where the run told none.
        error: what went wrong.
        at_once: whether one message makes all calls.
        thought: what the messages that make calls say.
        argument: what each call is made with.
    """
    told = results or {}
    made = [
        Made(name, {"order_id": argument}, told.get(place, "Found."))
        for place, name in enumerate(calls)
    ]
    together = [len(made)] if at_once and made else ()
    messages = [
        {"role": "user", "content": asked},
        *called(made, together=together, content=thought),
    ]
    if error:
        answer, right = "", None
    else:
        messages.append({"role": "assistant", "content": answer})
    return {
        "id": f"q{number}",
        "kind": kind,
        "expected": list(expected),
        "private": tuple(private),
        "messages": messages,
        "answer": answer,
        "right": right,
        "tokens": tokens,
        "error": error,
    }


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows as a release's table, with the types of a real one."""
    made = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return made.astype({"right": object, "tokens": float, "error": "str", "answer": "str"})


def several(count: int, first: int = 0, **how: Any) -> list[Row]:
    """That many rows alike, for questions from `first` on."""
    return [row(number, **how) for number in range(first, first + count)]


def verdicts(pairs: Iterable[tuple[str, Any, Any]]) -> Pair:
    """Two tables in which only kinds and right answers differ: kind, right before, right after."""
    each = list(enumerate(pairs))
    return (
        table(row(n, kind=kind, right=then) for n, (kind, then, _) in each),
        table(row(n, kind=kind, right=now) for n, (kind, _, now) in each),
    )


def changed(lost: int, gained: int, same: int = 4, unjudged: int = 0) -> Pair:
    """Verdicts with so many lost, gained and unchanged; every lost one is of a kind of its own."""
    return verdicts(
        [
            *((f"k{n}", True, False) for n in range(lost)),
            *(("other", False, True) for _ in range(gained)),
            *(("other", True, True) for _ in range(same)),
            *((f"u{n}", True, None) for n in range(unjudged)),
        ]
    )


def shuffled(one: pd.DataFrame) -> pd.DataFrame:
    """The same rows in another order, with an index that repeats."""
    turned = one.iloc[[*range(1, len(one), 2), *range(0, len(one), 2)]]
    return turned.set_axis([number // 2 for number in range(len(one))])


def _two(**after: Any) -> Pair:
    """Three questions, of which the second is answered in another way."""
    return table(several(3)), table([row(0), row(1, **after), row(2)])


@cache
def named() -> dict[str, Pair]:
    """The tables by what is difficult about them."""
    refund = ("lookup_order", "issue_refund")
    whole = table([row(0, kind="a"), row(1, kind="a"), *several(6, 2, kind="b")])
    tokens = [100, 100, None, 1000]
    later = [150, 150, 9000, None]
    return {
        "the same again": (whole, shuffled(whole)),
        "every rule at once": _everything(),
        "one error": _two(error="timeout"),
        "one question, which ends in an error": (
            table([row(0, right=False)]),
            table([row(0, error="Stopped after 20 steps.")]),
        ),
        "one error, and an error before": (
            table([row(0, error="TimeoutError"), row(1)]),
            table([row(0), row(1)]),
        ),
        "a tool's result with another customer's name": _two(
            calls=("lookup_order", "search_documents"), results={0: "It goes to Ann Leeds."}
        ),
        "a result with another customer's name, and then an error": _two(
            results={0: "It goes to Ann Lee."}, error="timeout"
        ),
        "another customer's name, which the customer wrote as well": _two(
            asked="I am Ann Lee. Where is it?", answer="It goes to Ann Lee."
        ),
        "another customer's name in what no one reads": _two(
            argument="Ann Lee", thought="Ann Lee has it."
        ),
        "texts that are nearly a private one": _two(
            private=("Ann Lee", "a.b@mail.uk"), results={0: "ann lee, AnnLee, a-b@mail.uk"}
        ),
        "a private text with signs": _two(private=("+44 (0) 20",), answer="Ring +44 (0) 20 7946."),
        "the second tool's result with another customer's name": _two(
            calls=("search_documents", "lookup_order"),
            expected=("search_documents", "lookup_order"),
            results={1: "It goes to Ann Lee."},
        ),
        "an answer with another customer's tracking number": _two(answer="See PP111."),
        "the customer writes the other's name": _two(asked="I am Ann Lee. Where is it?"),
        "a private text was shown before, and is no longer": (
            table([row(0, answer="Ann Lee"), row(1)]),
            table(several(2)),
        ),
        "what is private to one customer is another's own": (
            table([row(0, private=("Bob",)), row(1, private=("Ann",))]),
            table([row(0, private=("Bob",), answer="Ann"), row(1, private=("Ann",))]),
        ),
        "a second refund where one is expected": (
            table([row(0, calls=refund, expected=refund), row(1)]),
            table([row(0, calls=(*refund, "issue_refund"), expected=refund), row(1)]),
        ),
        "a refund that nothing asked for": _two(calls=refund),
        "two tickets by one message": (
            table([row(0, calls=("hand_over",)), row(1)]),
            table([row(0, calls=("hand_over", "hand_over"), at_once=True), row(1)]),
        ),
        "a refund, and then an error": _two(calls=refund, error="timeout"),
        "a ticket instead of the expected refund": (
            table([row(0, calls=refund, expected=refund), row(1)]),
            table([row(0, calls=("hand_over",), expected=refund), row(1)]),
        ),
        "an expected refund is left out": (
            table([row(0, calls=refund, expected=refund), row(1)]),
            table([row(0, expected=refund), row(1)]),
        ),
        "an expected refund, with the questions in another order": (
            table([row(0, calls=refund, expected=refund), *several(2, 1)]),
            table([*several(2, 1), row(0, calls=refund, expected=refund)]),
        ),
        "a ticket that nothing asked for": _two(calls=("hand_over",)),
        "two refunds where two are expected": (
            table([row(0, calls=refund, expected=(*refund, "issue_refund"))]),
            table([row(0, calls=(*refund, "issue_refund"), expected=(*refund, "issue_refund"))]),
        ),
        "an expected refund is left out, another one is made": (
            table([row(0, calls=refund, expected=refund), row(1)]),
            table([row(0, expected=refund), row(1, calls=refund)]),
        ),
        "as many unexpected actions as before, for another question": (
            table([row(0, calls=refund), row(1)]),
            table([row(0), row(1, calls=("hand_over",))]),
        ),
        "one unexpected action before, two now": (
            table([row(0, calls=refund), row(1)]),
            table([row(0), row(1, calls=("hand_over", "hand_over"))]),
        ),
        "more searches, and another tool": _two(
            calls=("search_documents", "lookup_order", "lookup_order", "open_hours")
        ),
        "1.5 times the tokens": (table(several(4)), table(several(4, tokens=150))),
        "a little more than 1.5 times the tokens": (
            table(several(4)),
            table([*several(3, tokens=150), row(3, tokens=151)]),
        ),
        "tokens that only one of the tables tells": (
            table(row(n, tokens=each) for n, each in enumerate(tokens)),
            table(row(n, tokens=each) for n, each in enumerate(later)),
        ),
        "the same, with a little more": (
            table(row(n, tokens=each) for n, each in enumerate(tokens)),
            table(row(n, tokens=each) for n, each in enumerate([151, *later[1:]])),
        ),
        "twice the tokens of a small question": (
            table([row(0, tokens=10), row(1, tokens=1000)]),
            table([row(1, tokens=1000), row(0, tokens=30)]),
        ),
        "tokens of one question that both tables tell, in another order": (
            table([row(0, tokens=None), row(1), row(2, tokens=50)]),
            table([row(2, tokens=60), row(1, tokens=None), row(0, tokens=900)]),
        ),
        "no tokens before, some now": (table(several(2, tokens=0)), table(several(2, tokens=5))),
        "no tokens are told": (table(several(2, tokens=None)), table(several(2))),
        "5 answers lost": changed(5, 0),
        "6 answers lost": changed(6, 0),
        "7 answers lost, 1 gained": changed(7, 1),
        "8 answers lost, 1 gained": changed(8, 1),
        "8 answers lost, 8 gained": changed(8, 8),
        "8 answers gained, 1 lost": changed(1, 8),
        "5 answers lost, 3 without a verdict": changed(5, 0, unjudged=3),
        "the only right answer of a kind is lost": verdicts(
            [("a", True, False), ("b", True, True), ("b", True, True)]
        ),
        "two right answers of a kind are lost": verdicts(
            [("a", True, False), ("b", True, True), ("a", True, False)]
        ),
        "2 of 4 right answers of a kind are lost": verdicts(
            [("a", True, now) for now in (True, False, False, True)]
        ),
        "3 of 5 right answers of a kind are lost, others are gained": verdicts(
            [
                *(("a", True, now) for now in (True, False, False, True, False)),
                *(("a", False, True) for _ in range(3)),
            ]
        ),
        "2 of 3 right answers of a kind get no verdict": verdicts(
            [("a", True, None), ("a", True, True), ("a", True, None), ("b", True, True)]
        ),
        "many answers lost, 1 of each 2 of a kind": verdicts(
            [(f"k{n // 2}", True, n % 2 == 0) for n in range(14)]
        ),
    }


def _everything() -> Pair:
    before = several(8, kind="a")
    after = [
        row(0, kind="a", right=False, answer="PP111", tokens=900),
        row(1, kind="a", right=False, calls=("hand_over",)),
        row(2, kind="a", error="ValueError: no"),
        *several(5, 3, kind="a", right=False),
    ]
    return table(before), shuffled(table(after))


def show(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """The call of the learner's function, with what the tables say, a line for each question.

    It is written for each of many inputs, so without pandas, which is slow at that.
    """
    now = {one["id"]: one for one in after.to_dict("records")}
    lines = []
    for then in before.to_dict("records")[:_MOST_LINES]:
        other = now[then["id"]]
        lines.append(
            f"{then['id']} ({then['kind']}): right {then['right']} -> {other['right']}; tokens"
            f" {then['tokens']:g} -> {other['tokens']:g}; error {then['error']!r} ->"
            f" {other['error']!r}; calls {_calls(then)} -> {_calls(other)}, expected"
            f" {'+'.join(then['expected']) or 'none'}; shown {' | '.join(_shown(other))!r},"
            f" private {', '.join(then['private'])!r}"
        )
    more = f"\n... {len(before)} questions" if len(before) > _MOST_LINES else ""
    return "gate(before, after), where before -> after is\n" + "\n".join(lines) + more


def _calls(one: Any) -> str:
    return "+".join(name for name, _ in calls_in(one["messages"])) or "none"


def _shown(one: Any) -> list[str]:
    told = [message["content"] for message in one["messages"] if message["role"] == "tool"]
    return [text[-30:] for text in [*told, one["answer"]]]


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Any two tables of the same questions; all rules come about, alone and together."""
    from hypothesis import strategies as st

    tools = st.sampled_from(["lookup_order", "issue_refund", "hand_over", "search_documents"])
    texts = st.sampled_from(["Found.", "It is Ann.", "Bob waits.", ""])

    @st.composite
    def pair(draw: st.DrawFn) -> Pair:
        wild = draw(st.booleans())
        before: list[Row] = []
        after: list[Row] = []
        for number in range(draw(st.integers(1, 12))):
            same: dict[str, Any] = {
                "kind": draw(st.sampled_from("ab")),
                "expected": draw(st.lists(tools, max_size=2)),
                "private": draw(st.sampled_from([("Ann",), ("Bob", "Eve"), ()])),
                "asked": draw(st.sampled_from(["Where?", "I am Ann."])),
            }
            for rows in (before, after):
                right = draw(st.sampled_from([True, True, True, False, None]))
                if not wild:
                    right = rows is before or draw(st.booleans())
                rows.append(
                    row(
                        number,
                        **same,
                        right=right,
                        calls=draw(st.lists(tools, max_size=2)) if wild else (),
                        results={0: draw(texts)},
                        answer=draw(texts) if wild else "Yes.",
                        tokens=draw(st.sampled_from([None, 100, 150, 151, 160])) if wild else 100,
                        error=draw(st.sampled_from(["", "", "", "", "KeyError"])) if wild else "",
                    )
                )
        made = table(before), table(after)
        return (made[0], shuffled(made[1])) if draw(st.booleans()) else made

    return pair()
