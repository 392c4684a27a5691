"""Exercise 01.4: two customers, two memories."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from helpers.course.exercises import Case, Hint, Slip, exercise, generated, satisfies
from helpers.course.exercises.m01 import pairs

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from helpers.agent import Caller
    from helpers.course.exercises.m01.memory import Configure, Turn


def conversation_config(caller: "Caller", conversation: str) -> "RunnableConfig":
    """The config that gives a caller's conversation its own memory."""
    return {"configurable": {"thread_id": conversation}}


CARD = "My card ends in 4242."


@exercise(
    "01.4",
    title="Memory that keeps two customers apart",
    starter=conversation_config,
    hints=[
        "A checkpointer keeps one memory for each thread_id. Who else uses the same one?",
        Hint("The thread_id needs both: who, and which conversation.", "apart", "joined"),
        Hint(
            "Either part may contain a hyphen, so two pairs joined by one can give the same text."
            " Which way of writing a pair can only be read back as that pair?",
            "joined",
        ),
        Hint("A guest has None, which is not the text 'None'. Do you write both alike?", "joined"),
        Hint(
            "The same two values must always give the same text: no random number, no hash(), and"
            " nothing that is kept between calls.",
            "same",
        ),
        Hint("A text: str, not tuple. And a new dictionary in every call.", "shape"),
        "json.dumps([caller.customer_id, conversation]) quotes every text, and writes null for a"
        " guest.",
    ],
)
def memory(answer: "Configure") -> Iterator[Case]:
    """A config whose thread belongs to one caller's one conversation."""
    from helpers.agent import Caller
    from helpers.course.exercises.m01.another_process import AnotherProcess
    from helpers.course.exercises.m01.memory import remembered, remembered_at_once

    ann, ben, guest = Caller("C-0042"), Caller("C-0029"), Caller(None)
    elsewhere = AnotherProcess(answer)

    def case(name: str, turns: "Sequence[Turn]", *, slips: Sequence[Slip], about: str) -> Case:
        who, where, _ = turns[-1]
        return Case(
            name,
            call=lambda: remembered(answer, turns),
            show=f"what the agent remembers at the end, after {_told(turns)}",
            expect=[text for one, at, text in turns if (one, at) == (who, where)],
            slips=slips,
            about=about,
        )

    yield Case(
        "a config of its own for each call",
        call=lambda: [answer(ann, "chat-1"), answer(ann, "chat-1")],
        show='conversation_config(Caller("C-0042"), "chat-1"), called twice',
        expect=satisfies('two dictionaries like {"configurable": {"thread_id": "..."}}', _configs),
        about="shape",
    )
    yield case(
        "another customer's conversation of the same name",
        [(ann, "chat-1", CARD), (ben, "chat-1", "Which card do I use?")],
        slips=[
            Slip.value(
                "shared",
                [CARD, "Which card do I use?"],
                "C-0029 can ask for what C-0042 has told.",
            )
        ],
        about="apart",
    )
    yield case(
        "a conversation goes on",
        [(ann, "chat-1", CARD), (ben, "chat-1", "Hello."), (ann, "chat-1", "Which card?")],
        slips=[
            Slip.value(
                "forgets",
                ["Which card?"],
                "The agent has forgotten what the same customer said before.",
            )
        ],
        about="same",
    )
    yield case(
        "two conversations of one customer",
        [(ann, "chat-1", CARD), (ann, "chat-2", "Which card do I use?")],
        slips=[
            Slip.value(
                "one-a-customer",
                [CARD, "Which card do I use?"],
                "This is a new conversation: it is empty.",
            )
        ],
        about="apart",
    )
    yield Case(
        "several at the same time",
        call=lambda: remembered_at_once(answer, _rounds(ann, ben, guest)),
        show="what the agent remembers of C-0042, C-0029 and a guest's two conversations, which all"
        " happen at the same time",
        expect=[
            [text for _, _, text in turns] for turns in zip(*_rounds(ann, ben, guest), strict=True)
        ],
        about="apart",
    )
    yield Case(
        "no two conversations share a thread_id",
        call=lambda: _told_apart(_thread_of(answer), pairs.TRICKY),
        show=f"conversation_config for {len(pairs.TRICKY):,} callers and conversations that look"
        " much alike",
        expect=satisfies("a thread_id of its own for each", _none_share),
        slips=SLIPS,
        about="joined",
    )
    yield generated(
        "any conversations",
        answer,
        exercise="01.4",
        inputs=st.tuples(st.lists(pairs.ANY, min_size=2, max_size=3)),
        used=lambda configure: lambda some: pairs.sharing(_thread_of(configure), some)[:1],
        called=lambda some: f"conversation_config for {pairs.written(some)}",
        expect=lambda _: satisfies(
            "one thread_id for each conversation, shared with no other", _none_share
        ),
        slips=SLIPS,
        about="joined",
        budget=60,  # the enumerated ones before have found most
        limit=4.0,
    )
    yield Case(
        "names made up to get into another conversation",
        call=lambda: _told_apart(_thread_of(answer), pairs.fitted(_thread_of(answer))),
        show="conversation_config for callers and conversations whose names are made of pieces of"
        " your own thread_ids",
        expect=satisfies("a thread_id of its own for each", _none_share),
        slips=SLIPS,
        about="joined",
    )
    yield Case(
        "the same in another process",
        call=lambda: _here_and_there(_thread_of(answer), elsewhere.entered),
        show="the thread_ids of three conversations here, and in another process",
        expect=satisfies("the same three", lambda got: got[0] == got[1] or KEPT),
        about="same",
    )
    yield Case(
        "long enough for every conversation",
        call=lambda: pairs.fewest_bits(_thread_of(answer)),
        show="in how many bits the thread_ids of many conversations differ",
        expect=satisfies(f"{LEAST_BITS} bits or more", lambda got: got >= LEAST_BITS or SHORT),
        about="apart",
    )


