import base64
import functools
import hashlib
import json
import os
import pickle
import re
import time
import unicodedata
import urllib.parse
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller
from helpers.authoring.answers import right, wrong

Name = Callable[[str | None, str], Any]


def named(name: Name) -> object:
    """A config whose thread_id is made by this function."""

    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return {"configurable": {"thread_id": name(caller.customer_id, conversation)}}

    return conversation_config


def exact(who: str | None, where: str) -> str:
    return json.dumps([who, where])


def by_words(change: Callable[[str], str]) -> object:
    """The right thread_id of texts that were changed before."""
    return named(lambda who, where: exact(None if who is None else change(who), change(where)))


@wrong("One memory for everyone.", slip="shared")
def one_memory() -> object:
    return named(lambda who, where: "support")


@wrong("A new memory each time.", slip="forgets")
def always_new() -> object:
    return named(lambda who, where: str(uuid.uuid4()))


@wrong("One memory for each customer.", slip="one-a-customer")
def customer_alone() -> object:
    return named(lambda who, where: who or f"guest {where}")


@wrong("Joined by a hyphen.", slip="joined")
def joined_by_a_hyphen() -> object:
    return named(lambda who, where: f"{who}-{where}")


@wrong("Joined by colons behind a fixed word.", slip="joined")
def joined_by_colons() -> object:
    return named(lambda who, where: f"customer::{who}::{where}")


@wrong("Joined by something that nobody would write.", slip="joined")
def joined_by_a_rare_text() -> object:
    return named(lambda who, where: f"{where}<~#SEP#~>{who}" if who is not None else f"[{where}")


@wrong("Joined by a character that nobody can type.")
def joined_by_an_unprintable() -> object:
    return named(lambda who, where: f"{who}\x1e{where}" if who is not None else f"\x1e\x1e{where}")


@wrong("Joined by nothing.")
def joined_by_nothing() -> object:
    return named(lambda who, where: (who or "") + where)


@wrong("The length of both together in front.")
def length_of_both() -> object:
    return named(lambda who, where: f"{len(who or '') + len(where)}:{who!r:.4}{who}{where}")


@wrong("A digest of a joined text.")
def digest_of_a_joined_text() -> object:
    return named(lambda who, where: hashlib.sha256(f"{who}:{where}".encode()).hexdigest())


@wrong("A guest may name any thread.", slip="guest")
def bare_for_guests() -> object:
    return named(lambda who, where: where if who is None else repr((who, where)))


@wrong("A guest is the customer 'None'.", slip="guest")
def guest_is_none() -> object:
    return named(lambda who, where: repr((str(who), where)))


@wrong("A guest is the customer without a name.", slip="guest")
def guest_is_empty() -> object:
    return named(lambda who, where: exact(who or "", where))


@wrong("A guest is a customer of another name.", slip="guest")
def guest_is_somebody() -> object:
    return named(lambda who, where: exact(who if who is not None else "visitor-0", where))


@wrong("Capital letters do not count.")
def lower() -> object:
    return by_words(str.lower)


@wrong("Capital letters of the customer do not count.")
def lower_customers() -> object:
    return named(lambda who, where: exact(who and who.casefold(), where))


@wrong("Space around a name does not count.")
def stripped() -> object:
    return by_words(str.strip)


@wrong("Only letters and digits count.")
def words_alone() -> object:
    return by_words(lambda text: re.sub(r"\W+", "_", text))


@wrong("Different ways to write one letter are one.")
def normalised() -> object:
    return by_words(lambda text: unicodedata.normalize("NFC", text))


@wrong("Letters outside English are lost.")
def ascii_alone() -> object:
    return by_words(lambda text: text.encode("ascii", "ignore").decode())


@wrong("The beginning of a name.")
def first_eight() -> object:
    return by_words(lambda text: text[:8])


@wrong("The beginning of a long name.")
def first_255() -> object:
    return by_words(lambda text: text[:255])


@wrong("Both ends of a name.")
def both_ends() -> object:
    return by_words(lambda text: text[:40] + text[-40:])


@wrong("Only the digits of a customer.")
def digits_of_the_customer() -> object:
    return named(lambda who, where: exact(who and re.sub(r"\D", "", who), where))


@wrong("Two names are one pair, whoever is who.")
def in_any_order() -> object:
    return named(lambda who, where: json.dumps(sorted([repr(who), repr(where)])))


@wrong("A checksum.")
def checksum() -> object:
    return named(lambda who, where: str(zlib.crc32(exact(who, where).encode())))


@wrong("Eight digits of a digest.")
def eight_digits() -> object:
    return named(lambda who, where: hashlib.sha256(exact(who, where).encode()).hexdigest()[:8])


@wrong("The customer, and twelve digits of a digest of the conversation.")
def short_digest_of_the_conversation() -> object:
    return named(lambda who, where: f"{who!r} {hashlib.md5(where.encode()).hexdigest()[:12]}")


@wrong("Python's hash, which is another one in each process.")
def python_hash() -> object:
    return named(lambda who, where: str(hash((who, where))))


@wrong("Python's hash of a caller.")
def python_hash_of_a_caller() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return {"configurable": {"thread_id": f"{hash(caller)} {conversation}"}}

    return conversation_config


@wrong("The address of the caller.")
def address() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return {"configurable": {"thread_id": f"{id(caller)} {conversation}"}}

    return conversation_config


@wrong("A number for each pair, in the order of their coming.")
def a_counter() -> object:
    numbers: dict[tuple[str | None, str], int] = {}
    return named(lambda who, where: str(numbers.setdefault((who, where), len(numbers))))


@wrong("A random name for each pair, kept.")
def a_kept_random_name() -> object:
    @functools.cache
    def name(who: str | None, where: str) -> str:
        return str(uuid.uuid4())

    return named(name)


