from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urljoin

from helpers.course.exercises.m04_gate import Card
from helpers.course.exercises.m04_given import (
    CUSTOMER_LIMIT,
    SHOP_LIMIT,
    Decide,
    Decision,
    Payment,
)
from helpers.course.exercises.m04_network import Answer, Get, TooManyRedirects
from helpers.security.controls.urls import UrlGuard
from helpers.security.policy import (
    ANYTHING,
    REQUEST,
    Call,
    Fact,
    Facts,
    Field,
    Origin,
    Source,
    Tool,
    Verdict,
    assigned,
    named,
    own,
    text,
    value,
    words,
)
from helpers.security.policy.values import addresses, leaves
from tests.wrong import wrong

# --- 04.1 -----------------------------------------------------------------------------------------

KINDS = {"order_id": "order", "amount": "amount"}
Good = Callable[[str, Fact], bool]


def of_own(name: str, fact: Fact) -> bool:
    structured = fact.origin >= Origin.OWN and not fact.text
    return fact.origin is Origin.REQUEST or (structured and fact.kind == KINDS[name])


def rule(
    good: Good = of_own,
    free: Sequence[str] = ("search_documents", "hand_over"),
    *,
    unknown: bool = False,
) -> object:
    """The right rule, with one part of it replaced."""

    def authorize(call: Call, request: str, facts: Facts) -> Verdict:
        if call.tool in free:
            return Verdict(True, "free")
        if call.tool not in ("lookup_order", "issue_refund"):
            return Verdict(False, "not declared")
        for name, given in call.given.items():
            if name not in KINDS:
                if unknown:
                    continue
                return Verdict(False, f"{name} is not declared")
            if not any(good(name, fact) for fact in facts.sources(given, request)):
                return Verdict(False, f"{name} has no good source")
        return Verdict(True, "all good")

    return authorize


@wrong("04.1", "no-op", "Allows everything.", says="nowhere else")
def allows_everything() -> object:
    return lambda call, request, facts: Verdict(True, "fine")


@wrong("04.1", "no-op", "Denies everything.", says="in order")
def denies_everything() -> object:
    return lambda call, request, facts: Verdict(False, "amount, order_id: no")


@wrong("04.1", "slip", "Any field of one's own will do.", says="kind quantity")
def any_kind() -> object:
    return rule(lambda name, fact: fact.origin >= Origin.OWN and not fact.text)


@wrong("04.1", "slip", "Text of a page that was named counts.", says="anybody may have written")
def named_text() -> object:
    return rule(
        lambda name, fact: of_own(name, fact) or (fact.text and fact.origin >= Origin.NAMED)
    )


@wrong("04.1", "slip", "More than own, where at least own was meant.", says="in order")
def more_than_own() -> object:
    return rule(lambda name, fact: fact.origin > Origin.OWN)


@wrong("04.1", "misreading", "Everything must stand in the request.", says="in order")
def request_alone() -> object:
    return rule(lambda name, fact: fact.origin is Origin.REQUEST)


@wrong("04.1", "misreading", "A look-up is harmless.", says="choose its order")
def look_ups_are_free() -> object:
    return rule(free=("search_documents", "hand_over", "lookup_order"))


@wrong("04.1", "misreading", "What is not mentioned is allowed.", says="not declared is denied")
def unknown_arguments() -> object:
    return rule(unknown=True)


@wrong("04.1", "misreading", "Looks for words of an attack.", says="nowhere else")
def looks_for_words() -> object:
    def authorize(call: Call, request: str, facts: Facts) -> Verdict:
        bad = any(word in request.lower() for word in ("ignore", "system prompt", "attack"))
        return Verdict(not bad, "amount: suspicious words" if bad else "clean")

    return authorize


# --- 04.2 -----------------------------------------------------------------------------------------

