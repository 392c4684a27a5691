"""How the agent speaks to its model, and the one sentence that it always says the same way.

The local model and a hosted one want different words. On the dev questions, the local model
answered best when it was given one sentence to read, after the question, and was shown twice how
an answer repeats its text; a prompt that named the shop and the agent's role made it talk about
its role instead.
"""

from dataclasses import dataclass

from langchain_core.messages import AIMessage, AnyMessage, ChatMessage

NOT_FOUND = "Nothing in the shop's documents answers this."
"""What the search says when no document is near enough to the question."""

REFUSAL = "Sorry, I do not know: our documents do not answer that."
"""What the customer reads then."""


@dataclass(frozen=True)
class Style:
    """How a kind of model is spoken to.

    `system` is the system prompt. `examples` are turns put in front of the conversation when the
    model has tool results to answer from, `small_talk` when it has none. `sentences` is how many
    sentences of a document the model is given to read.
    """

    system: str
    examples: tuple[AnyMessage, ...]
    small_talk: tuple[AnyMessage, ...]
    sentences: int


RESULTS_PROMPT = "{question}\n\n{results}"
"""The turn in which the local model answers: it repeats best what it has read last."""

_SHOWN = (
    (
        "What is the volume of your big flask?",
        "Drinking bottles: The large bottle holds 1.5 litres.",
    ),
    (
        "I come on a Friday. When must I be there?",
        "Workshop hours: The workshop is open on Fridays until 7 pm.",
    ),
)

_SMALL_TALK = (
    ("Hi!", "Hello! I know Fernhill's goods, deliveries and orders. How can I help?"),
    ("Great, thanks.", "You are welcome."),
    ("Who am I talking to?", "I am the support agent of Fernhill, a program. How can I help?"),
)


def _turns(*pairs: tuple[str, str]) -> tuple[AnyMessage, ...]:
    """Questions and answers as messages.

    Not human messages: the local model's tool choice reads those, and nobody has said these.
    """
    return tuple(
        message
        for question, answer in pairs
        for message in (ChatMessage(role="user", content=question), AIMessage(answer))
    )


LOCAL = Style(
    system="You answer questions by repeating the text.",
    examples=_turns(
        *((RESULTS_PROMPT.format(question=q, results=text), text) for q, text in _SHOWN)
    ),
    small_talk=_turns(*_SMALL_TALK),
    sentences=1,
)

HOSTED = Style(
    system=(
        "You are the support agent of Fernhill, a British shop for outdoor gear. Use the tools: "
        "search the documents for every question about the shop, its goods and their care, and "
        "look up orders instead of guessing. Answer in one or two short sentences, only from what "
        f'the tools return. If they do not answer the question, say "{REFUSAL}" and nothing else.'
    ),
    examples=(),
    small_talk=(),
    sentences=3,
)
