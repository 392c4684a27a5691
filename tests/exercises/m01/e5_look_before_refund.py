from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest, wrap_tool_call
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.tools import ToolException

from helpers.authoring.answers import right, wrong
from helpers.shop import Order

Handler = Callable[[ToolCallRequest], Any]
Seen = Callable[[ToolCallRequest], Any]


def refusal(request: ToolCallRequest, **changed: Any) -> ToolMessage:
    call = request.tool_call
    fields = {
        "content": f"Look {call['args'].get('order_id')} up with lookup_order first.",
        "tool_call_id": call["id"],
        "status": "error",
        **changed,
    }
    return ToolMessage(**fields)


def lookups(messages: Sequence[AnyMessage]) -> dict[str, str]:
    """The orders that lookups asked for, by the id of the call."""
    return {
        call["id"]: call["args"]["order_id"]
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["name"] == "lookup_order"
    }


def found(messages: Sequence[AnyMessage]) -> set[str]:
    """The orders whose lookup succeeded."""
    asked = lookups(messages)
    return {
        asked[message.tool_call_id]
        for message in messages
        if isinstance(message, ToolMessage)
        and message.tool_call_id in asked
        and message.status == "success"
    }


def results(request: ToolCallRequest, *, status: str = "success") -> Iterator[ToolMessage]:
    for message in request.state["messages"]:
        if isinstance(message, ToolMessage) and message.status == status:
            yield message


def order_of(request: ToolCallRequest) -> str:
    return str(request.tool_call["args"].get("order_id", ""))


def is_refund(request: ToolCallRequest) -> bool:
    return request.tool_call["name"] == "issue_refund"


def was_found(request: ToolCallRequest) -> bool:
    return order_of(request) in found(request.state["messages"])


def guard(
    seen: Seen = was_found,
    *,
    guarded: Callable[[ToolCallRequest], bool] = is_refund,
    refuse: Callable[[ToolCallRequest], Any] = refusal,
    passes: Callable[[ToolCallRequest, Handler], Any] = lambda request, handler: handler(request),
) -> object:
    """A guard that is right but for these."""

    @wrap_tool_call
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        if guarded(request) and not seen(request):
            return refuse(request)
        return passes(request, handler)

    return look_before_refund


@wrong("Lets everything pass.", slip="all-pass")
def lets_all_pass() -> object:
    return guard(lambda request: True)


@wrong("Blocks every refund.", slip="blocks-all")
def blocks_all() -> object:
    return guard(lambda request: False)


@wrong("Any lookup that succeeded unlocks all orders.", slip="any-lookup")
def any_lookup() -> object:
    return guard(lambda request: found(request.state["messages"]))


@wrong("Looks at the calls, not at what came of them.", slip="calls-count")
def looks_at_calls() -> object:
    return guard(lambda request: order_of(request) in lookups(request.state["messages"]).values())


@wrong("A lookup in the same message counts.", slip="same-message")
def same_message() -> object:
    def seen(request: ToolCallRequest) -> bool:
        last = request.state["messages"][-1:]
        return was_found(request) or order_of(request) in lookups(last).values()

    return guard(seen)


@wrong("Remembers lookups for all customers.", slip="remembers")
def keeps_a_set() -> object:
    seen: set[str] = set()

    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        result = handler(request)
        looked = request.tool_call["name"] == "lookup_order"
        if looked and getattr(result, "status", "success") == "success":
            seen.add(order_of(request))
        return result

    return guard(lambda request: order_of(request) in seen, passes=passes)


@wrong("Reads the messages, and remembers as well.")
def keeps_a_set_too() -> object:
    seen: set[str] = set()

    def looked_up(request: ToolCallRequest) -> bool:
        seen.update(found(request.state["messages"]))
        return order_of(request) in seen

    return guard(looked_up)


@wrong("Only the message right before counts.")
def last_message_only() -> object:
    def seen(request: ToolCallRequest) -> bool:
        before = request.state["messages"][-2:-1]
        ids = {m.tool_call_id for m in before if isinstance(m, ToolMessage)}
        asked = lookups(request.state["messages"])
        return order_of(request) in {asked[one] for one in ids if one in asked}

    return guard(seen)


@wrong("Only this turn counts.")
def this_turn_only() -> object:
    def seen(request: ToolCallRequest) -> bool:
        messages = request.state["messages"]
        places = [n for n, message in enumerate(messages) if message.type == "human"]
        return order_of(request) in found(messages[places[-1] :])

    return guard(seen)


