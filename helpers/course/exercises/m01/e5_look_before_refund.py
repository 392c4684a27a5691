"""Exercise 01.5: an action in two steps."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise, generated, satisfies

if TYPE_CHECKING:
    from helpers.course.exercises.m01.refunds import Guard, Step, Turn


def _look(order: str) -> tuple[str, str]:
    return "lookup_order", order


def _refund(order: str) -> tuple[str, str]:
    return "issue_refund", order


@exercise(
    "01.5",
    title="Look before a refund",
    hints=[
        "request.tool_call is a dictionary with name, args and id. Which calls are not your"
        " business? Those are handler(request).",
        Hint(
            'What was looked up is in request.state["messages"], and nowhere else: what you keep'
            " yourself is shared by all customers.",
            "memory",
        ),
        Hint(
            "An AIMessage's tool_calls say which order was asked for, a ToolMessage's status says"
            " whether it was found. id and tool_call_id join the two.",
            "found",
            "any",
        ),
        Hint(
            "To refuse, do not call handler: return ToolMessage(text,"
            ' tool_call_id=request.tool_call["id"], status="error"), where the text says what'
            " lookup_order should look up.",
            "refusal",
        ),
        "Go through the messages: note the ids of the lookup_order calls for this order; where a"
        " ToolMessage with one of them succeeded, return handler(request). Refuse at the end.",
    ],
)
def look_before_refund(answer: "Guard") -> Iterator[Case]:
    """A guard around tool calls: no refund of an order that was not looked up before."""
    from langchain_core.tools import ToolException

    from helpers.course.exercises.m01 import conversations, middleware
    from helpers.course.exercises.m01.refunds import Call, acted_at_once, judged

    slips = middleware.slips("wrap_tool_call")

    def alone(
        name: str,
        steps: "Sequence[Step]",
        expect: list[str],
        *more: Slip,
        about: str,
        known: int = 0,
    ) -> Case:
        return Case(
            name,
            call=lambda: judged(answer, steps, known),
            show=conversations.told(steps, known),
            expect=expect,
            slips=[*slips, *more],
            about=about,
        )

    order, other = "FH-10742", "FH-10743"
    others = [other, f"{order} ", order.lower()]
    refused_other = f"issue_refund({other}) is refused"
    looked: list[Step] = [f"Where is {order}?", [Call("lookup_order", order)]]
    refunds: list[Step] = [f"Refund {order}.", [Call("issue_refund", order)]]
    mine: list[Turn] = [
        ("chat-1", [[_look("FH-10847")]]),
        ("chat-1", [[_refund("FH-10847")]]),
    ]
    theirs: list[Turn] = [("chat-1", [[_look("FH-10563")], [_refund("FH-10839")]])]
    yield alone(
        "a refund without a lookup",
        [f"Refund {order}, please.", [Call("issue_refund", order)]],
        [f"issue_refund({order}) is refused"],
        Slip.value(
            "all-pass",
            [f"issue_refund({order}) goes through"],
            "The refund was paid before the order was looked up.",
        ),
        Slip.value(
            "says-success",
            [f'issue_refund({order}) is not made, but the status is "success"'],
            'The message says that all went well: give it status="error".',
        ),
        *(
            Slip.raises(
                f"raises-{error.__name__}",
                error,
                "An error ends the conversation: to refuse, return a ToolMessage.",
            )
            for error in (ValueError, RuntimeError, PermissionError, ToolException)
        ),
        about="refusal",
    )
    yield alone(
        "a lookup, then the refund, and one more later",
        [
            f"Refund {order}.",
            [Call("lookup_order", order)],
            [Call("issue_refund", order)],
            "And the delivery fee, please.",
            [Call("issue_refund", order)],
        ],
        [
            f"lookup_order({order}) goes through",
            f"issue_refund({order}) goes through",
            f"issue_refund({order}) goes through",
        ],
        Slip.value(
            "blocks-all",
            [
                f"lookup_order({order}) goes through",
                f"issue_refund({order}) is refused",
                f"issue_refund({order}) is refused",
            ],
            "The order had been looked up: these refunds may go through.",
        ),
        about="found",
    )
    yield alone(
        "a lookup of one order, a refund of another",
        [
            f"Refund {other}.",
            [Call("lookup_order", order)],
            *([Call("issue_refund", one)] for one in others),
        ],
        [
            f"lookup_order({order}) goes through",
            *(f"issue_refund({one}) is refused" for one in others),
        ],
        Slip.value(
            "any-lookup",
            [
                f"lookup_order({order}) goes through",
                *(f"issue_refund({one}) goes through" for one in others),
            ],
            f"{order} was looked up, and {other} refunded.",
        ),
        Slip.when(
            "other-texts",
            lambda got: got[:2] == [f"lookup_order({order}) goes through", refused_other],
            "Two ids are the same order only where the texts are equal: small letters and spaces"
            " count.",
        ),
        about="found",
    )
    yield alone(
        "a lookup that failed",
        [
            f"Refund {order}.",
            *(
                step
                for ends in ("error", "success", "error")
                for step in ([Call("lookup_order", order, ends)], [Call("issue_refund", order)])
            ),
        ],
        [
            f"lookup_order({order}) goes through",
            f"issue_refund({order}) is refused",
            *[f"lookup_order({order}) goes through", f"issue_refund({order}) goes through"] * 2,
        ],
        Slip.value(
            "calls-count",
            [f"lookup_order({order}) goes through", f"issue_refund({order}) goes through"] * 3,
            'The lookup came back with status "error": the order was not found.',
        ),
        Slip.when(
            "one-lookup-decides",
            lambda got: got[1] == f"issue_refund({order}) is refused",
            "One lookup that succeeded is enough, whatever came of the others before or after it.",
        ),
        about="found",
    )
    yield alone(
        "both in one message",
        [f"Refund {order}.", [Call("lookup_order", order), Call("issue_refund", order)]],
        [f"lookup_order({order}) goes through", f"issue_refund({order}) is refused"],
        Slip.value(
            "same-message",
            [f"lookup_order({order}) goes through", f"issue_refund({order}) goes through"],
            "The model asked for both at once: it decided on the refund before it saw the order.",
        ),
        about="found",
    )
    yield alone(
        "two lookups in one message, whose results come the other way round",
        [
            [Call("lookup_order", order, "error"), Call("lookup_order", other)],
            "Refund both.",
            [Call("issue_refund", order)],
            [Call("issue_refund", other)],
        ],
        [
            f"lookup_order({order}) goes through",
            f"lookup_order({other}) goes through",
            f"issue_refund({order}) is refused",
            f"issue_refund({other}) goes through",
        ],
        about="found",
    )
    yield alone(
        "a lookup before a restart",
        [
            f"Where is {order}?",
            [Call("lookup_order", order)],
            *["Are you still there?"] * 60,
            "Refund.",
            [Call("issue_refund", order)],
        ],
        [f"issue_refund({order}) goes through"],
        about="memory",
        known=2,
    )
    yield alone(
        "other tools, whatever they return or raise",
        [
            f"Cancel {order}.",
            [
                Call("search_documents", "Can I cancel?"),
                Call("hand_over", "a complaint", "command"),
            ],
            [Call("cancel_order", order, "raises"), Call("issue_refund_label", order)],
            [Call("lookup_parcel", order), Call("order_lookup", order)],
            [Call("issue_refund", order)],
        ],
        [
            "search_documents(Can I cancel?) goes through",
            "hand_over(a complaint) goes through",
            f"cancel_order({order}) goes through",
            f"issue_refund_label({order}) goes through",
            f"lookup_parcel({order}) goes through",
            f"order_lookup({order}) goes through",
            f"issue_refund({order}) is refused",
        ],
        about="others",
    )
    yield Case(
        "looked up in another conversation",
        call=lambda: judged(answer, looked) and judged(answer, refunds),
        show=f"{conversations.told(looked)}\n(Another customer.)\n{conversations.told(refunds)}",
        expect=[f"issue_refund({order}) is refused"],
        slips=[
            *slips,
            Slip.value(
                "remembers",
                [f"issue_refund({order}) goes through"],
                "The guard remembers other conversations: it must read lookups off the messages.",
            ),
        ],
        about="memory",
    )
    yield generated(
        "any conversation",
        answer,
        exercise="01.5",
        inputs=conversations.WITH_REFUNDS,
        used=lambda guard: lambda steps, known: judged(guard, steps, known),
        called=conversations.told,
        expect=lambda verdicts: satisfies(str(verdicts), lambda got: got == verdicts),
        slips=slips,
        about="any",
        limit=6.0,
    )
    yield Case(
        "in the agents of two customers at the same time",
        call=lambda: acted_at_once(answer, [("C-0075", mine), ("C-0132", theirs)]),
        show=f"the orders refunded, when the model calls {_story(mine)} for one customer, and"
        f" {_story(theirs)} for another",
        expect=[["FH-10847"], []],
        slips=slips,
        about="memory",
        after_all=True,
    )


def _story(turns: "Sequence[Turn]") -> str:
    told = []
    for name, steps in turns:
        made = [" and ".join(f"{tool}({value!r})" for tool, value in calls) for calls in steps]
        told.append(f"{', then '.join(made)} in {name}")
    return ", later ".join(told)
