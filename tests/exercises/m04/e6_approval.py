"""Answers to exercise 04.6: approvals, most of which let something pass or ask too much."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    InterruptOnConfig,
    ToolCallRequest,
)

from helpers.authoring.answers import right, wrong

ALL = ["approve", "edit", "reject"]
Amounts = Callable[[ToolCallRequest], Sequence[Any]]


def called(request: ToolCallRequest) -> list[Any]:
    """The amounts of all refunds that the model has called for."""
    return [
        call["args"].get("amount")
        for message in request.state["messages"]
        for call in getattr(message, "tool_calls", [])
        if call["name"] == "issue_refund"
    ]


def plain(amount: Any) -> bool:
    return type(amount) in (int, float) and 0 < amount < math.inf


def added_up(given: Sequence[Any]) -> Any:
    return sum(Decimal(str(amount)) for amount in given)


def above(
    limit: Decimal,
    amounts: Amounts = called,
    *,
    number: Callable[[Any], bool] = plain,
    total: Callable[[Sequence[Any]], Any] = added_up,
    over: Callable[[Any, Decimal], bool] = lambda total, limit: total > limit,
) -> Callable[[ToolCallRequest], bool]:
    """The right predicate but for these."""

    def when(request: ToolCallRequest) -> bool:
        given = amounts(request)
        return not all(map(number, given)) or over(total(given), limit)

    return when


def hitl(
    when: Callable[..., Any] | None = None,
    refunds: Sequence[Any] = ALL,
    emails: Sequence[Any] = ("approve", "reject"),
    **more: Any,
) -> Any:
    config: dict[str, Any] = {"allowed_decisions": list(refunds)}
    if when is not None:
        config["when"] = when
    email: Any = {"change_email": {"allowed_decisions": list(emails)}} if emails else {}
    on: Any = {"issue_refund": config, **email, **more}
    return HumanInTheLoopMiddleware(interrupt_on=on)


@wrong("It returns nothing.", slip="no-middleware")
def nothing() -> object:
    return lambda limit: None


@wrong("A dict.", slip="no-middleware")
def a_dict() -> object:
    return lambda limit: {"issue_refund": True, "change_email": True}


@wrong("A middleware that never asks.", slip="no-middleware")
def another_middleware() -> object:
    return lambda limit: AgentMiddleware()


@wrong("Nothing waits.", slip="never-asks")
def nothing_waits() -> object:
    return lambda limit: HumanInTheLoopMiddleware(interrupt_on={})


@wrong("Every refund waits.", slip="limit-asks")
def every_refund() -> object:
    return lambda limit: hitl()


@wrong("A refund of the limit waits.", slip="limit-asks")
def at_the_limit() -> object:
    return lambda limit: hitl(above(limit, over=lambda total, limit: total >= limit))


@wrong("The other way round.")
def below_the_limit() -> object:
    return lambda limit: hitl(above(limit, over=lambda total, limit: total < limit))


@wrong("A person may answer in place of the tool.", slip="respond")
def may_respond() -> object:
    return lambda limit: hitl(above(limit), [*ALL, "respond"])


@wrong("A refund cannot be edited.")
def no_edit() -> object:
    return lambda limit: hitl(above(limit), ["approve", "reject"])


@wrong("A new address can be edited.", slip="email-edit")
def edited_addresses() -> object:
    return lambda limit: hitl(above(limit), ALL, ALL)


@wrong("A new address can only be approved.")
def approved_addresses() -> object:
    return lambda limit: hitl(above(limit), ALL, ["approve"])


@wrong("New addresses do not wait.")
def addresses_pass() -> object:
    return lambda limit: hitl(above(limit), ALL, [])


@wrong("A person is handed to after a person has agreed.")
def persons_wait() -> object:
    return lambda limit: hitl(above(limit), hand_over=True)


@wrong("A lookup waits.")
def lookups_wait() -> object:
    return lambda limit: hitl(above(limit), lookup_order={"allowed_decisions": ["approve"]})


@wrong("Each refund by itself.", slip="each-alone")
def each_alone() -> object:
    return lambda limit: hitl(
        above(limit, lambda request: [request.tool_call["args"].get("amount")])
    )


@wrong("Only the refunds in the last message.")
def the_last_message() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        calls = request.state["messages"][-1].tool_calls
        return [one["args"].get("amount") for one in calls if one["name"] == "issue_refund"]

    return lambda limit: hitl(above(limit, amounts))


@wrong("Only the refunds of earlier messages, and this one.")
def without_its_neighbours() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        earlier = {"messages": request.state["messages"][:-1]}
        before = called(request.override(state=earlier))
        return [*before, request.tool_call["args"].get("amount")]

    return lambda limit: hitl(above(limit, amounts))


@wrong("Only the refunds before this one.")
def up_to_this_one() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        found = []
        for message in request.state["messages"]:
            for call in getattr(message, "tool_calls", []):
                if call["name"] == "issue_refund":
                    found.append(call["args"].get("amount"))
                if call["id"] == request.tool_call["id"]:
                    return found
        return found

    return lambda limit: hitl(above(limit, amounts))


@wrong("Amounts of all tools.")
def all_tools() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        return [
            call["args"]["amount"]
            for message in request.state["messages"]
            for call in getattr(message, "tool_calls", [])
            if "amount" in call["args"] or call["name"] == "issue_refund"
        ]

    return lambda limit: hitl(above(limit, amounts))


@wrong("The largest, and not the sum.", slip="each-alone")
def the_largest() -> object:
    return lambda limit: hitl(
        above(limit, total=lambda given: max(Decimal(str(one)) for one in given))
    )


@wrong("Sums of floats.", slip="floats")
def floats() -> object:
    return lambda limit: hitl(
        above(limit, total=sum, over=lambda total, limit: total > float(limit))
    )


@wrong("Decimal of a float.", slip="floats")
def exact_floats() -> object:
    return lambda limit: hitl(above(limit, total=lambda given: sum(map(Decimal, given))))


@wrong("Rounded to pounds.")
def rounded() -> object:
    return lambda limit: hitl(above(limit, total=lambda given: round(sum(given))))


@wrong("No amount is 0 pounds.", slip="everything")
def everything_is_nothing() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        return [one for one in called(request) if one is not None]

    return lambda limit: hitl(above(limit, amounts))


@wrong("NaN is not above the limit.", slip="nan")
def nan_passes() -> object:
    def number(amount: Any) -> bool:
        return plain(amount) or (isinstance(amount, float) and math.isnan(amount))

    def total(given: Sequence[Any]) -> Any:
        return sum(Decimal(str(one)) for one in given if one == one)

    return lambda limit: hitl(above(limit, number=number, total=total))


@wrong("Infinity passes.")
def infinity_passes() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        return [one for one in called(request) if one != math.inf]

    return lambda limit: hitl(above(limit, amounts))


@wrong("A text is an error.", slip="text")
def a_text_is_an_error() -> object:
    def when(request: ToolCallRequest, limit: Decimal) -> bool:
        given = called(request)
        return any(one is None for one in given) or not 0 < sum(given) <= limit

    return lambda limit: hitl(lambda request: when(request, limit))


@wrong("A text that is a number passes.")
def texts_pass() -> object:
    def number(amount: Any) -> bool:
        return plain(float(amount) if isinstance(amount, str) else amount)

    return lambda limit: hitl(above(limit, number=number))


@wrong("True is one pound.")
def true_passes() -> object:
    def number(amount: Any) -> bool:
        return amount is True or plain(amount)

    def total(given: Sequence[Any]) -> Any:
        return sum(Decimal(str(float(one))) for one in given)

    return lambda limit: hitl(above(limit, number=number, total=total))


@wrong("Nothing passes.")
def zero_passes() -> object:
    def number(amount: Any) -> bool:
        return plain(amount) or (type(amount) is int and amount == 0)

    return lambda limit: hitl(above(limit, number=number))


@wrong("Less than nothing passes, and makes room for more.")
def below_zero_passes() -> object:
    def number(amount: Any) -> bool:
        return plain(amount) or (type(amount) is int and amount < 0)

    return lambda limit: hitl(above(limit, number=number))


@wrong("One limit for all.")
def the_first_limit() -> object:
    limits: list[Decimal] = []

    def approval(limit: Decimal) -> Any:
        limits.append(limit)
        return hitl(above(limits[0]))

    return approval


@wrong("It adds up as it is asked, and for all customers.")
def remembers() -> object:
    def approval(limit: Decimal) -> Any:
        paid = [Decimal(0)]

        def when(request: ToolCallRequest) -> bool:
            amount = request.tool_call["args"].get("amount")
            if not plain(amount):
                return True
            paid[0] += Decimal(str(amount))
            return paid[0] > limit

        return hitl(when)

    return approval


@wrong("The limit is of £50.")
def by_heart() -> object:
    return lambda limit: hitl(above(Decimal(50)))


Counts = Callable[[list[Any], int, dict[str, Any]], bool]
"""Whether a call in the message with this number is counted."""


def of(counts: Counts) -> Amounts:
    """The amounts of the calls that are counted."""

    def amounts(request: ToolCallRequest) -> list[Any]:
        messages = request.state["messages"]
        return [
            call["args"].get("amount")
            for place, message in enumerate(messages)
            for call in getattr(message, "tool_calls", [])
            if call["name"] == "issue_refund" and counts(messages, place, call)
        ]

    return amounts


def returned(messages: list[Any], place: int, call: dict[str, Any]) -> Any:
    """What the tool returned to a call, or None."""
    later = (one for one in messages[place:] if one.type == "tool")
    return next((one for one in later if one.tool_call_id == call["id"]), None)


@wrong("Only what was called for since the customer's last message.", slip="some-left-out")
def since_the_last_question() -> object:
    def counts(messages: list[Any], place: int, call: dict[str, Any]) -> bool:
        return all(one.type != "human" for one in messages[place:])

    return lambda limit: hitl(above(limit, of(counts)))


@wrong("Rejected refunds do not count.", slip="rejected-forgotten")
def rejected_ones_left_out() -> object:
    def counts(messages: list[Any], place: int, call: dict[str, Any]) -> bool:
        found = returned(messages, place, call)
        return found is None or "reject" not in found.text

    return lambda limit: hitl(above(limit, of(counts)))


@wrong("Refunds that failed do not count.")
def failed_ones_left_out() -> object:
    def counts(messages: list[Any], place: int, call: dict[str, Any]) -> bool:
        found = returned(messages, place, call)
        return found is None or found.status != "error"

    return lambda limit: hitl(above(limit, of(counts)))


@wrong("The last 20 messages.", slip="some-left-out")
def the_last_twenty() -> object:
    return lambda limit: hitl(
        above(limit, of(lambda messages, place, call: place >= len(messages) - 20))
    )


@wrong("The last 100 messages.")
def the_last_hundred() -> object:
    return lambda limit: hitl(
        above(limit, of(lambda messages, place, call: place >= len(messages) - 100))
    )


@wrong("Messages with a name are left out.")
def without_named_ones() -> object:
    return lambda limit: hitl(
        above(limit, of(lambda messages, place, call: not messages[place].name))
    )


def once(key: Callable[[dict[str, Any]], Any]) -> Amounts:
    """The amounts of the calls of all refunds, one for each key."""

    def amounts(request: ToolCallRequest) -> list[Any]:
        calls = [c for m in request.state["messages"] for c in getattr(m, "tool_calls", [])]
        found = {
            key(one): one["args"].get("amount") for one in calls if one["name"] == "issue_refund"
        }
        return list(found.values())

    return amounts


@wrong("Calls with the same id count once.")
def ids_once() -> object:
    return lambda limit: hitl(above(limit, once(lambda call: call["id"])))


@wrong("The same refund counts once.")
def refunds_once() -> object:
    return lambda limit: hitl(above(limit, once(lambda call: str(call["args"]))))


@wrong("Each order counts once.")
def orders_once() -> object:
    return lambda limit: hitl(above(limit, once(lambda call: str(call["args"].get("order_id")))))


@wrong("Rounded to pence at the end.", slip="rounds")
def rounded_to_pence() -> object:
    return lambda limit: hitl(above(limit, total=lambda given: round(added_up(given), 2)))


@wrong("Each amount is rounded to pence.")
def amounts_rounded() -> object:
    return lambda limit: hitl(
        above(limit, total=lambda given: sum(round(Decimal(str(one)), 2) for one in given))
    )


@wrong("The limit is rounded to pence.")
def limit_rounded() -> object:
    return lambda limit: hitl(above(round(limit, 2)))


@wrong("Sum and limit are compared as floats.")
def compared_as_floats() -> object:
    return lambda limit: hitl(above(limit, over=lambda total, limit: float(total) > float(limit)))


@wrong("Decimals pass.")
def decimals_pass() -> object:
    def number(amount: Any) -> bool:
        return plain(amount) or (isinstance(amount, Decimal) and amount > 0)

    return lambda limit: hitl(above(limit, number=number))


@wrong("Minus infinity passes.")
def minus_infinity_passes() -> object:
    def amounts(request: ToolCallRequest) -> list[Any]:
        return [one for one in called(request) if one != -math.inf]

    return lambda limit: hitl(above(limit, amounts))


@wrong("A large number is an error.")
def large_numbers() -> object:
    def number(amount: Any) -> bool:
        return plain(amount) and math.isfinite(amount)

    return lambda limit: hitl(above(limit, number=number))


def kept(key: Callable[[ToolCallRequest], Any]) -> object:
    """The right predicate, whose results are kept by a key."""

    def approval(limit: Decimal) -> Any:
        found: dict[Any, bool] = {}
        right_one = above(limit)

        def when(request: ToolCallRequest) -> bool:
            return found.setdefault(key(request), right_one(request))

        return hitl(when)

    return approval


@wrong("A call's id is asked about once.")
def kept_by_id() -> object:
    return kept(lambda request: request.tool_call["id"])


@wrong("The same call at the same place is asked about once, for all customers.")
def kept_by_call() -> object:
    return kept(
        lambda request: (
            request.tool_call["id"],
            str(request.tool_call["args"]),
            len(request.state["messages"]),
        )
    )


def writing(write: Callable[[ToolCallRequest], Any]) -> object:
    """The right predicate, which writes into the request."""

    def approval(limit: Decimal) -> Any:
        right_one = above(limit)

        def when(request: ToolCallRequest) -> bool:
            waits = right_one(request)
            write(request)
            return waits

        return hitl(when)

    return approval


@wrong("It writes into the state.", slip="changes")
def writes_into_the_state() -> object:
    return writing(lambda request: request.state.update({"checked": True}))  # type: ignore[typeddict-unknown-key]


@wrong("It writes into the call.")
def writes_into_the_call() -> object:
    return writing(lambda request: request.tool_call.update({"checked": True}))  # type: ignore[call-overload]


@wrong("It writes into the call's arguments.")
def writes_into_the_arguments() -> object:
    return writing(lambda request: request.tool_call["args"].setdefault("amount", None))


@wrong("It writes into a message.")
def writes_into_a_message() -> object:
    return writing(
        lambda request: request.state["messages"][-1].additional_kwargs.update(checked=True)
    )


@wrong("It takes messages out.")
def takes_messages_out() -> object:
    return writing(lambda request: request.state["messages"].pop(0))


@wrong("An address at Fernhill does not wait.")
def own_addresses() -> object:
    def elsewhere(request: ToolCallRequest) -> bool:
        return "@fernhill.example" not in str(request.tool_call["args"])

    def approval(limit: Decimal) -> Any:
        email = {"allowed_decisions": ["approve", "reject"], "when": elsewhere}
        return hitl(above(limit), emails=(), change_email=email)

    return approval


@wrong("A new address without arguments does not wait.")
def empty_addresses() -> object:
    def approval(limit: Decimal) -> Any:
        email = {
            "allowed_decisions": ["approve", "reject"],
            "when": lambda request: bool(request.tool_call["args"]),
        }
        return hitl(above(limit), emails=(), change_email=email)

    return approval


@wrong("Searches wait.")
def searches_wait() -> object:
    return lambda limit: hitl(above(limit), search_documents=True)


@wrong("A tool that the shop does not have waits.")
def any_tool_waits() -> object:
    return lambda limit: hitl(above(limit), close_account=True)


@wrong("An order's number is needed.")
def needs_an_order() -> object:
    return writing(lambda request: request.tool_call["args"]["order_id"])


@right("By parts that can be replaced.")
def parts() -> object:
    return lambda limit: hitl(above(limit))


@right("A subclass, and LangChain's own type for the config.")
def a_subclass() -> object:
    class Approval(HumanInTheLoopMiddleware):
        def __init__(self, limit: Decimal) -> None:
            super().__init__(
                {
                    "issue_refund": InterruptOnConfig(
                        allowed_decisions=["reject", "edit", "approve"], when=above(limit)
                    ),
                    "change_email": InterruptOnConfig(
                        allowed_decisions=["reject", "approve"], description="A new address."
                    ),
                    "lookup_order": False,
                },
                description_prefix="Fernhill",
            )

    return Approval


@right("Pence, as whole numbers and fractions of them.")
def pence() -> object:
    def approval(limit: Decimal) -> Any:
        def when(request: ToolCallRequest) -> bool:
            left = limit
            for amount in called(request):
                if not isinstance(amount, (int, float)) or isinstance(amount, bool):
                    return True
                if not 0 < amount < float("inf"):
                    return True
                left -= Decimal(repr(amount))
            return left < 0

        return hitl(when, emails=("reject", "approve"))

    return approval


@right("The refunds of the model's messages, from the last one back.")
def backwards() -> object:
    def approval(limit: Decimal) -> Any:
        def when(request: ToolCallRequest) -> bool:
            total = Decimal(0)
            for message in reversed(request.state["messages"]):
                if message.type != "ai":
                    continue
                for call in message.tool_calls:
                    if call["name"] != "issue_refund":
                        continue
                    amount = call["args"].get("amount", math.nan)
                    if not plain(amount):
                        return True
                    total += Decimal(f"{amount}")
            return total > limit

        return hitl(when)

    return approval


@right("Fractions, in a class.")
def fractions() -> object:
    class Above:
        def __init__(self, limit: Decimal) -> None:
            self.limit = Fraction(limit)

        def __call__(self, request: ToolCallRequest) -> bool:
            given = called(request)
            return not all(map(plain, given)) or sum(map(Fraction, map(str, given))) > self.limit

    return lambda limit: hitl(Above(limit))


@right("None in place of False, and a predicate that is always true for new addresses.")
def truthy() -> object:
    def approval(limit: Decimal) -> Any:
        right_one = above(limit)
        email = {"allowed_decisions": ["reject", "approve"], "when": lambda request: True}
        return hitl(lambda request: right_one(request) or None, emails=(), change_email=email)

    return approval