@wrong("Blocks, and says that all went well.", slip="says-success")
def blocks_politely() -> object:
    return guard(refuse=lambda request: refusal(request, status="success"))


@wrong("A constant id.")
def constant_id() -> object:
    return guard(refuse=lambda request: refusal(request, tool_call_id="a1"))


@wrong("The id of the last call in the conversation.")
def id_of_the_lookup() -> object:
    def refuse(request: ToolCallRequest) -> ToolMessage:
        calls = request.state["messages"][-1].tool_calls
        return refusal(request, tool_call_id=calls[0]["id"])

    return guard(refuse=refuse)


@wrong("A refusal that does not say what to do.")
def says_no() -> object:
    return guard(refuse=lambda request: refusal(request, content="Not allowed."))


@wrong("A refusal that names no order.")
def names_no_order() -> object:
    return guard(refuse=lambda request: refusal(request, content="Use lookup_order first."))


@wrong("Refuses with a text instead of a message.")
def a_text() -> object:
    return guard(refuse=lambda request: refusal(request).text)


@wrong("Raises instead of refusing.", slip="raises-ValueError")
def raises() -> object:
    def refuse(request: ToolCallRequest) -> Any:
        raise ValueError("Use lookup_order first.")

    return guard(refuse=refuse)


@wrong("Raises RuntimeError instead of refusing.", slip="raises-RuntimeError")
def raises_a_runtime_error() -> object:
    def refuse(request: ToolCallRequest) -> Any:
        raise RuntimeError("Not looked up.")

    return guard(refuse=refuse)


@wrong("Raises PermissionError instead of refusing.", slip="raises-PermissionError")
def raises_that_it_is_not_allowed() -> object:
    def refuse(request: ToolCallRequest) -> Any:
        raise PermissionError("Use lookup_order first.")

    return guard(refuse=refuse)


@wrong("Raises ToolException instead of refusing.", slip="raises-ToolException")
def raises_as_a_tool_does() -> object:
    def refuse(request: ToolCallRequest) -> Any:
        raise ToolException("Use lookup_order first.")

    return guard(refuse=refuse)


@wrong("Refunds all the same, and says that it did not.")
def refunds_and_refuses() -> object:
    @wrap_tool_call
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        result = handler(request)
        return refusal(request) if is_refund(request) and not was_found(request) else result

    return look_before_refund


@wrong("Answers other tools without calling them.")
def done() -> object:
    @wrap_tool_call
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        if request.tool_call["name"] not in ("issue_refund", "lookup_order"):
            return ToolMessage("Done.", tool_call_id=request.tool_call["id"])
        if is_refund(request) and not was_found(request):
            return refusal(request)
        return handler(request)

    return look_before_refund


@wrong("Answers tools that it does not know without calling them.")
def known_tools_only() -> object:
    known = {"lookup_order", "issue_refund", "search_documents", "hand_over"}

    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        if request.tool_call["name"] not in known:
            return ToolMessage("Done.", tool_call_id=request.tool_call["id"])
        return handler(request)

    return guard(passes=passes)


@wrong("Every tool needs a lookup.")
def guards_all() -> object:
    return guard(guarded=lambda request: request.tool_call["name"] != "lookup_order")


@wrong("Every tool with an order needs a lookup.")
def guards_all_with_an_order() -> object:
    return guard(
        guarded=lambda request: (
            "order_id" in request.tool_call["args"] and request.tool_call["name"] != "lookup_order"
        )
    )


@wrong("Every tool with refund in its name needs a lookup.")
def guards_all_refunds() -> object:
    return guard(guarded=lambda request: "refund" in request.tool_call["name"])


@wrong("The customer says that the order was looked up.")
def in_the_customers_words() -> object:
    def seen(request: ToolCallRequest) -> bool:
        texts = [m.text for m in request.state["messages"] if m.type == "human"]
        return was_found(request) or any(order_of(request) in text for text in texts)

    return guard(seen)


@wrong("Any message that has the order's number in it.")
def in_any_text() -> object:
    def seen(request: ToolCallRequest) -> bool:
        return any(order_of(request) in message.text for message in request.state["messages"])

    return guard(seen)


@wrong("A lookup's text that has the order's number in it.")
def in_a_lookups_text() -> object:
    def seen(request: ToolCallRequest) -> bool:
        found = [message.text for message in results(request) if message.name == "lookup_order"]
        return any(order_of(request) in text for text in found)

    return guard(seen)