LEAST_BITS = 64
KEPT = "Something other than the two arguments decides: hash(), or what was kept between calls."
SHORT = (
    "So few texts are possible that two conversations will share one: a digest needs at least 16"
    " hexadecimal digits, and a name must not be cut."
)
SLIPS = [
    Slip.when(
        "guest",
        lambda got: got[0][0] != got[0][1] and None in (got[0][0][0], got[0][1][0]),
        "A guest shares a thread_id with a customer: guests have None, and an id may be any text.",
    ),
    Slip.when(
        "joined",
        lambda got: got[0][0] != got[0][1] and _run_together(*got[0]),
        "The two parts run together: it is not clear where one ends and the other begins.",
    ),
    Slip.when(
        "changed",
        lambda got: got[0][0][0] == got[0][1][0] or got[0][0][1] == got[0][1][1],
        "Something of a name is lost or changed: two names that differ in any character must give"
        " two thread_ids.",
    ),
]


def _thread_of(configure: "Configure") -> "Callable[[pairs.Pair], Any]":
    from helpers.agent import Caller

    def thread(pair: pairs.Pair) -> Any:
        return configure(Caller(pair[0]), pair[1])["configurable"]["thread_id"]

    return thread


def _configs(got: Any) -> bool | str:
    for config in got:
        if not (isinstance(config, dict) and isinstance(config.get("configurable"), dict)):
            return 'Return a dictionary with the key "configurable", whose value is a dictionary.'
        thread = config["configurable"].get("thread_id")
        if not isinstance(thread, str):
            return f"The thread_id must be a str; this is of type {type(thread).__name__}."
    one, two = got
    if one is two or one["configurable"] is two["configurable"]:
        return "Both calls return one dictionary: the second call changes what the first returned."
    return True


def _run_together(one: pairs.Pair, other: pairs.Pair) -> bool:
    """Whether a customer's id goes on with a part of the other's conversation."""
    (short, whole), (long, rest) = sorted([one, other], key=lambda pair: len(str(pair[0])))
    forwards = str(long).startswith(str(short)) and whole.endswith(rest)
    backwards = str(long).endswith(str(short)) and whole.startswith(rest)
    return short != long and whole != rest and (forwards or backwards)


def _told_apart(thread: "Callable[[pairs.Pair], Any]", some: "Iterable[pairs.Pair]") -> Any:
    """Two conversations with one thread, and two that no guest has part in."""
    found = pairs.sharing(thread, some)
    guests = [None in (one[0], other[0]) for one, other in found]
    return [found[guests.index(is_guest)] for is_guest in (False, True) if is_guest in guests]


def _none_share(got: Any) -> bool | str:
    if not got:
        return True
    (one, two), *_ = got
    return f"{pairs.written([one])} and {pairs.written([two])} " + (
        "are the same conversation, but have two thread_ids."
        if one == two
        else "have the same thread_id."
    )


def _here_and_there(thread: "Callable[[pairs.Pair], Any]", elsewhere: Any) -> list[list[Any]]:
    some: list[pairs.Pair] = [("C-0042", "chat-1"), ("C-0029", "chat-1"), (None, "chat-1")]
    here = [thread(pair) for pair in some]
    with elsewhere():
        there = [thread(pair) for pair in reversed(some)]
    return [here, there[::-1]]


def _rounds(ann: "Caller", ben: "Caller", guest: "Caller") -> "list[list[Turn]]":
    speakers = [(ann, "chat-1"), (ben, "chat-1"), (guest, "chat-1"), (guest, "chat-2")]
    return [
        [(who, where, f"{words} {n}") for n, (who, where) in enumerate(speakers)]
        for words in ("Hello from", "Again from", "Goodbye from")
    ]


def _told(turns: "Sequence[Turn]") -> str:
    return "; ".join(f"{who.customer_id} in {where!r}: {text!r}" for who, where, text in turns)