MESSAGES = Tool(
    "read",
    {},
    {
        "order_id": Field("order"),
        "customer": assigned("customer"),
        "sender": Field("sender"),
        "body": text("message"),
    },
    named_by=("customer",),
)
RIGHT = {
    "order_id": value(REQUEST, own("order")),
    "to": value(REQUEST, named("sender")),
    "note": words(REQUEST),
}


@wrong("04.2", "no-op", "Declares nothing.", says="asked for")
def nothing_declared() -> object:
    return {}


@wrong("04.2", "no-op", "Checks nothing.", says="anybody can write")
def nothing_checked() -> object:
    return {
        "read_messages": Tool("read"),
        "send_invoice": Tool("act", dict.fromkeys(("order_id", "to", "note", "cc"), ANYTHING)),
    }


@wrong("04.2", "slip", "Any sender is good enough.", says="nobody has asked")
def any_sender() -> object:
    arguments = RIGHT | {"to": value(REQUEST, own("sender"))}
    return {"read_messages": MESSAGES, "send_invoice": Tool("act", arguments)}


@wrong("04.2", "slip", "No message can be named.", says="asked for")
def never_named() -> object:
    reading = Tool("read", {}, MESSAGES.returns)
    return {"read_messages": reading, "send_invoice": Tool("act", RIGHT)}


@wrong("04.2", "misreading", "The order's number names a message.", says="any order's number")
def named_by_the_order() -> object:
    fields = MESSAGES.returns | {"order_id": assigned("order")}
    reading = Tool("read", {}, fields, named_by=("customer", "order_id"))
    return {"read_messages": reading, "send_invoice": Tool("act", RIGHT)}


@wrong("04.2", "misreading", "Only a whole address names a sender.", says="asked for")
def named_by_the_sender() -> object:
    reading = Tool("read", {}, MESSAGES.returns, named_by=("sender",))
    return {"read_messages": reading, "send_invoice": Tool("act", RIGHT)}


@wrong("04.2", "slip", "Sending is a read.", says="cannot be taken back")
def sending_is_reading() -> object:
    return {"read_messages": MESSAGES, "send_invoice": Tool("read", RIGHT)}


@wrong("04.2", "misreading", "Addresses in the body will do.", says="not for every address")
def address_in_the_body() -> object:
    arguments = RIGHT | {"to": value(REQUEST, named("sender"), named("message"))}
    return {"read_messages": MESSAGES, "send_invoice": Tool("act", arguments)}


@wrong("04.2", "misreading", "The note must stand in the request as a whole.", says="asked for")
def note_word_for_word() -> object:
    arguments = RIGHT | {"note": value(REQUEST)}
    return {"read_messages": MESSAGES, "send_invoice": Tool("act", arguments)}


@wrong("04.2", "misreading", "The body is a structured field like the others.", says="link")
def links_from_messages() -> object:
    source = Source(Origin.UNTRUSTED, "message")
    arguments = RIGHT | {"note": words(REQUEST, source)}
    return {"read_messages": MESSAGES, "send_invoice": Tool("act", arguments)}


# --- 04.3 -----------------------------------------------------------------------------------------


@wrong("04.3", "no-op", "Follows nothing.", says="empty page")
def follows_nothing() -> object:
    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer:
        return await get(guard.check(url))

    return follow


@wrong("04.3", "no-op", "Asks for nothing.")
def asks_for_nothing() -> object:
    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer | None:
        return None

    return follow


@wrong("04.3", "slip", "One redirect too few.", says="TooManyRedirects")
def two_redirects() -> object:
    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer:
        for _ in range(3):
            answer = await get(guard.check(url))
            if answer.location is None:
                return answer
            url = urljoin(url, answer.location)
        raise TooManyRedirects

    return follow


@wrong("04.3", "slip", "One redirect too many.", says="at most three")
def four_redirects() -> object:
    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer:
        for _ in range(5):
            answer = await get(guard.check(url))
            if answer.location is None:
                return answer
            url = urljoin(url, answer.location)
        raise TooManyRedirects

    return follow


