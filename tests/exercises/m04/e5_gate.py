"""Answers to exercise 04.5: a right gate in steps, with one step that is another."""

from collections.abc import Mapping
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.security.policy import (
    BANKING,
    Call,
    Facts,
    Origin,
    Provenance,
    Verdict,
)
from helpers.security.policy.addresses import addresses
from helpers.security.policy.cards import Card
from helpers.security.policy.values import leaves


class Gate:
    """The steps, one method each."""

    def __call__(
        self, call: Call, request: str, facts: Facts, tools: Mapping[str, Card]
    ) -> Verdict:
        self.card, self.tools, self.facts, self.request = (
            tools.get(call.tool),
            tools,
            facts,
            request,
        )
        if self.card is None:
            return self.without_card()
        if self.card.effect in self.free():
            return Verdict(True, "free")
        for name, given in self.given(call).items():
            if not self.accepts(self.card.arguments.get(name), given):
                return Verdict(False, f"{name}: no")
        return Verdict(True, "good")

    def without_card(self) -> Verdict:
        return Verdict(False, "no card")

    def free(self) -> tuple[str, ...]:
        return ("read",)

    def given(self, call: Call) -> Mapping[str, Any]:
        return call.given

    def accepts(self, shape: str | None, given: Any) -> bool:
        if shape is None:
            return self.accepts_unknown()
        if shape == "free":
            return self.accepts_free(given)
        parts = self.words(given) if shape == "words" else self.parts(given)
        return self.all_good(parts)

    def accepts_unknown(self) -> bool:
        return False

    def accepts_free(self, given: Any) -> bool:
        return True

    def parts(self, given: Any) -> list[Any]:
        return [part for _, part in leaves(given)]

    def words(self, given: Any) -> list[Any]:
        return [each for part in self.parts(given) for each in addresses(str(part))]

    def all_good(self, parts: list[Any]) -> bool:
        return all(self.has_good(part) for part in parts)

    def has_good(self, part: Any) -> bool:
        return any(self.good(fact) for fact in self.facts.sources(part, self.request))

    def good(self, fact: Any) -> bool:
        return self.owned(fact) or (self.said(fact) and self.effect == "fetch")

    @property
    def effect(self) -> str:
        assert self.card is not None
        return self.card.effect

    def owned(self, fact: Any) -> bool:
        if fact.origin is Origin.REQUEST:
            return True
        return fact.origin >= Origin.OWN and not fact.text and fact.source in self.tools

    def said(self, fact: Any) -> bool:
        card = self.tools.get(fact.source)
        return fact.origin is Origin.NAMED and card is not None and card.effect == "read"


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda call, request, facts, tools: None


@wrong("Everything is allowed.", slip="no-card")
def allows_everything() -> object:
    return lambda call, request, facts, tools: Verdict(True, "fine")


@wrong("Everything is denied.")
def denies_everything() -> object:
    return lambda call, request, facts, tools: Verdict(False, "no")


@wrong("Only reads are allowed.")
def reads_alone() -> object:
    class Reads(Gate):
        def accepts(self, shape: str | None, given: Any) -> bool:
            return False

    return Reads()


@wrong("A tool without a card is allowed.")
def tools_without_card() -> object:
    class Tools(Gate):
        def without_card(self) -> Verdict:
            return Verdict(True, "nobody has forbidden it")

    return Tools()


@wrong("An argument without a card is allowed.")
def arguments_without_card() -> object:
    class Arguments(Gate):
        def accepts_unknown(self) -> bool:
            return True

    return Arguments()


@wrong("Arguments that are None count.")
def none_counts() -> object:
    class Nones(Gate):
        def given(self, call: Call) -> Mapping[str, Any]:
            return call.arguments

    return Nones()


@wrong("A read is checked like an act.")
def checks_reads() -> object:
    class Reads(Gate):
        def free(self) -> tuple[str, ...]:
            return ()

    return Reads()


@wrong("A fetch is allowed like a read.")
def a_fetch_is_a_read() -> object:
    class Fetches(Gate):
        def free(self) -> tuple[str, ...]:
            return ("read", "fetch")

    return Fetches()


@wrong("A free argument is checked.")
def checks_free_ones() -> object:
    class Free(Gate):
        def accepts_free(self, given: Any) -> bool:
            return self.all_good(self.parts(given))

    return Free()


