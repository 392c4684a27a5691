"""Answers to exercise 04.1: policies around Fernhill's tools, most of them with a hole."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ToolCallRequest, wrap_tool_call
from langchain.messages import AIMessage, HumanMessage, ToolMessage

from helpers.authoring.answers import right, wrong
from helpers.shop import Order

Handler = Callable[[ToolCallRequest], Any]
ORDER = re.compile(r"(?<![\w-])FH-\d{5}(?![\w-])")
SUM = re.compile(r"£((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?)(?![.,]?\d)")
FREE = ("search_documents", "hand_over")

EQUIVALENT = {
    f"line {line}, None returned: return None": "it returns None already" for line in (13, 26, 29)
}


def sums(text: str) -> list[Decimal]:
    return [Decimal(each.replace(",", "")) for each in SUM.findall(text)]


def found(message: ToolMessage) -> dict[str, Any]:
    order = message.artifact
    return order if isinstance(order, dict) else asdict(order)


def lookups(messages: Sequence[Any]) -> Iterator[ToolMessage]:
    for message in messages:
        looked = isinstance(message, ToolMessage) and message.name == "lookup_order"
        if looked and message.status == "success":
            yield message


def number(amount: Any) -> bool:
    plain = isinstance(amount, int | float) and not isinstance(amount, bool)
    return plain and 0 < amount < math.inf


class Parts:
    """A policy that is right, in parts that can be replaced one by one."""

    free: Sequence[str] = FREE
    known: Mapping[str, Sequence[str]] = {
        "lookup_order": ["order_id"],
        "issue_refund": ["order_id", "amount"],
    }

    def words(self, messages: Sequence[Any]) -> str:
        return str([m for m in messages if isinstance(m, HumanMessage)][-1].text)

    def totals(self, messages: Sequence[Any]) -> dict[str, Decimal]:
        return {found(m)["id"]: found(m)["total"] for m in lookups(messages)}

    def unknown(self, call: Mapping[str, Any]) -> str:
        if call["name"] not in self.known:
            return str(call["name"])
        return next((each for each in call["args"] if each not in self.known[call["name"]]), "")

    def order(self, order_id: Any, words: str, totals: Mapping[str, Decimal]) -> bool:
        written = ORDER.findall(words)
        return order_id in (written if written else list(totals))

    def asks(self, words: str, messages: Sequence[Any]) -> bool:
        return "refund" in words.casefold()

    def sum(self, args: Mapping[str, Any], words: str, totals: Mapping[str, Decimal]) -> bool:
        amount, written = args.get("amount"), sums(words)
        if amount is None:
            return not written
        return number(amount) and self.near(amount, written or [totals.get(args["order_id"])])

    def near(self, amount: float, allowed: Sequence[Decimal | None]) -> bool:
        return Decimal(str(amount)) in allowed

    def objection(self, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        if call["name"] in self.free:
            return ""
        if unknown := self.unknown(call):
            return unknown
        words, totals = self.words(messages), self.totals(messages)
        if not self.order(call["args"].get("order_id"), words, totals):
            return "order_id"
        if call["name"] != "issue_refund":
            return ""
        if not self.asks(words, messages):
            return "issue_refund"
        return "" if self.sum(call["args"], words, totals) else "amount"

    def refuse(self, request: ToolCallRequest, why: str) -> Any:
        text = f"{why} is not the customer's."
        return ToolMessage(text, tool_call_id=request.tool_call["id"], status="error")

    def go(self, request: ToolCallRequest, handler: Handler) -> Any:
        return handler(request)

    def __call__(self, request: ToolCallRequest, handler: Handler) -> Any:
        why = self.objection(request.tool_call, request.state["messages"])
        return self.refuse(request, why) if why else self.go(request, handler)


def but(**changed: Any) -> Any:
    """The right policy with these parts replaced."""
    parts = type("Changed", (Parts,), changed)()

    @wrap_tool_call
    def policy(request: ToolCallRequest, handler: Handler) -> Any:
        return parts(request, handler)

    return policy


@wrong("Lets everything through.", slip="not-asked")
def allows_everything() -> object:
    return but(objection=lambda *_: "")


@wrong("Refuses everything.", slip="no-person")
def refuses_everything() -> object:
    return but(objection=lambda *_: "order_id, amount")


@wrong("It is no middleware.", slip="no-decorator")
def no_middleware() -> object:
    return Parts()


@wrong("A coroutine.", slip="async")
def a_coroutine() -> object:
    @wrap_tool_call
    async def policy(request: ToolCallRequest, handler: Handler) -> Any:
        result = Parts()(request, handler)
        return await result if hasattr(result, "__await__") else result

    return policy


@wrong("Only a search is free.", slip="no-person")
def no_person() -> object:
    return but(free=["search_documents"])


@wrong("A reason to hand over is looked at like any argument.", slip="no-person")
def reasons_are_judged() -> object:
    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        if call["name"] == "hand_over":
            words = self.words(messages)
            ids = ORDER.findall(str(call["args"]))
            return "" if all(each in words for each in ids) else "reason"
        return Parts.objection(self, call, messages)

    return but(objection=objection)


@wrong("An unknown tool is no business of its own.", slip="unknown-tool")
def unknown_tools_pass() -> object:
    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        return Parts.objection(self, call, messages) if call["name"] in self.known else ""

    return but(objection=objection)


@wrong("Tools by the beginning of their names.")
def names_by_prefix() -> object:
    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        name = "issue_refund" if call["name"].startswith("issue_refund") else call["name"]
        return Parts.objection(self, {**call, "name": name}, messages)

    return but(objection=objection)


@wrong("An unknown argument is ignored.", slip="unknown-argument")
def unknown_arguments_pass() -> object:
    return but(
        unknown=lambda self, call: "" if call["name"] in self.known else call["name"],
    )


@wrong("An unknown argument that is None counts as left out.")
def none_is_left_out() -> object:
    def unknown(self: Parts, call: Mapping[str, Any]) -> str:
        given = {name: each for name, each in call["args"].items() if each is not None}
        return Parts.unknown(self, {**call, "args": given})

    return but(unknown=unknown)


@wrong("A lookup may have an amount.")
def one_list_of_arguments() -> object:
    return but(known={name: ["order_id", "amount"] for name in Parts.known})


@wrong("A call without an order goes through.")
def without_an_order() -> object:
    def order(self: Parts, order_id: Any, words: str, totals: Any) -> bool:
        return order_id is None or Parts.order(self, order_id, words, totals)

    return but(order=order)


@wrong("Whether the customer asks for a refund does not count.", slip="not-asked")
def asked_or_not() -> object:
    return but(asks=lambda *_: True)


@wrong("Only the small word.")
def small_letters() -> object:
    return but(asks=lambda self, words, messages: "refund" in words)


@wrong("Only the whole word.")
def the_whole_word() -> object:
    return but(asks=lambda self, words, messages: bool(re.search(r"(?i)\brefund\b", words)))


@wrong("A refund that was asked for in an earlier turn.")
def asked_before() -> object:
    def asks(self: Parts, words: str, messages: Sequence[Any]) -> bool:
        return any("refund" in m.text.lower() for m in messages if isinstance(m, HumanMessage))

    return but(asks=asks)


@wrong("The word counts wherever it is.")
def asked_by_others() -> object:
    def asks(self: Parts, words: str, messages: Sequence[Any]) -> bool:
        return any("refund" in m.text.lower() for m in messages)

    return but(asks=asks)


@wrong("The first words of the customer.")
def first_words() -> object:
    def words(self: Parts, messages: Sequence[Any]) -> str:
        return str(next(m.text for m in messages if isinstance(m, HumanMessage)))

    return but(words=words)


@wrong("All that the customer has ever said.", slip="record-beside-words")
def all_words() -> object:
    def words(self: Parts, messages: Sequence[Any]) -> str:
        return " ".join(m.text for m in messages if isinstance(m, HumanMessage))

    return but(words=words)


@wrong("Words of the model and of pages count.", slip="others-words")
def words_of_others() -> object:
    def words(self: Parts, messages: Sequence[Any]) -> str:
        return " ".join(
            m.text for m in messages if m.type != "tool" or m.name == "search_documents"
        )

    return but(words=words)


@wrong("All that anyone has said.")
def all_texts() -> object:
    return but(words=lambda self, messages: " ".join(m.text for m in messages))


@wrong("The last message, of whatever kind.")
def the_last_message() -> object:
    return but(words=lambda self, messages: messages[-1].text)


@wrong("Words in blocks are no text.")
def content_as_text() -> object:
    def words(self: Parts, messages: Sequence[Any]) -> str:
        said = [m.content for m in messages if isinstance(m, HumanMessage)][-1]
        return said if isinstance(said, str) else ""

    return but(words=words)


@wrong("A number counts as a part of a longer one, too.", slip="part")
def a_part() -> object:
    def order(self: Parts, order_id: Any, words: str, totals: Any) -> bool:
        if ORDER.search(words):
            return isinstance(order_id, str) and order_id in words
        return order_id in totals or (isinstance(order_id, str) and order_id in words)

    return but(order=order)


@wrong("Numbers are compared in capital letters.")
def any_case() -> object:
    def order(self: Parts, order_id: Any, words: str, totals: Any) -> bool:
        return Parts.order(self, str(order_id).upper(), words.upper(), totals)

    return but(order=order)


@wrong("Spaces around a number are taken off.")
def stripped() -> object:
    def order(self: Parts, order_id: Any, words: str, totals: Any) -> bool:
        return Parts.order(self, str(order_id).strip(), words, totals)

    return but(order=order)


@wrong("Records count even if the customer names an order.", slip="record-beside-words")
def words_or_records() -> object:
    def order(self: Parts, order_id: Any, words: str, totals: Any) -> bool:
        return order_id in [*ORDER.findall(words), *totals]

    return but(order=order)


@wrong("Only what the customer has written.")
def words_alone() -> object:
    return but(order=lambda self, order_id, words, totals: order_id in ORDER.findall(words))


@wrong("Only what a lookup has found.")
def records_alone() -> object:
    return but(order=lambda self, order_id, words, totals: order_id in list(totals))


@wrong("A lookup is harmless.", slip="look-up-free")
def lookups_are_free() -> object:
    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        if call["name"] == "lookup_order":
            return self.unknown(call)
        return Parts.objection(self, call, messages)

    return but(objection=objection)


@wrong("A lookup that failed counts.", slip="failed-lookup")
def failed_lookups() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        failed = [m for m in messages if isinstance(m, ToolMessage) and m.status == "error"]
        ids = [each for m in failed for each in ORDER.findall(m.text)]
        return {**dict.fromkeys(ids), **Parts.totals(self, messages)}

    return but(totals=totals)


@wrong("Every number in the text of a lookup is an order.", slip="text-of-a-lookup")
def texts_of_lookups() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        texts = " ".join(m.text for m in lookups(messages))
        return {**dict.fromkeys(ORDER.findall(texts)), **Parts.totals(self, messages)}

    return but(totals=totals)


@wrong("Every tool's result is a record.")
def every_result() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        tools = [m for m in messages if isinstance(m, ToolMessage) and m.artifact is not None]
        records = [m.artifact if isinstance(m.artifact, dict) else vars_of(m) for m in tools]
        return {each["id"]: each.get("total") for each in records if "id" in each}

    return but(totals=totals)


def vars_of(message: ToolMessage) -> dict[str, Any]:
    return {} if isinstance(message.artifact, list) else asdict(message.artifact)


@wrong("The order of a refund that was made is a record.")
def refunds_are_records() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        made = {
            m.artifact.order_id: None for m in messages if getattr(m, "name", "") == "issue_refund"
        }
        return {**made, **Parts.totals(self, messages)}

    return but(totals=totals)


@wrong("An order that a checkpointer has stored is none.")
def orders_of_this_turn() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        orders = [m.artifact for m in lookups(messages) if isinstance(m.artifact, Order)]
        return {each.id: each.total for each in orders}

    return but(totals=totals)


@wrong("Only the last lookup counts.")
def the_last_lookup() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        return dict(list(Parts.totals(self, messages).items())[-1:])

    return but(totals=totals)


@wrong("The sum does not count.")
def any_sum() -> object:
    return but(sum=lambda *_: True)


@wrong("A sum may be left out in any case.", slip="everything")
def left_out() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        return args.get("amount") is None or Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("A sum must always be there.")
def never_left_out() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        return args.get("amount") is not None and Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("None is a sum, and a wrong one.")
def none_is_a_sum() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        if "amount" in args and args["amount"] is None:
            return False
        return Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("Floats are compared with Decimal.", slip="decimal")
def floats_with_decimals() -> object:
    return but(near=lambda self, amount, allowed: amount in allowed)


@wrong("Whole pounds.")
def whole_pounds() -> object:
    return but(
        near=lambda self, amount, allowed: int(amount) in [each and int(each) for each in allowed]
    )


@wrong("Up to the sum.")
def up_to_the_sum() -> object:
    return but(
        near=lambda self, amount, allowed: any(
            each is not None and Decimal(str(amount)) <= each for each in allowed
        )
    )


@wrong("The order's total is fine, whatever the customer has written.", slip="total-beside-words")
def total_beside_words() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        total = totals.get(args["order_id"])
        amount = args.get("amount")
        given = number(amount) and Decimal(str(amount)) == total
        return given or Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("The total of any order.", slip="another-total")
def any_total() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        given = number(args.get("amount")) and not sums(words)
        return (given and Decimal(str(args["amount"])) in totals.values()) or Parts.sum(
            self, args, words, totals
        )

    return but(sum=sum)


@wrong("No total: only what the customer has written.")
def no_total() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        return Parts.sum(self, args, words, {})

    return but(sum=sum)


@wrong("Nothing is a sum.", slip="zero")
def zero() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        amount = args.get("amount")
        nothing = amount in (0, 0.0) and type(amount) in (int, float) and 0 in sums(words)
        return nothing or Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("True is 1.", slip="bool")
def true_is_one() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        one = args.get("amount") is True and 1 in sums(words)
        return one or Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("Infinity is at least the total.", slip="infinity")
def infinity() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        amount = args.get("amount")
        endless = isinstance(amount, float) and amount == math.inf and not sums(words)
        return endless or Parts.sum(self, args, words, totals)

    return but(sum=sum)


@wrong("NaN is not less than anything.")
def nan() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        amount = args.get("amount")
        return (isinstance(amount, float) and math.isnan(amount)) or Parts.sum(
            self, args, words, totals
        )

    return but(sum=sum)


@wrong("The sign does not count.")
def any_sign() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        amount = args.get("amount")
        plain = abs(amount) if type(amount) in (int, float) else amount
        return Parts.sum(self, {**args, "amount": plain}, words, totals)

    return but(sum=sum)


@wrong("A text that is a number.")
def sums_in_texts() -> object:
    def sum(self: Parts, args: Any, words: str, totals: Any) -> bool:
        amount = args.get("amount")
        plain = float(amount) if isinstance(amount, str) else amount
        return Parts.sum(self, {**args, "amount": plain}, words, totals)

    return but(sum=sum)


@wrong("A refusal that says success.", slip="status-success")
def status_success() -> object:
    def refuse(self: Parts, request: ToolCallRequest, why: str) -> Any:
        return ToolMessage(why, tool_call_id=request.tool_call["id"])

    return but(refuse=refuse)


@wrong("A refusal without a reason.")
def no_reason() -> object:
    return but(refuse=lambda self, request, why: Parts.refuse(self, request, "Something"))


@wrong("A refusal of some other call.")
def the_wrong_id() -> object:
    def refuse(self: Parts, request: ToolCallRequest, why: str) -> Any:
        return ToolMessage(why, tool_call_id="call_0", status="error")

    return but(refuse=refuse)


@wrong("A refusal as a text.")
def a_text() -> object:
    return but(refuse=lambda self, request, why: why)


@wrong("A refusal as an AIMessage.")
def a_reply() -> object:
    return but(refuse=lambda self, request, why: AIMessage(why))


@wrong("It raises an error.", slip="raises-PermissionError")
def raises() -> object:
    def refuse(self: Parts, request: ToolCallRequest, why: str) -> Any:
        raise PermissionError(why)

    return but(refuse=refuse)


@wrong("It raises a ValueError.", slip="raises-ValueError")
def raises_a_value_error() -> object:
    def refuse(self: Parts, request: ToolCallRequest, why: str) -> Any:
        raise ValueError(why)

    return but(refuse=refuse)


@wrong("The call is made first, and judged then.")
def called_first() -> object:
    parts = Parts()

    @wrap_tool_call
    def policy(request: ToolCallRequest, handler: Handler) -> Any:
        result = handler(request)
        return parts(request, lambda _: result)

    return policy


@wrong("It takes an argument at fault out of the call.")
def changes_the_call() -> object:
    def refuse(self: Parts, request: ToolCallRequest, why: str) -> Any:
        request.tool_call["args"].pop(why, None)
        return Parts.refuse(self, request, why)

    return but(refuse=refuse)


@wrong("It makes the call without the argument at fault.")
def repairs_the_call() -> object:
    class Repairs(Parts):
        def __call__(self, request: ToolCallRequest, handler: Handler) -> Any:
            call = request.tool_call
            why = self.objection(call, request.state["messages"])
            if why not in call["args"] or why == "order_id":
                return super().__call__(request, handler)
            args = {name: each for name, each in call["args"].items() if name != why}
            return handler(request.override(tool_call={**call, "args": args}))

    repairs = Repairs()

    @wrap_tool_call
    def policy(request: ToolCallRequest, handler: Handler) -> Any:
        return repairs(request, handler)

    return policy


@wrong("Errors of tools become messages.")
def catches() -> object:
    def go(self: Parts, request: ToolCallRequest, handler: Handler) -> Any:
        try:
            return handler(request)
        except RuntimeError as error:
            return self.refuse(request, str(error))

    return but(go=go)


@wrong("It remembers the orders of all customers.")
def remembers() -> object:
    kept: dict[str, Decimal] = {}

    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Any]:
        kept.update(Parts.totals(self, messages))
        return dict(kept)

    return but(totals=totals)


@wrong("What it has refused once stays refused.")
def remembers_refusals() -> object:
    kept: set[str] = set()

    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        why = Parts.objection(self, call, messages)
        key = f"{call['name']} {call['args']}"
        if why:
            kept.add(key)
        return why or ("order_id" if key in kept else "")

    return but(objection=objection)


@wrong("It knows the orders of the check's cases by heart.")
def by_heart() -> object:
    def order(self: Parts, order_id: Any, words: str, totals: Any) -> bool:
        return order_id in ("FH-10554", "FH-31007", "FH-40417", "FH-60212", "FH-18233", "FH-18237")

    return but(order=order)


def asked(word: str) -> Any:
    """Asks for a refund by a pattern."""
    return but(asks=lambda self, words, messages: bool(re.search(word, words)))


@wrong("The beginning of a word.")
def a_words_beginning() -> object:
    return asked(r"(?i)\brefund")


@wrong("Three ways to write it.", slip="other-words")
def three_ways() -> object:
    return asked("refund|Refund|REFUND")


@wrong("Another way to say it.")
def money_back() -> object:
    return asked("(?i)refund|money back|return")


@wrong("Not if the customer says not.")
def not_a_refund() -> object:
    return asked("(?i)^(?!.*not )(?s:.*)refund")


def worded(words: Callable[[HumanMessage], str]) -> Any:
    """Takes the words out of the last message in another way."""

    def of(self: Parts, messages: Sequence[Any]) -> str:
        return words([m for m in messages if isinstance(m, HumanMessage)][-1])

    return but(words=of)


@wrong("The first line.")
def the_first_line() -> object:
    return worded(lambda message: message.text.partition("\n")[0])


@wrong("Quoted lines do not count.")
def no_quotes() -> object:
    return worded(
        lambda message: "\n".join(
            line for line in message.text.splitlines() if not line.startswith(">")
        )
    )


@wrong("All that is in a content, pictures too.")
def whole_content() -> object:
    return worded(lambda message: str(message.content))


@wrong("The words of the model beside the customer's.")
def with_the_models_words() -> object:
    def of(self: Parts, messages: Sequence[Any]) -> str:
        return Parts.words(self, messages) + messages[-1].text

    return but(words=of)


@wrong("Tools whose names begin like a free one.", slip="looks-alike")
def free_by_prefix() -> object:
    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        return "" if call["name"].startswith(FREE) else Parts.objection(self, call, messages)

    return but(objection=objection)


@wrong("Names of tools in any case, with spaces.")
def names_in_any_case() -> object:
    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        name = call["name"].strip().lower()
        return Parts.objection(self, {**call, "name": name}, messages)

    return but(objection=objection)


@wrong("An unknown tool without arguments does no harm.")
def without_arguments() -> object:
    def unknown(self: Parts, call: Mapping[str, Any]) -> str:
        return Parts.unknown(self, call) if call["args"] else ""

    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        if call["name"] not in (*FREE, *self.known) and not call["args"]:
            return ""
        return Parts.objection(self, call, messages)

    return but(unknown=unknown, objection=objection)


@wrong("An order in a failed result counts.")
def orders_of_errors() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Decimal]:
        looked = [m for m in messages if isinstance(m, ToolMessage) and m.name == "lookup_order"]
        return {found(m)["id"]: found(m)["total"] for m in looked if m.artifact}

    return but(totals=totals)


@wrong("The last ten lookups.", slip="some-orders")
def the_last_ten_lookups() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Decimal]:
        return {found(m)["id"]: found(m)["total"] for m in list(lookups(messages))[-10:]}

    return but(totals=totals)


@wrong("The last 50 messages.")
def the_last_messages() -> object:
    return but(totals=lambda self, messages: Parts.totals(self, messages[-50:]))


@wrong("Not a cancelled order.")
def no_cancelled_orders() -> object:
    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Decimal]:
        orders = map(found, lookups(messages))
        return {one["id"]: one["total"] for one in orders if one["status"] != "cancelled"}

    return but(totals=totals)


@wrong("It keeps the orders' totals.")
def keeps_totals() -> object:
    kept: dict[str, Decimal] = {}

    def totals(self: Parts, messages: Sequence[Any]) -> dict[str, Decimal]:
        return {each: kept.setdefault(each, t) for each, t in Parts.totals(self, messages).items()}

    return but(totals=totals)


@wrong("Up to a penny more or less.", slip="near")
def a_penny_more_or_less() -> object:
    def near(self: Parts, amount: float, allowed: Sequence[Decimal | None]) -> bool:
        return any(abs(Decimal(str(amount)) - (one or 0)) < Decimal("0.01") for one in allowed)

    return but(near=near)


@wrong("Rounded to pence.")
def rounded() -> object:
    return but(near=lambda self, amount, allowed: round(Decimal(str(amount)), 2) in allowed)


@wrong("math.isclose.")
def is_close() -> object:
    def near(self: Parts, amount: float, allowed: Sequence[Decimal | None]) -> bool:
        return any(one and math.isclose(amount, one, rel_tol=1e-6) for one in allowed)

    return but(near=near)


@wrong("All sums together.", slip="together")
def sums_together() -> object:
    def near(self: Parts, amount: float, allowed: Sequence[Decimal | None]) -> bool:
        known = [one for one in allowed if one]
        return Decimal(str(amount)) in [*known, sum(known)]

    return but(near=near)


@wrong("A Decimal is a number.")
def decimals() -> object:
    def sum_(self: Parts, args: Mapping[str, Any], words: str, totals: Any) -> bool:
        amount = args.get("amount")
        plain = float(amount) if isinstance(amount, Decimal) else amount
        return Parts.sum(self, {**args, "amount": plain}, words, totals)

    return but(sum=sum_)


@wrong("A large amount is an error.")
def large_amounts() -> object:
    def sum_(self: Parts, args: Mapping[str, Any], words: str, totals: Any) -> bool:
        amount = args.get("amount")
        finite = not isinstance(amount, int | float) or math.isfinite(amount)
        return finite and Parts.sum(self, args, words, totals)

    return but(sum=sum_)


@wrong("A number without a pound sign is a sum.")
def plain_numbers() -> object:
    def sum_(self: Parts, args: Mapping[str, Any], words: str, totals: Any) -> bool:
        numbers = re.sub(r"(?<![\w£-])(\d+(\.\d\d))", r"£\1", words)
        return Parts.sum(self, args, numbers, totals)

    return but(sum=sum_)


def going(go: Callable[[ToolCallRequest, Handler], Any]) -> Any:
    """Makes the call in another way."""
    return but(go=lambda self, request, handler: go(request, handler))


@wrong("Errors in values become messages.", slip="error-lost")
def value_errors() -> object:
    def go(request: ToolCallRequest, handler: Handler) -> Any:
        try:
            return handler(request)
        except ValueError as error:
            return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")

    return going(go)


@wrong("A lost connection is tried again.")
def tries_again() -> object:
    def go(request: ToolCallRequest, handler: Handler) -> Any:
        try:
            return handler(request)
        except OSError:
            return handler(request)

    return going(go)


@wrong("A tool that failed is tried again.")
def failed_tools_again() -> object:
    def go(request: ToolCallRequest, handler: Handler) -> Any:
        came = handler(request)
        return handler(request) if getattr(came, "status", "") == "error" else came

    return going(go)


@wrong("A copy of the request.")
def a_copy_of_the_request() -> object:
    return going(lambda request, handler: handler(request.override(tool_call=request.tool_call)))


@wrong("A copy of the result.")
def a_copy_of_the_result() -> object:
    def go(request: ToolCallRequest, handler: Handler) -> Any:
        came = handler(request)
        return came.model_copy() if isinstance(came, ToolMessage) else came

    return going(go)


@wrong("It writes into the state.")
def writes_into_the_state() -> object:
    class Writing(AgentMiddleware):
        def wrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Any:
            request.state["checked"] = True
            return Parts()(request, handler)

    return Writing()


@right("Parts that can be replaced.")
def parts_as_they_are() -> object:
    return but()


@right("A class with both methods, which names every fault.")
def a_class() -> object:
    class Policy(AgentMiddleware):
        parts = Parts()

        def wrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Any:
            return self.parts(request, handler)

        async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Any:
            why = self.parts.objection(request.tool_call, request.state["messages"])
            return self.parts.refuse(request, why) if why else await handler(request)

    return Policy()


@right("From the newest message back, and sums as floats.")
def backwards() -> object:
    @wrap_tool_call(name="by_origin")
    def policy(request: ToolCallRequest, handler: Handler) -> Any:
        name, args = request.tool_call["name"], request.tool_call["args"]
        words: str | None = None
        totals: dict[str, Any] = {}
        for message in reversed(request.state["messages"]):
            if message.type == "human" and words is None:
                words = message.text
            elif message.type == "tool" and (message.name, message.status) == (
                "lookup_order",
                "success",
            ):
                order = message.artifact
                one = order if isinstance(order, dict) else {"id": order.id, "total": order.total}
                totals[one["id"]] = float(one["total"])
        if name in FREE:
            return handler(request)
        faults = []
        if name not in Parts.known:
            faults.append(f"tool {name}")
        else:
            faults += [each for each in args if each not in Parts.known[name]]
            numbers = set(ORDER.findall(words or "")) or set(totals)
            order_id = args.get("order_id")
            if not isinstance(order_id, str) or order_id not in numbers:
                faults.append("order_id")
            elif name == "issue_refund":
                asked: list[Any] = [float(each) for each in sums(words or "")]
                amount = args.get("amount")
                if not re.search("refund", words or "", re.IGNORECASE):
                    faults.append("issue_refund was not asked for")
                if amount is None and asked:
                    faults.append("amount is missing")
                if amount is not None and not (
                    type(amount) in (int, float)
                    and 0 < amount < math.inf
                    and amount in (asked or [totals.get(order_id)])
                ):
                    faults.append("amount")
        if not faults:
            return handler(request)
        text: list[str | dict[Any, Any]] = [
            {"type": "text", "text": f"Not allowed: {', '.join(faults)}"}
        ]
        return ToolMessage(
            text, name=name, tool_call_id=request.tool_call["id"], status="error", artifact=faults
        )

    return policy


@right("It keeps a log that decides nothing.")
def keeps_a_log() -> object:
    log: list[str] = []

    def objection(self: Parts, call: Mapping[str, Any], messages: Sequence[Any]) -> str:
        why = Parts.objection(self, call, messages)
        log.append(f"{call['name']}: {why or 'allowed'}")
        return why

    return but(objection=objection)