@wrong("04.3", "slip", "A relative location is no URL.", says="relative")
def absolute_only() -> object:
    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer:
        for _ in range(4):
            answer = await get(guard.check(url))
            if answer.location is None:
                return answer
            url = answer.location
        raise TooManyRedirects

    return follow


@wrong("04.3", "misreading", "The guard sees the first URL only.", says="first URL only")
def guards_the_first() -> object:
    lenient = UrlGuard(hosts=None, own_networks=["0.0.0.0/0"], resolve=lambda host: ["127.0.0.1"])

    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer:
        answer = await get(guard.check(url))
        for _ in range(3):
            if answer.location is None:
                return answer
            url = urljoin(url, answer.location)
            answer = await get(lenient.check(url))
        return answer

    return follow


@wrong("04.3", "misreading", "Checks first, and asks the name again.", says="changed its address")
def checks_twice() -> object:
    async def follow(url: str, guard: UrlGuard, get: Get) -> Answer:
        for _ in range(4):
            guard.check(url)
            answer = await get(guard.check(url))
            if answer.location is None:
                return answer
            url = urljoin(url, answer.location)
        raise TooManyRedirects

    return follow


# --- 04.4 -----------------------------------------------------------------------------------------


@wrong("04.4", "no-op", "Pays everything.", says="one penny more")
def pays_everything() -> Decide:
    return lambda payment, earlier: "pay"


@wrong("04.4", "no-op", "Asks about everything.", says="just the limit")
def asks_about_everything() -> Decide:
    return lambda payment, earlier: "ask"


def limited(
    recent: Callable[[Payment, Payment, timedelta], bool],
    *,
    over: Callable[[float, float], bool] = lambda total, limit: total > limit,
    number: Callable[[object], object] = lambda amount: amount,
) -> Decide:
    """The right limits, with one part replaced."""

    def decide(payment: Payment, earlier: Sequence[Payment]) -> Decision:
        def paid(hours: int, mine: bool) -> float:
            counted = [
                one
                for one in earlier
                if recent(payment, one, timedelta(hours=hours))
                and (one.customer == payment.customer or not mine)
            ]
            return sum(number(one.amount) for one in [*counted, payment])  # type: ignore[misc]

        asks = over(paid(24, True), float(CUSTOMER_LIMIT)) or over(
            paid(1, False), float(SHOP_LIMIT)
        )
        return "ask" if asks else "pay"

    return decide


def within(payment: Payment, one: Payment, window: timedelta) -> bool:
    return payment.at - one.at < window


@wrong("04.4", "slip", "The limit itself is too much.", says="just the limit")
def below_the_limit() -> Decide:
    return limited(within, over=lambda total, limit: total >= limit)


@wrong("04.4", "slip", "A payment counts at exactly 24 hours.", says="no longer counts")
def a_second_too_long() -> Decide:
    return limited(lambda payment, one, window: payment.at - one.at <= window)


@wrong("04.4", "slip", "Sums of money as floats.", says="in Decimal")
def floats() -> Decide:
    return limited(within, number=float)  # type: ignore[arg-type]


@wrong("04.4", "misreading", "A day begins at midnight.", says="a new day has begun")
def calendar_days() -> Decide:
    def same(payment: Payment, one: Payment, window: timedelta) -> bool:
        if window > timedelta(hours=1):
            return one.at.date() == payment.at.date()
        return within(payment, one, window)

    return limited(same)


@wrong("04.4", "misreading", "Each payment alone.", says="together they are more")
def each_alone() -> Decide:
    return lambda payment, earlier: "pay" if payment.amount <= CUSTOMER_LIMIT else "ask"


@wrong("04.4", "misreading", "One limit for all customers together.", says="against C-0029")
def one_limit_for_all() -> Decide:
    def decide(payment: Payment, earlier: Sequence[Payment]) -> Decision:
        total = sum((one.amount for one in earlier), payment.amount)
        return "pay" if total <= CUSTOMER_LIMIT else "ask"

    return decide