@wrong("A result of any tool for this order counts.")
def any_tools_result() -> object:
    def seen(request: ToolCallRequest) -> bool:
        asked = {
            call["id"]: call["args"].get("order_id")
            for message in request.state["messages"]
            if isinstance(message, AIMessage)
            for call in message.tool_calls
        }
        return order_of(request) in {asked.get(m.tool_call_id) for m in results(request)}

    return guard(seen)


@wrong("Pairs calls and results by their order.")
def by_position() -> object:
    def seen(request: ToolCallRequest) -> bool:
        messages = request.state["messages"]
        calls = [c for m in messages if isinstance(m, AIMessage) for c in m.tool_calls]
        told = [m for m in messages if isinstance(m, ToolMessage)]
        return any(
            call["name"] == "lookup_order"
            and call["args"]["order_id"] == order_of(request)
            and message.status == "success"
            for call, message in zip(calls, told, strict=False)
        )

    return guard(seen)


@wrong("The last lookup of an order decides.")
def last_lookup_decides() -> object:
    def seen(request: ToolCallRequest) -> bool:
        asked = lookups(request.state["messages"])
        last = ""
        for message in request.state["messages"]:
            if asked.get(getattr(message, "tool_call_id", "")) == order_of(request):
                last = message.status
        return last == "success"

    return guard(seen)


@wrong("Only the newest lookup counts.")
def newest_lookup_alone() -> object:
    def seen(request: ToolCallRequest) -> bool:
        asked = lookups(request.state["messages"])
        told = [m for m in results(request) if m.tool_call_id in asked]
        return bool(told) and asked[told[-1].tool_call_id] == order_of(request)

    return guard(seen)


@wrong("One lookup is good for one refund.")
def one_lookup_a_refund() -> object:
    def seen(request: ToolCallRequest) -> bool:
        kinds: dict[str, str] = {}
        looked = False
        for message in request.state["messages"]:
            for call in getattr(message, "tool_calls", []):
                if call["args"].get("order_id") == order_of(request):
                    kinds[call["id"]] = call["name"]
            if isinstance(message, ToolMessage) and message.status == "success":
                kind = kinds.get(message.tool_call_id)
                looked = (looked or kind == "lookup_order") and kind != "issue_refund"
        return looked

    return guard(seen)


@wrong("The second try goes through.")
def the_second_try() -> object:
    def seen(request: ToolCallRequest) -> bool:
        refused = [message.text for message in results(request, status="error")]
        tried = any("lookup_order" in text and order_of(request) in text for text in refused)
        return was_found(request) or tried

    return guard(seen)


@wrong("Small letters are capital letters.", slip="other-texts")
def any_letters() -> object:
    def seen(request: ToolCallRequest) -> bool:
        orders = found(request.state["messages"])
        return order_of(request).upper() in {order.upper() for order in orders}

    return guard(seen)


@wrong("A lookup that was made before is answered from the conversation.")
def lookups_once() -> object:
    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        looks = request.tool_call["name"] == "lookup_order"
        if looks and was_found(request):
            return ToolMessage("See above.", tool_call_id=request.tool_call["id"])
        return handler(request)

    return guard(passes=passes)


@wrong("Writes into the call.")
def writes_into_the_call() -> object:
    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        request.tool_call["args"]["checked"] = True
        return handler(request)

    return guard(passes=passes)


@wrong("Makes the refund twice.")
def twice() -> object:
    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        handler(request)
        return handler(request)

    return guard(passes=passes)


@wrong("Looks the order up by itself.")
def looks_up_itself() -> object:
    @wrap_tool_call
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        if is_refund(request) and not was_found(request):
            look = {**request.tool_call, "name": "lookup_order"}
            handler(request.override(tool_call=look))  # type: ignore[typeddict-item]
        return handler(request)

    return look_before_refund


@wrong("Catches what a tool raises.")
def catches() -> object:
    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        try:
            return handler(request)
        except Exception as error:
            return refusal(request, content=str(error))

    return guard(passes=passes)


@wrong("Makes a message of its own out of the result.")
def copies_the_result() -> object:
    def passes(request: ToolCallRequest, handler: Handler) -> Any:
        result = handler(request)
        return ToolMessage(getattr(result, "text", "Done."), tool_call_id=request.tool_call["id"])

    return guard(passes=passes)


@wrong("Puts a note into the conversation.")
def adds_a_message() -> object:
    def seen(request: ToolCallRequest) -> bool:
        looked = was_found(request)
        request.state["messages"].append(AIMessage("The guard has looked."))
        return looked

    return guard(seen)