@wrong("Only the first part of a value.", slip="some-parts")
def first_part() -> object:
    class First(Gate):
        def all_good(self, parts: list[Any]) -> bool:
            return super().all_good(parts[:1])

    return First()


@wrong("One good part is enough.", slip="some-parts")
def any_part() -> object:
    class AnyPart(Gate):
        def all_good(self, parts: list[Any]) -> bool:
            return not parts or any(self.has_good(part) for part in parts)

    return AnyPart()


@wrong("The keys of a dict are not looked at.", slip="some-parts")
def without_keys() -> object:
    class WithoutKeys(Gate):
        def parts(self, given: Any) -> list[Any]:
            return [part for path, part in leaves(given) if not path.endswith("*key")]

    return WithoutKeys()


@wrong("Only texts are looked at.", slip="some-parts")
def texts_alone() -> object:
    class Texts(Gate):
        def parts(self, given: Any) -> list[Any]:
            return [part for part in super().parts(given) if isinstance(part, str)]

    return Texts()


@wrong("Only the outer list is taken apart.")
def outer_list() -> object:
    class Outer(Gate):
        def parts(self, given: Any) -> list[Any]:
            return list(given) if isinstance(given, list) else [given]

    return Outer()


@wrong("A list is compared as one text.")
def as_one_text() -> object:
    class OneText(Gate):
        def parts(self, given: Any) -> list[Any]:
            return [given if isinstance(given, str | int | float) else str(given)]

    return OneText()


@wrong("Only the first address in words.", slip="some-addresses")
def first_address() -> object:
    class First(Gate):
        def words(self, given: Any) -> list[Any]:
            return super().words(given)[:1]

    return First()


@wrong("Only the first address of each text.", slip="some-addresses")
def first_of_each() -> object:
    class First(Gate):
        def words(self, given: Any) -> list[Any]:
            return [each for part in self.parts(given) for each in addresses(str(part))[:1]]

    return First()


@wrong("Words in a list are not looked at.", slip="some-addresses")
def words_in_a_list() -> object:
    class Lists(Gate):
        def words(self, given: Any) -> list[Any]:
            return addresses(given) if isinstance(given, str) else []

    return Lists()


@wrong("Words are not looked at.")
def words_unread() -> object:
    class Unread(Gate):
        def words(self, given: Any) -> list[Any]:
            return []

    return Unread()


@wrong("Words need a source as a whole.")
def words_as_a_whole() -> object:
    class Whole(Gate):
        def words(self, given: Any) -> list[Any]:
            return self.parts(given)

    return Whole()


@wrong("Every source must be a good one.")
def all_sources() -> object:
    class AllSources(Gate):
        def has_good(self, part: Any) -> bool:
            found = self.facts.sources(part, self.request)
            return bool(found) and all(self.good(fact) for fact in found)

    return AllSources()


@wrong("A part without a source is allowed.")
def no_source_is_fine() -> object:
    class NoSource(Gate):
        def has_good(self, part: Any) -> bool:
            found = self.facts.sources(part, self.request)
            return not found or any(self.good(fact) for fact in found)

    return NoSource()


@wrong("Any source is a good one.")
def any_source() -> object:
    class AnySource(Gate):
        def good(self, fact: Any) -> bool:
            return True

    return AnySource()


@wrong("Only the request's own values.")
def only_the_request() -> object:
    class Request(Gate):
        def good(self, fact: Any) -> bool:
            return fact.origin is Origin.REQUEST

    return Request()


@wrong("All that is not untrusted is good.")
def whatever_was_named() -> object:
    class Named(Gate):
        def good(self, fact: Any) -> bool:
            return fact.origin >= Origin.OWN and fact.source in {*self.tools, "request"}

    return Named()


@wrong("Structured fields alone: quite enough on banking.")
def tuned_on_banking() -> object:
    class Structured(Gate):
        def good(self, fact: Any) -> bool:
            return self.owned(fact)

    return Structured()


@wrong("A fetched page may send the agent on.")
def pages_send_on() -> object:
    class SendOn(Gate):
        def said(self, fact: Any) -> bool:
            return fact.origin is Origin.NAMED and fact.source in self.tools

    return SendOn()


@wrong("Named text may say what to do.")
def named_text_acts() -> object:
    class Acts(Gate):
        def good(self, fact: Any) -> bool:
            return self.owned(fact) or self.said(fact)

    return Acts()


