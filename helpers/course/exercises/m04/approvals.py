"""What a person is asked about by a HumanInTheLoopMiddleware, and what is made then: for 04.6."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final, Literal

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolCallRequest
from langchain.tools import tool
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from helpers.course.todo import TODO
from helpers.testbed import ScriptedModel

Make = Callable[[Decimal], HumanInTheLoopMiddleware[Any, Any, Any]]
"""What the learner writes: a middleware for a limit in pounds."""


class NotApprovalError(TypeError):
    """The function returned something else."""


@dataclass(frozen=True)
class Call:
    """A call that the model makes."""

    tool: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.tool}({given})"


def refund(order_id: str, *amount: Any) -> Call:
    """A refund of an order; without an amount, of all of it."""
    return Call("issue_refund", {"order_id": order_id, **({"amount": amount[0]} if amount else {})})


Calls = Sequence[Sequence[Call]]
"""The calls of each of the model's messages."""


def told(calls: Calls) -> str:
    """Calls as a card writes them, a line for each message."""
    return "\n".join(f"Model calls {' and '.join(map(str, each))}" for each in calls)


def made_with(make: Make, limit: Decimal) -> HumanInTheLoopMiddleware[Any, Any, Any]:
    """The learner's middleware for this limit."""
    made: Any = make(limit)
    if made is TODO:
        raise TODO
    if not isinstance(made, HumanInTheLoopMiddleware):
        raise NotApprovalError("approval returns a HumanInTheLoopMiddleware")
    return made


# --- in an agent ----------------------------------------------------------------------------------


def _tools(made: list[str]) -> list[Any]:
    @tool
    def lookup_order(order_id: str) -> str:
        """Look an order up."""
        made.append(str(Call("lookup_order", {"order_id": order_id})))
        return "It is on its way."

    @tool
    def issue_refund(order_id: str, amount: Any = None) -> str:
        """Pay an order back."""
        made.append(str(refund(order_id, amount)))
        return "Paid."

    @tool
    def change_email(email: str) -> str:
        """Change the address of an account."""
        made.append(str(Call("change_email", {"email": email})))
        return "Changed."

    @tool
    def hand_over(reason: str) -> str:
        """Hand over to a person."""
        made.append(str(Call("hand_over", {"reason": reason})))
        return "A person will take over."

    return [lookup_order, issue_refund, change_email, hand_over]


def driven(
    middleware: HumanInTheLoopMiddleware[Any, Any, Any], calls: Calls, answer: str = "approve"
) -> dict[str, list[str]]:
    """What a person is asked in an agent, and which calls are made.

    The person gives this answer to everything, where it is allowed, else rejects. An edit is to a
    refund of £1.
    """
    asked: list[str] = []
    made: list[str] = []
    replies = [[{"name": one.tool, "args": dict(one.arguments)} for one in each] for each in calls]
    agent = create_agent(
        ScriptedModel(replies=replies, then="Done."),
        _tools(made),
        middleware=[middleware],
        checkpointer=InMemorySaver(),
    )
    config = RunnableConfig(configurable={"thread_id": "chat-1"})
    given: Any = {"messages": [HumanMessage("Please help me.")]}
    state = agent.invoke(given, config)
    while waiting := state.get("__interrupt__"):
        actions = waiting[0].value["action_requests"]
        reviews = waiting[0].value["review_configs"]
        decisions = []
        for action, review in zip(actions, reviews, strict=True):
            allowed = sorted(review["allowed_decisions"])
            asked.append(f"{Call(action['name'], action['args'])}: {', '.join(allowed)}")
            decisions.append(_decision(action, answer if answer in allowed else "reject"))
        state = agent.invoke(Command(resume={"decisions": decisions}), config)
    return {"asked": asked, "made": sorted(made)}


def _decision(action: Mapping[str, Any], answer: str) -> dict[str, Any]:
    if answer == "edit":
        args = {**action["args"], "amount": 1}
        return {"type": "edit", "edited_action": {"name": action["name"], "args": args}}
    return {"type": answer}


# --- by itself ------------------------------------------------------------------------------------