@wrong("04.4", "misreading", "No limit for the shop.", says="within an hour")
def customers_alone() -> Decide:
    def decide(payment: Payment, earlier: Sequence[Payment]) -> Decision:
        mine = [one for one in earlier if one.customer == payment.customer]
        recent = [one for one in mine if within(payment, one, timedelta(hours=24))]
        total = sum((one.amount for one in recent), payment.amount)
        return "pay" if total <= CUSTOMER_LIMIT else "ask"

    return decide


# --- 04.5 -----------------------------------------------------------------------------------------

Cards = Mapping[str, Card]


def owned(fact: Fact, card: Card, tools: Cards) -> bool:
    return fact.origin is Origin.REQUEST or (fact.origin >= Origin.OWN and not fact.text)


def read_for_a_fetch(fact: Fact, card: Card, tools: Cards) -> bool:
    said = fact.origin is Origin.NAMED and tools[fact.source].effect == "read"
    return owned(fact, card, tools) or (said and card.effect == "fetch")


def gate_with(
    good: Callable[[Fact, Card, Cards], bool] = read_for_a_fetch,
    *,
    free: Sequence[str] = ("read",),
    whole_words: bool = False,
    unread_words: bool = False,
) -> object:
    """The right gate, with one part replaced."""

    def gate(call: Call, request: str, facts: Facts, tools: Cards) -> Verdict:
        card = tools.get(call.tool)
        if card is None:
            return Verdict(False, "no card")
        if card.effect in free:
            return Verdict(True, "free")
        for name, given in call.given.items():
            shape = card.arguments.get(name)
            if shape is None:
                return Verdict(False, "no card")
            parts = [] if shape == "free" else [leaf for _, leaf in leaves(given)]
            if shape == "words" and not whole_words:
                found = [] if unread_words else [addresses(str(part)) for part in parts]
                parts = [part for each in found for part in each]
            for part in parts:
                if not any(good(fact, card, tools) for fact in facts.sources(part, request)):
                    return Verdict(False, f"{name} has no good source")
        return Verdict(True, "good")

    return gate


@wrong("04.5", "no-op", "Allows everything.", says="attacks that succeed")
def lets_everything_through() -> object:
    return lambda call, request, facts, tools: Verdict(True, "fine")


@wrong("04.5", "no-op", "Blocks everything.", says="was blocked")
def blocks_everything() -> object:
    return lambda call, request, facts, tools: Verdict(False, "no")


@wrong("04.5", "slip", "A fetch counts as a read.", says="Visit a website")
def a_fetch_is_a_read() -> object:
    return gate_with(free=("read", "fetch"))


@wrong("04.5", "slip", "A fetched page may send the agent on.", says="Visit a website")
def pages_send_on() -> object:
    def good(fact: Fact, card: Card, tools: Cards) -> bool:
        return owned(fact, card, tools) or (card.effect == "fetch" and fact.origin is Origin.NAMED)

    return gate_with(good)


@wrong("04.5", "slip", "Does not look into words.", says="Send a link")
def words_unread() -> object:
    return gate_with(unread_words=True)


@wrong("04.5", "misreading", "Words must have a source as a whole.", says="was blocked")
def words_as_a_whole() -> object:
    return gate_with(whole_words=True)


@wrong("04.5", "misreading", "Only the request's own values.", says="was blocked")
def only_the_request() -> object:
    return gate_with(lambda fact, card, tools: fact.origin is Origin.REQUEST)


@wrong("04.5", "misreading", "What was named is trusted altogether.", says="attacks that succeed")
def whatever_was_named() -> object:
    return gate_with(lambda fact, card, tools: fact.origin >= Origin.OWN)


@wrong(
    "04.5", "misreading", "Structured fields alone, on banking quite enough.", says="was blocked"
)
def tuned_on_banking() -> object:
    return gate_with(owned)