@wrong("Texts of tools without a card are good.")
def unknown_tools() -> object:
    class Unknown(Gate):
        def said(self, fact: Any) -> bool:
            card = self.tools.get(fact.source)
            return fact.origin is Origin.NAMED and (card is None or card.effect == "read")

    return Unknown()


@wrong("It stops at a tool without a card.")
def stops() -> object:
    class Stops(Gate):
        def said(self, fact: Any) -> bool:
            return fact.origin is Origin.NAMED and self.tools[fact.source].effect == "read"

    return Stops()


@wrong("The course's declarations of banking.")
def declarations_of_banking() -> object:
    policy = Provenance(BANKING)
    return lambda call, request, facts, tools: policy.decide(call, request, facts)


@wrong("It looks for words of an attack.")
def looks_for_words() -> object:
    def gate(call: Any, request: str, facts: Any, tools: Any) -> Verdict:
        known = call.tool in tools and set(call.given) <= set(tools[call.tool].arguments)
        bad = any(word in str(call).lower() for word in ("evil", "attack", "ignore", "mallory"))
        return Verdict(known and not bad, "words")

    return gate


@wrong("What was decided once stays.")
def remembers() -> object:
    class Remembers(Gate):
        def __init__(self) -> None:
            self.decided: dict[str, Verdict] = {}

        def __call__(self, call: Any, request: str, facts: Any, tools: Any) -> Verdict:
            if call.tool not in self.decided:
                self.decided[call.tool] = super().__call__(call, request, facts, tools)
            return self.decided[call.tool]

    return Remembers()


@right("A class whose instances are called.")
def a_class() -> object:
    return Gate()


@right("One expression, with a table of what is good for which effect.")
def one_expression() -> object:
    def gate(call: Any, request: str, facts: Any, tools: Any) -> Verdict:
        if call.tool not in tools:
            return Verdict(False, "unknown")
        card = tools[call.tool]
        returned = {name: one.effect for name, one in tools.items()} | {"request": "request"}
        good = {("request", False), ("read", False), ("fetch", False), ("act", False)}
        if card.effect == "fetch":
            good.add(("read", True))

        def is_good(fact: Any) -> bool:
            least = Origin.NAMED if fact.text else Origin.OWN
            return fact.origin >= least and (returned.get(fact.source), fact.text) in good

        def parts(name: str, given: Any) -> list[Any]:
            flat = [part for _, part in leaves(given)]
            if card.arguments[name] == "free":
                return []
            if card.arguments[name] == "value":
                return flat
            return [found for part in flat for found in addresses(str(part))]

        allowed = card.effect == "read" or (
            set(call.given) <= set(card.arguments)
            and all(
                any(map(is_good, facts.sources(part, request)))
                for name, given in call.given.items()
                for part in parts(name, given)
            )
        )
        return Verdict(allowed, "all parts" if allowed else f"{call}")

    return gate


@right("It finds a reason against the call, and a call without one is allowed.")
def a_reason() -> object:
    def against(call: Any, request: str, facts: Any, tools: Any) -> str:
        try:
            card = tools[call.tool]
            if card.effect == "read":
                return ""
            for name, given in call.given.items():
                shape = card.arguments[name]
                for _, part in leaves(given) if shape != "free" else ():
                    for value in addresses(f"{part}") if shape == "words" else [part]:
                        for fact in facts.sources(value, request):
                            if fact.source == "request" or (
                                fact.origin > Origin.UNTRUSTED
                                and fact.source in tools
                                and not fact.text
                            ):
                                break
                            if (
                                card.effect == "fetch"
                                and fact.origin == Origin.NAMED
                                and fact.source in tools
                                and tools[fact.source].effect == "read"
                            ):
                                break
                        else:
                            return f"{value!r} in {name} has no good source"
        except KeyError as unknown:
            return f"{unknown} is on no card"
        return ""

    def gate(call: Any, request: str, facts: Any, tools: Any) -> Verdict:
        reason = against(call, request, facts, tools)
        return Verdict(not reason, reason)

    return gate


@right("Stricter: what was returned by a fetch is never good, not even a structured field.")
def nothing_fetched() -> object:
    class Stricter(Gate):
        def owned(self, fact: Any) -> bool:
            if fact.origin is Origin.REQUEST:
                return True
            fetched = fact.source not in self.tools or self.tools[fact.source].effect == "fetch"
            return super().owned(fact) and not fetched

    return Stricter()
