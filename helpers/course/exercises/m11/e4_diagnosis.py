"""Exercise 11.4: what went wrong, from an hour's metrics and runs and those of the hour before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, example, exercise, solved


@exercise(
    "11.4",
    title="A diagnosis from metrics and traces",
    hints=[
        "Begin with four frames: the sums of the metrics before and now, and the runs before and"
        " now. Then each cause is an if of its own, in the list's order.",
        Hint(
            "metrics[:60].sum() and metrics[60:].sum() are the two hours. The runs of now are those"
            " with start_time >= metrics.index[60].",
            "any",
        ),
        Hint(
            "The metrics alone do not say why requests failed: look at the errors of the llm runs,"
            ' by model. (calls["error"] != "").groupby(calls["model"]).mean() gives the shares.',
            "down",
        ),
        Hint("A mean is first_token_s divided by answers, in each hour. Are there any?", "slow"),
        Hint(
            "Group the tokens of the chain runs of now by customer. Guests belong to the sum, and"
            " are no customer.",
            "cost",
        ),
        Hint(
            "Collect the addresses of before in a set. An address counts once for each answer. The"
            " documents are in the runs whose parent_run_id is the id of such an answer.",
            "poison",
        ),
        Hint("Sort the chain runs by start_time, and compare the first with the last.", "release"),
        Hint(
            "Compare shares, for each tool: errors now by runs now, less the same of before. Leave"
            " out the tools with fewer than 3 errors now.",
            "tool",
        ),
    ],
)
def diagnose(answer: Any) -> Iterator[Case]:
    """Each condition at its limit and just below, other incidents, and any two hours."""
    from helpers.course.exercises.m11 import diagnosed as given
    from helpers.operate.testing import incidents

    asked, two = given.Asked, given.two_hours

    def named(name: str, hours: Any, cause: str, subject: str, about: str, *slips: Slip) -> Case:
        made = example(
            name,
            answer,
            *hours,
            called="diagnose",
            expect=given.like(cause, subject),
            slips=slips,
            about=about,
        )
        return replace(made, show=lambda: given.show(*hours))

    slips = {
        "cost spike by one customer": Slip.when(
            "refused",
            lambda got: got[0] == "model down",
            "Requests failed because a rate limit refused them. The model calls did not fail.",
        ),
        "none": Slip.when(
            "busy-day",
            lambda got: got[0] == "cost spike by one customer",
            "Twice the dollars, but from many customers: a busy day is no incident.",
        ),
        "failing tool": Slip.when(
            "most-errors",
            lambda got: got[1] == "issue_refund",
            "That tool refuses as often as before. What counts is the rise.",
        ),
    }
    others = {"": "", "r205": "r31", "returns": "care-for-boots", "lookup_order": "find_parcel"}
    kept = incidents("heldout")
    for number, hours in enumerate(kept, 1):
        subject = others.get(hours.subject, f"{hours.subject}-{number}")
        other = given.renamed(hours, subject, days=number) if number % 2 or subject else hours
        known = [slips[other.cause]] if other.cause in slips else []
        name = f"hours {number}, replayed"
        yield named(name, (other.metrics, other.runs), other.cause, other.subject, "any", *known)

    lost, fine = (("small", 1, "Lost"),), (("small", 1, ""),)
    half = [asked(70, models=lost), asked(71, models=fine), asked(59.9, models=fine)]
    three = [asked(at, models=lost) for at in (80, 81, 82)]
    large = [asked(at) for at in (83, 84, 85, 86)]
    large[0] = replace(large[0], models=[("large", 1, "Lost")] * 3)
    yield named("20% failed, half of a model's calls", two(*half, now={"failed": 20}),
                "model down", "small", "down")  # fmt: skip
    yield named("19% failed", two(*half, now={"failed": 19}), "none", "", "down")
    yield named("fewer than half of its calls", two(*half, asked(60, models=fine),
                now={"failed": 50}), "none", "", "down")  # fmt: skip
    yield named("all of one model's calls, some of another's", two(*large, *three[:1],
                now={"failed": 30}), "model down", "small", "down")  # fmt: skip
    slow = [asked(70, models=[("small", 9, "")]), asked(71, models=[("large", 7, "")] * 3)]
    slow.append(asked(40, models=[("large", 99, "")]))
    yield named("three times as slow", two(*slow, now={"first_token_s": 300}),
                "model slow", "small", "slow")  # fmt: skip
    yield named("not quite three times", two(*slow, now={"first_token_s": 299}), "none", "", "slow")
    yield named("half the answers", two(*slow, now={"first_token_s": 150, "answers": 50}),
                "model slow", "small", "slow")  # fmt: skip
    yield named("no answers now", two(*slow, now={"first_token_s": 0, "answers": 0}),
                "none", "", "slow")  # fmt: skip
    guests = [asked(70, "", 300), asked(71, "C-2", 399), asked(59.99, "C-3", 9000)]
    yield named("twice the dollars, half of the tokens",
                two(*guests, asked(60, "C-2", 1), now={"dollars": 8}),
                "cost spike by one customer", "C-2", "cost")  # fmt: skip
    yield named("a token less than half", two(*guests, now={"dollars": 8}), "none", "", "cost")
    yield named("not twice the dollars", two(*guests, asked(60, "C-2", 1), now={"dollars": 7}),
                "none", "", "cost")  # fmt: skip
    yield named("guests alone", two(*guests, asked(99, "", 5000), now={"dollars": 9}),
                "none", "", "cost", Slip.when("guests", lambda got: got[1] == "",
                "Guests are many people, and no customer."))  # fmt: skip
    boots = (("search_documents", "", ("boots", "tents")),)
    tents = (("search_documents", "", ("tents", "ropes")),)
    bait = [asked(60, answer=given.BAIT, tools=boots), asked(61, answer=given.BAIT, tools=tents)]
    bait.append(asked(62, answer=f"{given.BAIT} {given.BAIT}", tools=boots))
    more = [asked(64 + n, tools=tents) for n in range(5)]
    link = "See a.example, or b.example."
    yield named("three answers with a new address", two(*bait, *more), "poisoned document", "boots",
                "poison")  # fmt: skip
    yield named("two such answers", two(*bait[1:], *more), "none", "", "poison")
    yield named("an address that is not new", two(*bait, *more, asked(59, answer=given.BAIT)),
                "none", "", "poison")  # fmt: skip
    yield named("two new addresses", two(*bait, *[asked(70 + n, answer=link, tools=tents)
                for n in range(2)], asked(79, answer="a.example", tools=tents), *[asked(
                75 + n, answer="a.example", tools=tents) for n in range(2)]),
                "poisoned document", "tents", "poison")  # fmt: skip
    release = [asked(1, revision="r8"), asked(60, revision="r9"), asked(119, revision="r9")]
    wrong = {"canaries_wrong": 3}
    yield named("two canaries more, another revision",
                two(*release, before={"canaries_wrong": 1}, now=wrong), "bad release", "r9",
                "release")  # fmt: skip
    yield named("one canary more", two(*release, before={"canaries_wrong": 2}, now=wrong),
                "none", "", "release")  # fmt: skip
    back = [asked(1, revision="r8"), asked(119, revision="r8")]
    yield named("a release that was rolled back", two(*back, now=wrong), "none", "", "release")

    def tools(name: str, at: float, bad: int, good: int, error: str = "No") -> Any:
        return asked(at, tools=[(name, error, ())] * bad + [(name, "", ())] * good)

    usual = tools("lookup_order", 20, 1, 3)
    for name, late, subject in (
        ("a tool that fails a quarter more", tools("lookup_order", 60, 3, 3), "lookup_order"),
        ("a tool that fails a little less often", tools("lookup_order", 60, 3, 4), ""),
        ("two errors of a tool", tools("lookup_order", 60, 2, 0), ""),
        ("a tool that did not run before", tools("send_post", 60, 3, 9), "send_post"),
    ):
        cause = "failing tool" if subject else "none"
        yield named(name, two(usual, late, now=wrong), cause, subject, "tool")
    yield named("several tools", two(usual, tools("lookup_order", 60, 9, 5),
                tools("send_post", 70, 3, 1), tools("hand_over", 71, 2, 0), now=wrong),
                "failing tool", "send_post", "tool")  # fmt: skip
    yield named("one canary more, and a tool", two(tools("lookup_order", 60, 5, 0),
                now={"canaries_wrong": 1}), "none", "", "tool")  # fmt: skip
    everything = {"failed": 40, "first_token_s": 500, "dollars": 20, "canaries_wrong": 9}
    causes = [*three, *guests, asked(60.5, "C-2", 100), *bait, *release,
              tools("lookup_order", 90, 5, 0)]  # fmt: skip
    causes.append(asked(91, "C-2", 9000, models=[("large", 30, "")]))
    for symptom, cause, subject in (
        ("failed", "model down", "small"),
        ("first_token_s", "model slow", "large"),
        ("dollars", "cost spike by one customer", "C-2"),
        ("", "poisoned document", "boots"),
    ):
        found = two(*causes, now=everything)
        yield named(f"all at once, and first of all: {cause}", found, cause, subject, "any")
        everything.pop(symptom, None)
    reference = solved("11.4")
    for seed in (1, 2, 3, 4, 5, 6, 19, 22, 24, 38):  # among them each cause but one
        hours = given.any_hours(seed)
        yield named(f"any two hours, {seed}", hours, *reference(*hours), "any")
    yield Case(
        "the frames are as before",
        call=lambda: given.unchanged(answer, two(*causes, now=everything)),
        expect="the frames are equal",
        show="diagnose, and then the frames that it got are compared with copies",
        about="any",
    )