def asks(make: Make, limits: Sequence[Decimal], *conversations: Calls) -> list[str]:
    """The calls about which a person is asked, for each limit, without an agent around.

    One middleware serves all conversations. The calls' ids are the same in each message, as some
    models give them; every third call has failed, another third was rejected.
    """
    found = []
    middlewares = [made_with(make, limit) for limit in limits]
    for limit, middleware in zip(limits, middlewares, strict=True):
        for calls in conversations:
            for messages, made in _growing(calls):
                waiting = [
                    str(Call(call["name"], call["args"]))
                    for call in made
                    if _waits(middleware, call, messages)
                ]
                found.append(f"limit {limit}: {', '.join(waiting) or 'nothing'}")
    return found


def asks_about_others(make: Make) -> list[str]:
    """The calls of other tools about which a person is asked, of those that it names, too."""
    middleware = made_with(make, Decimal(5))
    names = {*middleware.interrupt_on, *_OTHER_TOOLS} - {"issue_refund", "change_email"}
    paid = refund("FH-10001", 50)
    calls = [[paid], *([Call(name, paid.arguments)] for name in sorted(names))]
    found = asks(make, [Decimal(5)], calls)
    return [each for each in found[1:] if not each.endswith("nothing")]


def changes(make: Make, calls: Calls) -> list[str]:
    """What is not as it was after a person may have been asked about these calls."""
    middleware = made_with(make, Decimal(5))
    found = []
    for messages, made in _growing(calls):
        for call in made:
            request = _request(call, messages)
            before = _looked_at(request)
            when = middleware.interrupt_on[call["name"]].get("when", bool)
            when(request)
            after = _looked_at(request)
            if before != after:
                found.append(f"{Call(call['name'], call['args'])} changed its request")
    return found


_OTHER_TOOLS: Final = (
    *("lookup_order", "hand_over", "search_documents", "delete_account", "refund", "send_email"),
    *("issue_refunds", "issue_refund_request", "change_emails", "change_address", "Issue_refund"),
)


def _growing(calls: Calls) -> Iterator[tuple[list[AnyMessage], list[ToolCall]]]:
    """A conversation up to each of the model's messages with calls, and these calls."""
    messages: list[AnyMessage] = [SystemMessage("Be brief."), HumanMessage("Refund £900, please.")]
    for place, each in enumerate(calls):
        made = [
            ToolCall(type="tool_call", name=one.tool, args=dict(one.arguments), id=f"call_{n}")
            for n, one in enumerate(each)
        ]
        messages.append(AIMessage("", tool_calls=made, name="fernhill" if place % 2 else None))
        yield messages, made
        for n, call in enumerate(made):
            said, status = _SAID[(place + n) % len(_SAID)]
            text = said.format(name=call["name"], id=call["id"])
            messages.append(
                ToolMessage(text, name=call["name"], tool_call_id=call["id"], status=status)
            )
        messages += [AIMessage("Anything else?"), HumanMessage("Refund £900.")]


_SAID: Final[Sequence[tuple[str, Literal["success", "error"]]]] = (
    ("User rejected the tool call for `{name}` with id {id}", "error"),
    ("Paid £500.", "success"),
    ("TimeoutError: nothing was paid.", "error"),
)


def _waits(
    middleware: HumanInTheLoopMiddleware[Any, Any, Any],
    call: ToolCall,
    messages: Sequence[AnyMessage],
) -> bool:
    config = middleware.interrupt_on.get(call["name"])
    if config is None:
        return False
    when = config.get("when")
    return when is None or bool(when(_request(call, messages)))


def _request(call: ToolCall, messages: Sequence[AnyMessage]) -> ToolCallRequest:
    runtime: Any = SimpleNamespace(context=None, tool_call_id=call["id"], config={})
    state = {"messages": list(messages)}
    return ToolCallRequest(tool_call=call, tool=None, state=state, runtime=runtime)


def _looked_at(request: ToolCallRequest) -> str:
    state: Any = request.state
    rest = {name: value for name, value in state.items() if name != "messages"}
    messages = [(id(message), message.model_dump()) for message in state["messages"]]
    return repr([request.tool_call, messages, rest, vars(request.runtime)])
