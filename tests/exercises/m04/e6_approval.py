"""Answers to exercise 04.6: approvals, most of which let something pass or ask too much."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
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
    return type(amount) in (int, float) and math.isfinite(amount) and amount > 0


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
        return sum(Decimal(str(one)) for one in given if not math.isnan(one))

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
