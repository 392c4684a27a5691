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
    from helpers.course.exercises.m01 import conversations, middleware
    from helpers.course.exercises.m01.refunds import Call, acted, acted_at_once, judged

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

    def case(
        name: str,
        customer: str,
        turns: "Sequence[Turn]",
        expect: list[str],
        slip: str,
        why: str,
        *,
        about: str,
        busy: bool = False,
    ) -> Case:
        last_order = turns[-1][1][-1][-1][1]
        return Case(
            name,
            call=lambda: acted(answer, turns, customer, busy=busy)[0],
            show=f"the orders refunded, when the model calls {_story(turns)}",
            expect=expect,
            slips=[Slip.value(slip, [] if expect else [last_order], why)],
            about=about,
        )

    order, other = "FH-10742", "FH-10743"
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
        about="refusal",
    )
    yield alone(
        "a lookup, then the refund",
        [f"Refund {order}.", [Call("lookup_order", order)], [Call("issue_refund", order)]],
        [f"lookup_order({order}) goes through", f"issue_refund({order}) goes through"],
        about="found",
    )
    yield alone(
        "a lookup of one order, a refund of another",
        [f"Refund {other}.", [Call("lookup_order", order)], [Call("issue_refund", other)]],
        [f"lookup_order({order}) goes through", f"issue_refund({other}) is refused"],
        Slip.value(
            "any-lookup",
            [f"lookup_order({order}) goes through", f"issue_refund({other}) goes through"],
            f"{order} was looked up, and {other} refunded.",
        ),
        about="found",
    )
    yield alone(
        "two lookups in one message, whose results come the other way round",
        [
            f"Refund {order}.",
            "And the other.",
            [Call("lookup_order", order, "error"), Call("lookup_order", other)],
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
        ],
        [
            "search_documents(Can I cancel?) goes through",
            "hand_over(a complaint) goes through",
            f"cancel_order({order}) goes through",
            f"issue_refund_label({order}) goes through",
        ],
        about="others",
    )
    # Every case has an order of its own: what a guard keeps to itself must not tip another case.
    yield case(
        "in an agent: looked up, then refunded",
        "C-0011",
        [("chat-1", [[_look("FH-10803")], [_refund("FH-10803")]])],
        ["FH-10803"],
        "blocks-all",
        "The order had been looked up: this refund is in order.",
        about="found",
    )
    yield case(
        "in an agent: the lookup failed",
        "C-0026",
        [("chat-1", [[_look("FH-10654")], [_refund("FH-10654")]])],
        [],
        "calls-count",
        'The lookup came back with status "error": the order was not found.',
        about="found",
        busy=True,
    )
    yield case(
        "in an agent: both in one message",
        "C-0053",
        [("chat-1", [[_look("FH-10777"), _refund("FH-10777")]])],
        [],
        "same-message",
        "The model asked for both at once: it decided on the refund before it saw the order.",
        about="found",
    )
    yield case(
        "in an agent: looked up in another conversation",
        "C-0035",
        [("chat-1", [[_look("FH-10824")]]), ("chat-2", [[_refund("FH-10824")]])],
        [],
        "remembers",
        "The guard remembers lookups of other conversations: it must read them off the messages.",
        about="memory",
    )
    yield Case(
        "in two agents at the same time",
        call=lambda: acted_at_once(
            answer,
            [
                (
                    "C-0075",
                    [("chat-1", [[_look("FH-10847")]]), ("chat-1", [[_refund("FH-10847")]])],
                ),
                ("C-0132", [("chat-1", [[_look("FH-10563")], [_refund("FH-10839")]])]),
            ],
        ),
        show="the orders refunded to C-0075, who has FH-10847 looked up and then refunded, and to"
        " C-0132, who has FH-10563 looked up and FH-10839 refunded",
        expect=[["FH-10847"], []],
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


def _story(turns: "Sequence[Turn]") -> str:
    told = []
    for name, steps in turns:
        made = [" and ".join(f"{tool}({value!r})" for tool, value in calls) for calls in steps]
        told.append(f"{', then '.join(made)} in {name}")
    return ", later ".join(told)