@wrong("A random name for each pair, kept on the function.")
def kept_on_the_function() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        kept = vars(conversation_config).setdefault("kept", {})
        name = kept.setdefault((caller.customer_id, conversation), uuid.uuid4().hex)
        return {"configurable": {"thread_id": name}}

    return conversation_config


@wrong("A random name for each pair, kept by an object.")
def kept_by_an_object() -> object:
    class Names:
        kept: dict[Any, str] = {}  # noqa: RUF012 - what this one gets wrong

        def config(self, caller: Caller, conversation: str) -> RunnableConfig:
            name = self.kept.setdefault((caller, conversation), uuid.uuid4().hex)
            return {"configurable": {"thread_id": name}}

    return Names().config


@wrong("Python's pickle, which tells equal texts of two objects from one text.")
def pickled() -> object:
    return named(lambda who, where: pickle.dumps((who, where)).hex())


@wrong("JSON with the customer as a key, which writes None like 'null'.")
def as_a_key() -> object:
    return named(lambda who, where: json.dumps({who: where}))


@wrong("One dictionary for all calls.")
def one_dictionary() -> object:
    config: dict[str, Any] = {"configurable": {}}

    def conversation_config(caller: Caller, conversation: str) -> Any:
        config["configurable"]["thread_id"] = exact(caller.customer_id, conversation)
        return config

    return conversation_config


@wrong("A tuple.")
def a_tuple() -> object:
    return named(lambda who, where: (who, where))


@wrong("A UUID, which is no text.")
def a_uuid() -> object:
    return named(lambda who, where: uuid.uuid5(uuid.NAMESPACE_URL, exact(who, where)))


@wrong("The thread_id alone.")
def no_config() -> object:
    return lambda caller, conversation: exact(caller.customer_id, conversation)


@wrong("The thread_id beside configurable.")
def beside_configurable() -> object:
    return lambda caller, conversation: {"thread_id": exact(caller.customer_id, conversation)}


@wrong("The thread is the conversation's, a namespace the customer's.")
def a_namespace() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        space = caller.customer_id or ""
        return {"configurable": {"thread_id": conversation, "checkpoint_ns": space}}

    return conversation_config


@right("As Python writes a tuple.")
def by_repr() -> object:
    return named(lambda who, where: repr((who, where)))


@right("As Python writes the caller, and the conversation behind.")
def by_repr_of_the_caller() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return RunnableConfig(
            configurable={"thread_id": f"{caller!r}{conversation}"}, tags=["support"]
        )

    return conversation_config


@right("A digest of JSON.")
def digest() -> object:
    return named(lambda who, where: hashlib.sha256(exact(who, where).encode()).hexdigest())


@right("Sixteen digits of a digest of JSON.")
def sixteen_digits() -> object:
    return named(lambda who, where: hashlib.sha256(exact(who, where).encode()).hexdigest()[:16])


@right("A digest for each part.")
def a_digest_for_each() -> object:
    def digest(text: str | None) -> str:
        return "guest" if text is None else hashlib.blake2b(text.encode()).hexdigest()

    return named(lambda who, where: f"{digest(who)}.{digest(where)}")


@right("A name-based UUID.")
def named_uuid() -> object:
    return named(lambda who, where: str(uuid.uuid5(uuid.NAMESPACE_URL, exact(who, where))))


@right("The customer's length in front.")
def length_in_front() -> object:
    return named(lambda who, where: f"guest:{where}" if who is None else f"{len(who)}:{who}{where}")


@right("The separator is escaped in both parts.")
def escaped() -> object:
    def part(text: str) -> str:
        return text.replace("%", "%25").replace("/", "%2F")

    return named(
        lambda who, where: f"guest/{part(where)}" if who is None else f"c/{part(who)}/{part(where)}"
    )


@right("Both parts quoted as in a URL.")
def quoted() -> object:
    def quote(text: str) -> str:
        return urllib.parse.quote(text, safe="")

    return named(lambda who, where: ("-" if who is None else f"={quote(who)}") + f"/{quote(where)}")


@right("Both parts in base64.")
def in_base64() -> object:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode()

    return named(lambda who, where: f"{'*' if who is None else part(who)}:{part(where)}")


@right("A cache that changes nothing.")
def a_cache() -> object:
    return named(functools.cache(exact))


@wrong("The separator is escaped, and the escape is not.")
def backslash_alone() -> object:
    def part(text: str) -> str:
        return text.replace("|", "\\|")

    return named(
        lambda who, where: f"g|{part(where)}" if who is None else f"c|{part(who)}|{part(where)}"
    )


@wrong("A separator is doubled in both parts.")
def doubled() -> object:
    def part(text: str) -> str:
        return text.replace("-", "--")

    return named(
        lambda who, where: exact(None, where) if who is None else f"{part(who)}-{part(where)}"
    )


@wrong("Two colons between parts in which one is doubled.")
def doubled_colons() -> object:
    def part(text: str) -> str:
        return text.replace(":", "::")

    return named(
        lambda who, where: exact(None, where) if who is None else f"{part(who)}:{part(where)}"
    )


@wrong("The separator is written as in a URL, and the percent sign is not.", slip="changed")
def percent_alone() -> object:
    def part(text: str) -> str:
        return text.replace(":", "%3A")

    return named(
        lambda who, where: exact(None, where) if who is None else f"{part(who)}:{part(where)}"
    )


@wrong("The id of the parent process.")
def parent_process() -> object:
    return named(lambda who, where: exact(who, where) + str(os.getppid()))


@wrong("The minute of the clock.")
def minute_of_the_clock() -> object:
    return named(lambda who, where: exact(who, where) + str(int(time.time() // 60)))
