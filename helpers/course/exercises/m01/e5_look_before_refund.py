"""Exercise 01.5: an action in two steps."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, exercise, satisfies

if TYPE_CHECKING:
    from helpers.course.exercises.m01.refunds import Guard, Turn


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
        'What was looked up stands in request.state["messages"], and nowhere else: what you keep'
        " yourself is shared by all customers.",
        "Which order was asked for stands in an AIMessage's tool_calls, whether it was found in a"
        ' ToolMessage\'s status, "success" or "error". id and tool_call_id join the two.',
        "To refuse, do not call handler: return ToolMessage('Look ... up with lookup_order first.',"
        ' tool_call_id=request.tool_call["id"], status="error").',
    ],
)
def look_before_refund(submission: "Guard") -> Iterator[Case]:
    """A guard around tool calls: no refund of an order that was not looked up before."""
    from helpers.course.exercises.m01.refunds import acted

    def case(
        name: str,
        customer: str,
        turns: "Sequence[Turn]",
        expect: list[str],
        why: str,
        *,
        busy: bool = False,
    ) -> Case:
        last_order = turns[-1][1][-1][-1][1]
        return Case(
            name,
            call=lambda: acted(submission, turns, customer, busy=busy)[0],
            show=f"the orders refunded, when the model calls {_story(turns)}",
            expect=expect,
            slips=[([] if expect else [last_order], why)],
        )

    # Every case has an order of its own: what a guard keeps to itself must not tip another case.
    yield case(
        "no lookup at all",
        "C-0029",
        [("chat-1", [[_refund("FH-10742")]])],
        [],
        "The refund was paid before anybody had looked at the order.",
    )
    yield case(
        "looked up, then refunded",
        "C-0011",
        [("chat-1", [[_look("FH-10803")], [_refund("FH-10803")]])],
        ["FH-10803"],
        "The order had been looked up: this refund is in order.",
    )
    yield case(
        "another order was looked up",
        "C-0132",
        [("chat-1", [[_look("FH-10563")], [_refund("FH-10839")]])],
        [],
        "FH-10563 was looked up, and FH-10839 refunded.",
    )
    yield case(
        "the lookup failed",
        "C-0026",
        [("chat-1", [[_look("FH-10654")], [_refund("FH-10654")]])],
        [],
        'The lookup came back with status "error": nobody has seen the order.',
        busy=True,
    )
    yield case(
        "both in one message",
        "C-0053",
        [("chat-1", [[_look("FH-10777"), _refund("FH-10777")]])],
        [],
        "The model asked for both at once: it decided on the refund before it saw the order.",
    )
    yield case(
        "looked up earlier in the conversation",
        "C-0075",
        [("chat-1", [[_look("FH-10847")]]), ("chat-1", [[_refund("FH-10847")]])],
        ["FH-10847"],
        "The lookup stands in the messages of an earlier turn: it counts.",
    )
    yield case(
        "looked up in another conversation",
        "C-0035",
        [("chat-1", [[_look("FH-10824")]]), ("chat-2", [[_refund("FH-10824")]])],
        [],
        "The guard remembers lookups of other conversations: it must read them off the messages.",
    )
    yield Case(
        "what the model is told",
        call=lambda: acted(submission, [("chat-1", [[_refund("FH-10738")]])], customer="C-0045")[1],
        show="the tool's message after a refund without a lookup",
        expect=satisfies('a message with status "error" that names lookup_order', _sends_back),
    )
    yield Case(
        "the other tools work as before",
        call=lambda: (
            acted(submission, [("chat-1", [[("hand_over", "a complaint")]])], customer="C-0045")[
                1
            ].status
        ),
        show='the status of the message after hand_over("a complaint")',
        expect="success",
    )


def _story(turns: "Sequence[Turn]") -> str:
    told = []
    for name, steps in turns:
        made = [" and ".join(f"{tool}({value!r})" for tool, value in calls) for calls in steps]
        told.append(f"{', then '.join(made)} in {name}")
    return ", later ".join(told)


def _sends_back(got: Any) -> bool | str:
    if got.status != "error":
        return 'The message says that all went well. Give it status="error".'
    if "lookup_order" not in got.text:
        return "It does not name lookup_order, so the model cannot know what to do first."
    return True
