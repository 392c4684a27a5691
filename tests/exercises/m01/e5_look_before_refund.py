from collections.abc import Callable, Sequence

from langchain.agents.middleware import ToolCallRequest
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from helpers.authoring.answers import wrong

Handler = Callable[[ToolCallRequest], ToolMessage]


def refusal(request: ToolCallRequest) -> ToolMessage:
    return ToolMessage(
        "Look the order up with lookup_order first.",
        tool_call_id=request.tool_call["id"],
        status="error",
    )


def asked_for(request: ToolCallRequest) -> dict[str, str]:
    """The orders that lookups asked for, by the id of the call."""
    return {
        call["id"]: call["args"]["order_id"]
        for message in request.state["messages"]
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["name"] == "lookup_order"
    }


def looked_up(messages: Sequence[AnyMessage], request: ToolCallRequest) -> set[str]:
    """The orders whose lookup succeeded, by these messages."""
    asked = asked_for(request)
    return {
        asked[message.tool_call_id]
        for message in messages
        if isinstance(message, ToolMessage)
        and message.tool_call_id in asked
        and message.status == "success"
    }


def refunds(request: ToolCallRequest) -> str:
    """The order to be refunded, or nothing."""
    call = request.tool_call
    return call["args"]["order_id"] if call["name"] == "issue_refund" else ""


@wrong("Lets everything pass.")
def lets_all_pass() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        return handler(request)

    return look_before_refund


@wrong("Blocks every refund.")
def blocks_all() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if request.tool_call["name"] == "issue_refund":
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("Any lookup will do.")
def any_lookup() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and not looked_up(request.state["messages"], request):
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("Looks at the calls, not at what came of them.")
def looks_at_calls() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and refunds(request) not in asked_for(request).values():
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("Remembers lookups for all customers.")
def keeps_a_set() -> object:
    seen: set[str] = set()

    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and refunds(request) not in seen:
            return refusal(request)
        result = handler(request)
        if request.tool_call["name"] == "lookup_order" and result.status == "success":
            seen.add(request.tool_call["args"]["order_id"])
        return result

    return look_before_refund


@wrong("Only the message right before counts.")
def last_message_only() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        seen = looked_up(request.state["messages"][-2:-1], request)
        if refunds(request) and refunds(request) not in seen:
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("Blocks, and says that all went well.")
def blocks_politely() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> ToolMessage:
        if refunds(request) and refunds(request) not in looked_up(
            request.state["messages"], request
        ):
            call = request.tool_call
            return ToolMessage("Use lookup_order first.", tool_call_id=call["id"])
        return handler(request)

    return look_before_refund
