"""Exercise 01.4: two customers, two memories."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, exercise

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from helpers.agent import Caller
    from helpers.course.exercises.m01.memory import Configure


def conversation_config(caller: "Caller", conversation: str) -> "RunnableConfig":
    """The config that gives a caller's conversation its own memory."""
    return {"configurable": {"thread_id": conversation}}


@exercise(
    "01.4",
    title="Memory that keeps two customers apart",
    starter=conversation_config,
    hints=[
        "A checkpointer keeps one memory for each thread_id. Who else uses the same one?",
        "The thread_id needs both: who, and which conversation. Guests have None, which is not the"
        " text 'None'.",
        "Joined by a hyphen, which may stand in either part, two pairs can give one text. Which way"
        " of writing a pair can be read back without doubt?",
        "json.dumps([caller.customer_id, conversation]) quotes every text, and writes null for a"
        " guest.",
    ],
)
def memory(submission: "Configure") -> Iterator[Case]:
    """A config whose thread belongs to one caller's one conversation."""
    from helpers.agent import Caller
    from helpers.course.exercises.m01.memory import remembered as read_at_the_end

    ann, ben, guest = Caller("C-0042"), Caller("C-0029"), Caller(None)

    def case(
        name: str,
        turns: "Sequence[tuple[Caller, str, str]]",
        remembered: Sequence[str],
        slips: Sequence[tuple[Any, str]] = (),
    ) -> Case:
        said = "; ".join(f"{who.customer_id} in {where!r}: {text!r}" for who, where, text in turns)
        return Case(
            name,
            call=lambda: read_at_the_end(submission, turns),
            show=f"what the model reads at the end, after {said}",
            expect=list(remembered),
            slips=slips,
        )

    card = "My card ends in 4242."
    yield case(
        "another customer's conversation of the same name",
        [(ann, "chat-1", card), (ben, "chat-1", "Which card do I use?")],
        ["Which card do I use?"],
        [([card, "Which card do I use?"], "C-0029 can ask for what C-0042 has told.")],
    )
    yield case(
        "a conversation goes on",
        [(ann, "chat-1", card), (ben, "chat-1", "Hello."), (ann, "chat-1", "Which card?")],
        [card, "Which card?"],
        [(["Which card?"], "The agent has forgotten what the same customer said before.")],
    )
    yield case(
        "two conversations of one customer",
        [(ann, "chat-1", card), (ann, "chat-2", "Which card do I use?")],
        ["Which card do I use?"],
        [([card, "Which card do I use?"], "This is a new conversation: it is empty.")],
    )
    yield case(
        "a guest's conversation goes on",
        [(guest, "g-8f2c", "I like red."), (guest, "g-8f2c", "What do I like?")],
        ["I like red.", "What do I like?"],
    )
    yield Case(
        "no two pairs share a thread",
        call=lambda: _shared(submission),
        show='such as ("C-1", "2-x") and ("C-1-2", "x"), or a guest and a customer called "None"',
        expect=[],
        slips=[(lambda got: bool(got), "Each of these is a caller and a conversation, twice.")],
    )
    yield Case(
        "a guest names a conversation like a customer's thread",
        call=lambda: (
            _thread(submission, guest, _thread(submission, ann, "chat-1"))
            == _thread(submission, ann, "chat-1")
        ),
        show="whether conversation_config(Caller(None), <C-0042's thread_id>) is C-0042's thread",
        expect=False,
        slips=[(True, "Whoever can choose a conversation's name can choose this one.")],
    )


def _thread(configure: "Configure", caller: "Caller", conversation: str) -> Any:
    return configure(caller, conversation)["configurable"]["thread_id"]


def _shared(configure: "Configure") -> list[str]:
    """Pairs of caller and conversation that get one thread although they differ."""
    from helpers.agent import Caller

    pairs: list[tuple[str | None, str]] = [(None, "x"), ("None", "x"), ("", "x"), ("guest", "x")]
    for sign in "-:/_|,. ":
        pairs += [("C", f"1{sign}x"), (f"C{sign}1", "x")]
    seen: dict[Any, tuple[str | None, str]] = {}
    shared = []
    for pair in pairs:
        first = seen.setdefault(_thread(configure, Caller(pair[0]), pair[1]), pair)
        if first != pair:
            shared.append(f"{first} and {pair}")
    return shared
