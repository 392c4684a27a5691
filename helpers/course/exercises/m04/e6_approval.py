"""Exercise 04.6: which calls wait for a person."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise, generated

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
            show=f"whether a refund waits with the limit 60, for amounts of {amounts}",
            expect=[f"limit 60: {refund('FH-60001', each)}" for each in amounts],
            slips=[*slips, *more],
            about=about,
        )

    yield waiting(
        "amounts that are no numbers above 0",
        [float("nan"), float("inf"), "5", -5, 0, True, None, [5]],
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
    yield generated(
        "any calls, with two limits",
        answer,
        exercise="04.6",
        inputs=PAYOUTS,
        used=lambda one: lambda limits, calls: asks(one, limits, calls),
        called=lambda limits, calls: f"limits {', '.join(map(str, limits))}:\n{told(calls)}",
        slips=slips,
        about="any",
        limit=20,
    )
