"""Exercise 04.6: which calls wait for a person."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise, generated
from helpers.course.exercises.words import brief

if TYPE_CHECKING:
    from helpers.course.exercises.m04.approvals import Calls, Make


@exercise(
    "04.6",
    title="Ask a person",
    hints=[
        "HumanInTheLoopMiddleware(interrupt_on={...}) takes a dict for each tool that a person"
        " approves. A tool that is not in it never waits.",
        Hint(
            'The dict has "allowed_decisions", a list, and may have "when", a function that takes a'
            " request and returns whether the call waits.",
            "decisions",
        ),
        Hint(
            "A model may pay £200 in four parts: add up the amounts of all refunds that it has"
            " called for, in the tool_calls of all messages of request.state['messages'].",
            "parts",
            "any",
        ),
        Hint(
            "NaN > limit is false, and so is NaN <= limit. Ask first whether the amount is a number"
            " above 0; if not, the call waits.",
            "numbers",
            "any",
        ),
        "total = Decimal(0); for each refund: total += Decimal(str(amount)); return total > limit.",
    ],
)
def approval(answer: "Make") -> Iterator[Case]:
    """A middleware that asks a person about refunds above a limit, and about new addresses."""
    from helpers.course.exercises.m04.approvals import (
        Call,
        NotApprovalError,
        asks,
        asks_about_others,
        changes,
        driven,
        made_with,
        refund,
        told,
    )
    from helpers.course.exercises.m04.payouts import PAYOUTS

    slips = [
        Slip.raises(
            "no-middleware", NotApprovalError, "approval(limit) returns a HumanInTheLoopMiddleware."
        )
    ]
    email = Call("change_email", {"email": "ann@post.example"})
    lookup = Call("lookup_order", {"order_id": "FH-30001"})
    person = Call("hand_over", {"reason": "a complaint about a refund of £900"})

    def case(
        name: str,
        limit: str,
        calls: "Calls",
        asked: Sequence[str],
        made: Sequence[str],
        person: str = "approve",
        more: Sequence[Slip] = (),
        about: str = "",
    ) -> Case:
        def call() -> Any:
            middleware = made_with(answer, Decimal(limit))
            first = driven(middleware, calls, person)
            again = driven(middleware, calls, person)
            return first if first == again else {"first": first, "in the next conversation": again}

        return Case(
            name,
            call=call,
            show=f"with approval(Decimal({limit!r})), where a person answers {person!r}:\n"
            + told(calls),
            expect={"asked": list(asked), "made": sorted(made)},
            slips=[*slips, *more],
            about=about,
        )

    small, large = refund("FH-40001", 80), refund("FH-40002", 80.01)
    yield case(
        "a refund of the limit",
        "80.00",
        [[small]],
        [],
        [f"{small}"],
        more=[
            Slip.when(
                "limit-asks",
                lambda got: got["asked"] != [],
                "£80 is not more than the limit: nobody is asked.",
            )
        ],
        about="decisions",
    )
    yield case(
        "a refund of a penny more than the limit",
        "80.00",
        [[lookup], [large], [person]],
        [f"{large}: approve, edit, reject"],
        [f"{large}", f"{lookup}", f"{person}"],
        more=[
            Slip.when(
                "never-asks", lambda got: got["asked"] == [], "It is more than the limit allows."
            ),
            Slip.when(
                "respond",
                lambda got: "respond" in got["asked"][0],
                "A person may approve, edit and reject here. True allows `respond` as well.",
            ),
        ],
        about="decisions",
    )
    yield case(
        "a new address, which a person rejects",
        "75",
        [[email, lookup], [refund("FH-40003", 5)]],
        [f"{email}: approve, reject"],
        [f"{lookup}", f"{refund('FH-40003', 5)}"],
        "reject",
        more=[
            Slip.when(
                "email-edit",
                lambda got: "edit" in got["asked"][0],
                "A new address is approved or rejected, and not edited.",
            )
        ],
        about="decisions",
    )
    whole = refund("FH-40004")
    yield case(
        "a refund of everything, which a person edits",
        "5000",
        [[whole], [email]],
        [f"{whole}: approve, edit, reject", f"{email}: approve, reject"],
        [f"{refund('FH-40004', 1)}"],
        "edit",
        more=[
            Slip.when(
                "everything",
                lambda got: got["asked"][:1] != [f"{whole}: approve, edit, reject"],
                "A refund without an amount pays back everything, however much that is.",
            )
        ],
        about="numbers",
    )
    parts = [refund(f"FH-5000{n}", 40) for n in range(3)]
    yield case(
        "a refund in parts",
        "119.99",
        [[parts[0]], [lookup], parts[1:]],
        [f"{each}: approve, edit, reject" for each in parts[1:]],
        [f"{lookup}", f"{parts[0]}"],
        "reject",
        more=[
            Slip.when(
                "each-alone",
                lambda got: got["asked"] == [],
                "Three refunds of £40 are £120: the model pays in parts what it may not pay at"
                " once.",
            )
        ],
        about="parts",
    )

    def waiting(name: str, amounts: Sequence[Any], more: Sequence[Slip], about: str) -> Case:
        return Case(
            name,
            call=lambda: [
                asks(answer, [Decimal("60")], [[refund("FH-60001", each)]])[0] for each in amounts
            ],
            show=f"whether a refund waits with the limit 60, for amounts of {brief(amounts)}",
            expect=[f"limit 60: {refund('FH-60001', each)}" for each in amounts],
            slips=[*slips, *more],
            about=about,
        )

    yield waiting(
        "amounts that are no numbers above 0",
        [
            *(float("nan"), float("inf"), "5", -5, 0, True, None, [5]),
            *(float("-inf"), -0.0, False, "", Decimal(5), Fraction(5), {}, 5j, b"5", 10**400),
        ],
        [
            Slip.when(
                "nan",
                lambda got: got[0].endswith("nothing") and not got[1].endswith("nothing"),
                "NaN > 60 is false: a refund of NaN goes through.",
            ),
            Slip.raises("text", TypeError, "An amount may be of any type: '5' > 60 is an error."),
        ],
        "numbers",
    )
    pennies = [[refund(f"FH-7000{n}", 0.1)] for n in range(3)]
    yield Case(
        "a sum of three amounts, to the penny",
        call=lambda: asks(answer, [Decimal("0.3"), Decimal("0.29")], pennies),
        show=f"what waits with the limits 0.3 and 0.29:\n{told(pennies)}",
        expect=[
            *["limit 0.3: nothing"] * 3,
            *["limit 0.29: nothing"] * 2,
            f"limit 0.29: {pennies[2][0]}",
        ],
        slips=[
            *slips,
            Slip.when(
                "floats",
                lambda got: (
                    got[2] != "limit 0.3: nothing" and got[:2] == ["limit 0.3: nothing"] * 2
                ),
                "0.1 + 0.1 + 0.1 is 0.30000000000000004 as a float: add up Decimal(str(amount)).",
            ),
        ],
        about="numbers",
    )
    exact: list[tuple[str, list[Any]]] = [
        ("0.01", [0.004, 0.004, 0.004]),
        ("0.305", [0.3, 0.005]),
        ("0.304", [0.3, 0.005]),
        ("20", [20, 1e-18]),
        ("20.000000000000000001", [20, 1e-18]),
        ("9007199254740993", [9007199254740993]),
        ("9007199254740992.5", [9007199254740993]),
        ("0", [1e-300]),
        ("1e30", [60, 59.99]),
    ]
    yield Case(
        "sums that no float holds",
        call=lambda: [
            asks(answer, [Decimal(limit)], [[refund("FH-70001", each)] for each in amounts])[-1]
            for limit, amounts in exact
        ],
        show=f"whether the last refund waits, for limits and amounts of {exact}",
        expect=[
            f"limit {Decimal(limit)}: "
            + (f"{refund('FH-70001', amounts[-1])}" if waits else "nothing")
            for (limit, amounts), waits in zip(exact, [1, 0, 1, 1, 0, 0, 1, 1, 0], strict=True)
        ],
        slips=[
            *slips,
            Slip.when(
                "rounds",
                lambda got: got[-1].endswith("nothing") and len(set(got)) > 5,
                "Round neither the amounts nor the sum nor the limit, and turn none into a float.",
            ),
        ],
        about="numbers",
    )
    yield case(
        "after a refund that a person rejects",
        "50",
        [[refund("FH-80001", 40)], [refund("FH-80002", 40)], [refund("FH-80003", 5)]],
        [
            f"{refund('FH-80002', 40)}: approve, edit, reject",
            f"{refund('FH-80003', 5)}: approve, edit, reject",
        ],
        [f"{refund('FH-80001', 40)}"],
        "reject",
        more=[
            Slip.when(
                "rejected-forgotten",
                lambda got: len(got["asked"]) == 1,
                "Refunds that a person has rejected count too: the model has called for them.",
            )
        ],
        about="parts",
    )
    same = [[refund("FH-80004", 1), lookup], *[[refund("FH-80004", 1)]] * 60]
    yield Case(
        "a refund of £1, 61 times",
        call=lambda: asks(answer, [Decimal("59.5")], same)[-3:],
        show="what waits of the last three calls with the limit 59.5, each of them"
        f" {refund('FH-80004', 1)}, in a conversation of 250 messages",
        expect=["limit 59.5: nothing", *[f"limit 59.5: {refund('FH-80004', 1)}"] * 2],
        slips=[
            *slips,
            Slip.when(
                "some-left-out",
                lambda got: not any("refund" in each for each in got),
                "Each call in all messages counts: after the customer has written again, if it"
                " failed, and if it is the same as another one.",
            ),
        ],
        about="parts",
    )
    two = [[[refund("FH-80005", each)], [refund("FH-80006", 40)]] for each in (40, 5, 11)]
    yield Case(
        "three customers, one after another",
        call=lambda: asks(answer, [Decimal(50)], *two),
        show="what waits with the limit 50, and one middleware:\n"
        + "\nThen:\n".join(map(told, two)),
        expect=[
            *("limit 50: nothing", f"limit 50: {refund('FH-80006', 40)}"),
            *("limit 50: nothing", "limit 50: nothing"),
            *("limit 50: nothing", f"limit 50: {refund('FH-80006', 40)}"),
        ],
        slips=slips,
        about="parts",
    )
    emails = [
        [Call("change_email", each)]
        for each in (
            {"email": "x@fernhill.example"},
            {},
            {"email": ""},
            {"email": None, "amount": 0},
        )
    ]
    yield Case(
        "any new address",
        call=lambda: asks(answer, [Decimal(900)], emails),
        show=f"what waits with the limit 900:\n{told(emails)}",
        expect=[f"limit 900: {each[0]}" for each in emails],
        slips=slips,
        about="decisions",
    )
    yield Case(
        "other tools",
        call=lambda: asks_about_others(answer),
        show="the calls of other tools that wait, with the limit 5 after a refund of £50",
        expect=[],
        slips=slips,
        about="decisions",
    )
    odd = [
        [Call("issue_refund", {"amount": 3})],
        [refund("FH-80007"), email],
        [refund("FH-80008", 9)],
    ]
    yield Case(
        "what is left of a request",
        call=lambda: changes(answer, odd),
        show="what has changed in the requests for these calls, after they were asked about:\n"
        + told(odd),
        expect=[],
        slips=[
            *slips,
            Slip.when(
                "changes",
                lambda got: bool(got),
                "Change neither the call nor the state nor a message.",
            ),
        ],
        about="decisions",
    )
    yield generated(
        "any calls, with two limits",
        answer,
        exercise="04.6",
        inputs=PAYOUTS,
        used=lambda one: lambda limits, calls: asks(one, limits, calls),
        called=lambda limits, calls: f"limits {', '.join(map(str, limits))}:\n{told(calls)}",
        slips=slips,
        about="any",
        budget=100,
        limit=20,
    )