@wrong("No decorator.", slip="no-decorator")
def no_decorator() -> object:
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        return (
            refusal(request) if is_refund(request) and not was_found(request) else handler(request)
        )

    return look_before_refund


@wrong("An async function.", slip="async")
def an_async_function() -> object:
    @wrap_tool_call
    async def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        if is_refund(request) and not was_found(request):
            return refusal(request)
        return await handler(request)

    return look_before_refund


@right("A set of the orders that were found.")
def a_set() -> object:
    return guard()


@right("By the artifact of a lookup that succeeded.")
def by_artifact() -> object:
    def seen(request: ToolCallRequest) -> bool:
        told = [m.artifact for m in results(request) if m.name == "lookup_order"]
        ids = [one["id"] if isinstance(one, dict) else one.id for one in told]
        return order_of(request) in ids

    return guard(seen)


@wrong("An artifact that a checkpointer has stored is no order any more.")
def by_artifacts_of_this_turn() -> object:
    def seen(request: ToolCallRequest) -> bool:
        return any(
            isinstance(message.artifact, Order) and message.artifact.id == order_of(request)
            for message in results(request)
        )

    return guard(seen)


@right("From the newest message back, each result with its call.")
def backwards() -> object:
    def seen(request: ToolCallRequest) -> bool:
        succeeded: set[str] = set()
        for message in reversed(request.state["messages"]):
            if isinstance(message, ToolMessage) and message.status != "error":
                succeeded.add(message.tool_call_id)
            for call in getattr(message, "tool_calls", []):
                mine = call["name"] == "lookup_order" and call["args"]["order_id"] == order_of(
                    request
                )
                if mine and call["id"] in succeeded:
                    return True
        return False

    return guard(seen)


@right("A class with a method.")
def a_class() -> object:
    class LookBeforeRefund(AgentMiddleware):
        def wrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Any:
            if is_refund(request) and not was_found(request):
                return refusal(request, name="issue_refund")
            return handler(request)

    return LookBeforeRefund()


@right("The decorator with a name, and a text in blocks.")
def decorator_with_a_name() -> object:
    @wrap_tool_call(name="look_first")
    def look_before_refund(request: ToolCallRequest, handler: Handler) -> Any:
        if is_refund(request) and not was_found(request):
            text = f"Call lookup_order with {order_of(request)}, then try again."
            return refusal(request, content=[{"type": "text", "text": text}])
        return handler(request)

    return look_before_refund


@right("Keeps nothing that matters: a counter.")
def counts() -> object:
    calls: list[str] = []

    def seen(request: ToolCallRequest) -> bool:
        calls.append(order_of(request))
        return was_found(request)

    return guard(seen)


def statuses(request: ToolCallRequest) -> list[str]:
    """What came of each lookup of the order, in order."""
    asked = lookups(request.state["messages"])
    return [
        message.status
        for message in request.state["messages"]
        if isinstance(message, ToolMessage) and asked.get(message.tool_call_id) == order_of(request)
    ]


@wrong("The first lookup of an order decides.", slip="one-lookup-decides")
def first_lookup_decides() -> object:
    return guard(lambda request: statuses(request)[:1] == ["success"])


@wrong("A lookup that failed rules the order out.", slip="one-lookup-decides")
def all_lookups_decide() -> object:
    return guard(lambda request: {*statuses(request)} == {"success"})


@wrong("Only the last ten messages count.")
def last_ten_messages() -> object:
    return guard(lambda request: order_of(request) in found(request.state["messages"][-10:]))


@wrong("Only the last fifty messages count.")
def last_fifty_messages() -> object:
    return guard(lambda request: order_of(request) in found(request.state["messages"][-50:]))


@wrong("Leaves the first message out.")
def all_but_the_first_message() -> object:
    return guard(lambda request: order_of(request) in found(request.state["messages"][1:]))


@wrong("Spaces around an id do not count.", slip="other-texts")
def any_spaces() -> object:
    def seen(request: ToolCallRequest) -> bool:
        return order_of(request).strip() in {o.strip() for o in found(request.state["messages"])}

    return guard(seen)


@wrong("Any tool whose name has lookup in it counts.")
def any_kind_of_lookup() -> object:
    def seen(request: ToolCallRequest) -> bool:
        asked = {
            call["id"]: call["args"].get("order_id")
            for message in request.state["messages"]
            if isinstance(message, AIMessage)
            for call in message.tool_calls
            if "lookup" in call["name"]
        }
        return order_of(request) in {asked.get(m.tool_call_id) for m in results(request)}

    return guard(seen)
