"""Answers to exercise 04.2: declarations, most of which open a way to the mailbox's authors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from helpers.authoring.answers import right, wrong
from helpers.security.policy import (
    ANYTHING,
    REQUEST,
    Field,
    Tool,
    assigned,
    identifier,
    named,
    own,
    text,
    value,
    words,
)

RETURNS: Mapping[str, Field] = {
    "id": assigned("id"),
    "sender": Field("sender"),
    "name": text("name"),
    "order_id": Field("order"),
    "body": text("body"),
}
SENDING: Mapping[str, Any] = {
    "order_id": identifier(REQUEST, named("order")),
    "to": value(REQUEST, named("sender"), own("email")),
    "note": words(REQUEST),
}

_UNTRUSTED = "a field that is not declared counts as untrusted text, too"
EQUIVALENT = {
    'line 8, \'name\' changed: "name": text("display name"),': _UNTRUSTED,
    'line 10, \'body\' changed: "body": text("message text"),': _UNTRUSTED,
}


def tools(
    *,
    reading: Mapping[str, Any] | None = None,
    returns: Mapping[str, Field] | None = None,
    named_by: tuple[str, ...] = ("id",),
    effects: tuple[Any, Any] = ("read", "act"),
    asked: str = "invoice",
    **sending: Any,
) -> dict[str, Tool]:
    """The right declarations but for these."""
    fields = {**RETURNS, **(returns or {})}
    accepts = {**SENDING, **sending}
    return {
        "read_messages": Tool(effects[0], reading or {}, fields, named_by=named_by),
        "send_invoice": Tool(effects[1], accepts, asked=asked),
    }


@wrong("Nothing is declared.", slip="denies")
def nothing() -> object:
    return {}


@wrong("A tuple.", slip="no-tools")
def a_tuple() -> object:
    return tuple(tools().values())


@wrong("Dicts instead of Tools.", slip="no-tools")
def dicts() -> object:
    return {"read_messages": {"effect": "read"}, "send_invoice": {"effect": "act"}}


@wrong("Nothing is checked.", slip="any-sender")
def nothing_is_checked() -> object:
    return tools(order_id=ANYTHING, to=ANYTHING, note=ANYTHING, cc=ANYTHING)


@wrong("Any sender is good enough.", slip="any-sender")
def any_sender() -> object:
    return tools(to=value(REQUEST, own("sender"), own("email")))


@wrong("A sender is an email like the shop's own.", slip="sender-as-record")
def sender_is_an_email() -> object:
    return tools(
        returns={"sender": Field("email")}, to=value(REQUEST, named("email"), own("email"))
    )


@wrong("The name names a message, and the service is said to have set all of it.", slip="by-name")
def by_name() -> object:
    return tools(
        named_by=("id", "name"),
        returns={"name": assigned("name"), "sender": assigned("sender")},
    )


@wrong("The name names a message, which the request may hold.", slip="by-name")
def name_alone() -> object:
    return tools(named_by=("name",), returns={"name": assigned("name")})


@wrong("The address names a message, too.", slip="by-address")
def by_address() -> object:
    return tools(named_by=("id", "sender"))


@wrong("Only the address names a message.", slip="never-named")
def address_alone() -> object:
    return tools(named_by=("sender",))


@wrong("The order names a message, too.")
def by_order() -> object:
    return tools(named_by=("id", "order_id"), returns={"order_id": assigned("order")})


@wrong("The order names a message, and the sender is said to be assigned.")
def by_order_to_its_sender() -> object:
    return tools(named_by=("id", "order_id"), returns={"sender": assigned("sender")})


@wrong("No message can be named.", slip="never-named")
def never_named() -> object:
    return tools(named_by=())


@wrong("The id is a field like any other.", slip="never-named")
def id_is_a_label() -> object:
    return tools(returns={"id": Field("id")})


@wrong("Only addresses in the request.", slip="never-named")
def request_alone() -> object:
    return tools(to=value(REQUEST, own("email")))


@wrong("An address in the body of a message that was named.", slip="body")
def address_in_the_body() -> object:
    return tools(to=value(REQUEST, named("sender"), named("body"), own("email")))


@wrong("The body is of the sender's kind.", slip="body")
def body_is_a_sender() -> object:
    return tools(returns={"body": text("sender")})


@wrong("An address is no id.")
def an_address_as_an_id() -> object:
    return tools(to=identifier(REQUEST, named("sender"), own("email")))


@wrong("No record of the shop's own.", slip="no-record")
def no_record() -> object:
    return tools(to=value(REQUEST, named("sender")))


@wrong("A record of the shop's own must be named, and none of find_customer's can be.")
def named_record() -> object:
    return tools(to=value(REQUEST, named("sender"), named("email")))


@wrong("The order of any message.", slip="any-order")
def any_order() -> object:
    return tools(order_id=identifier(REQUEST, own("order")))


@wrong("Only an order in the request.", slip="order-of-request")
def order_of_the_request() -> object:
    return tools(order_id=identifier(REQUEST))


@wrong("An order in the text of a message that was named.")
def order_in_the_body() -> object:
    return tools(order_id=identifier(REQUEST, named("order"), named("body")))


@wrong("An order of which a customer was found.")
def order_of_a_record() -> object:
    return tools(order_id=identifier(REQUEST, named("order"), own("customer's order")))


@wrong("Sender and name are mixed up.")
def mixed_up() -> object:
    return tools(returns={"name": Field("sender"), "sender": text("name")})


@wrong("The name is a sender, too.")
def name_is_a_sender() -> object:
    return tools(returns={"name": Field("sender")}, named_by=("id",), order_id=ANYTHING)


@wrong("The note must be in the request as a whole.", slip="note-denied")
def note_word_for_word() -> object:
    return tools(note=value(REQUEST))


@wrong("The note is not declared.", slip="note-denied")
def no_note() -> object:
    made = tools()
    accepts = {name: each for name, each in SENDING.items() if name != "note"}
    return {**made, "send_invoice": Tool("act", accepts, asked="invoice")}


@wrong("The note is not checked.", slip="any-note")
def any_note() -> object:
    return tools(note=ANYTHING)


@wrong("The note may hold the address of a sender who was named.")
def sender_in_the_note() -> object:
    return tools(note=words(REQUEST, named("sender")))


@wrong("No address in the note at all.")
def no_address_in_the_note() -> object:
    return tools(note=words(own("nothing")))


@wrong("A copy may go to anyone whom the request contains.")
def a_copy() -> object:
    return tools(cc=value(REQUEST))


@wrong("Messages may be limited in number.")
def a_limit() -> object:
    return tools(reading={"limit": ANYTHING})


@wrong("A third tool.")
def a_third_tool() -> object:
    return {**tools(), "delete_message": Tool("act", {"id": identifier(REQUEST)})}


@wrong("It is sent whatever the request asks for.", slip="not-asked")
def not_asked() -> object:
    return tools(asked="")


@wrong("It is asked for by any request to send or to answer.")
def asked_by_other_words() -> object:
    return tools(asked="send|answer|write")


@wrong("Reading has to be asked for.")
def reading_asked_for() -> object:
    made = tools()
    return {**made, "read_messages": Tool("read", {}, RETURNS, named_by=("id",), asked="invoice")}


@wrong("Sending is a read.", slip="send-is-a-read")
def sending_is_a_read() -> object:
    return tools(effects=("read", "read"))


@wrong("Reading is an act.")
def reading_is_an_act() -> object:
    return tools(effects=("act", "act"))


@wrong("The shown name is an email.", slip="other-field")
def name_is_an_email() -> object:
    return tools(returns={"name": Field("email")})


@wrong("The order is an email.")
def order_is_an_email() -> object:
    return tools(returns={"order_id": Field("email")}, order_id=identifier(REQUEST, named("email")))


@wrong("Order and sender are of one kind.")
def order_is_a_sender() -> object:
    return tools(
        returns={"order_id": Field("sender")}, order_id=identifier(REQUEST, named("sender"))
    )


@wrong("The name of a message that was named is an order.")
def name_is_an_order() -> object:
    return tools(returns={"name": text("order")})


@wrong("An invoice may go to the shown name.")
def to_the_name() -> object:
    return tools(
        returns={"name": Field("name")},
        to=value(REQUEST, named("sender"), named("name"), own("email")),
    )


@wrong("An invoice may go to what is in the field of the order.")
def to_the_order() -> object:
    return tools(to=value(REQUEST, named("sender"), named("order"), own("email")))


@wrong("The body is a field of the sender's kind.")
def body_is_a_whole_sender() -> object:
    return tools(returns={"body": Field("sender")})


@wrong("`to` is free words.")
def to_is_words() -> object:
    return tools(to=words(REQUEST, named("sender"), own("email")))


@wrong("The name names a message, although nothing comes of it.", slip="too-much")
def name_names_itself() -> object:
    return tools(named_by=("id", "name"), returns={"name": Field("name")})


@wrong("The name names a message, and its order is assigned.")
def name_names_an_order() -> object:
    return tools(
        named_by=("id", "name"), returns={"name": Field("name"), "order_id": assigned("order")}
    )


@wrong("The note may hold the address of a customer who was found.")
def found_in_the_note() -> object:
    return tools(note=words(REQUEST, own("email")))


@wrong("The note may hold a link of a message that was named.")
def body_in_the_note() -> object:
    return tools(returns={"body": Field("body")}, note=words(REQUEST, named("body")))


@wrong("The note may hold a name.")
def name_in_the_note() -> object:
    return tools(returns={"name": Field("name")}, note=words(REQUEST, named("name")))


@wrong("An answer is an invoice.", slip="asked-otherwise")
def answers_are_invoices() -> object:
    return tools(asked="invoice|answer")


@wrong("A bill is an invoice.")
def bills_are_invoices() -> object:
    return tools(asked="invoice|bill")


@wrong("The end of the word.")
def end_of_the_word() -> object:
    return tools(asked="voice")


@wrong("The beginning of the word is enough.")
def inv() -> object:
    return tools(asked="inv")


@wrong("Only the word alone.")
def the_word_alone() -> object:
    return tools(asked=r"\binvoice\b")


@wrong("What comes back from sending is an email.")
def a_receipt_is_an_email() -> object:
    made = tools()
    returns = {"": Field("email")}
    return {**made, "send_invoice": Tool("act", SENDING, returns, asked="invoice")}


@wrong("A hidden copy.", slip="too-much")
def a_hidden_copy() -> object:
    return tools(bcc=ANYTHING)


@wrong("A search.")
def a_search() -> object:
    return {**tools(), "search_documents": Tool("read", {"query": words(REQUEST)})}


@wrong("Another find_customer.")
def another_find_customer() -> object:
    return {**tools(), "find_customer": Tool("read", {"order_id": ANYTHING})}


@wrong("A folder.")
def a_folder() -> object:
    return tools(reading={"folder": value(REQUEST)})


@wrong("A field that messages do not have.")
def another_field() -> object:
    return tools(returns={"reply_to": Field("email")})


@right("Other kinds, a value for the order, and what is not declared is text.")
def other_kinds() -> object:
    return {
        "read_messages": Tool(
            "read",
            {},
            {"id": assigned("number"), "sender": Field("who"), "order_id": Field("what")},
            named_by=("id",),
        ),
        "send_invoice": Tool(
            "act",
            {
                "order_id": value(named("what"), REQUEST),
                "to": value(own("email"), named("who"), REQUEST),
                "note": words(REQUEST),
            },
            asked=r"invoices?",
        ),
    }


@right("A mapping that cannot be changed, and fields where text would do.")
def cannot_be_changed() -> object:
    fields = {"name": Field("shown"), "body": Field("words")}
    return MappingProxyType(tools(returns=fields))


@right("All of the sender's own is assigned or text, and only the id names.")
def assigned_fields() -> object:
    return tools(returns={"sender": assigned("sender"), "order_id": assigned("order")})


@right("The word invoice at the beginning of a word.")
def beginning_of_a_word() -> object:
    return tools(asked=r"\binvoice")


@right("A receipt is a text, and named emails are emails.")
def a_receipt() -> object:
    made = tools(to=value(own("email"), named("email"), named("sender"), REQUEST))
    accepts = made["send_invoice"].arguments
    return {
        **made,
        "send_invoice": Tool("act", accepts, {"": text("receipt")}, asked=".*invoice.*"),
    }
