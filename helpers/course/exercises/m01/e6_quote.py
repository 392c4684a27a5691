"""Exercise 01.6: quote instead of rephrase."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from helpers.course.exercises import Case, Hint, Slip, at_least, exercise, generated
from helpers.shop import questions

if TYPE_CHECKING:
    from helpers.course.exercises.m01.quoting import Quote, Said, Turn
    from helpers.testbed.replies import Reply

FAST = os.environ.get("COURSE_FAST", "") not in ("", "0")
"""Smaller samples, for tests: see the design, "Time"."""

EVERY = 22 if FAST else 2
"""The step through the lab part's 64 questions that have an answer: 3 or 31 are asked."""

RIGHT = 2 if FAST else 16
"""How many of them must be answered rightly: of 31, the friendly agent answers 4, and 23 when it
quotes."""


@exercise(
    "01.6",
    title="Quote instead of rephrase",
    hints=[
        "Let the model speak first: response = handler(request). Its message is"
        " response.result[-1].",
        Hint("A reply that calls a tool does not end the turn: return the response.", "calls"),
        Hint(
            "This turn's messages are those after the last HumanMessage in request.messages. Which"
            " ToolMessages are among them? Their .text is what the customer reads.",
            "turn",
            "any",
        ),
        Hint(
            "A search that found nothing has an empty list as its artifact: leave it out. An"
            " artifact of None is no empty list. Where no text is left, return the response.",
            "nothing",
            "any",
        ),
        "texts = [m.text for m in turn if isinstance(m, ToolMessage) and m.artifact != []], then"
        ' reply.model_copy(update={"content": " ".join(texts)}).',
    ],
)
def quote(answer: "Quote") -> Iterator[Case]:
    """A wrapper around model calls that answers with what the tools of this turn have said."""
    from helpers.agent import REFUSAL
    from helpers.course.exercises.m01 import middleware
    from helpers.course.exercises.m01.quoting import (
        Result,
        Said,
        answered,
        right_answers,
        spoken,
        spoken_at_once,
    )
    from helpers.course.exercises.m01.retrievers import BOOTS, NoDocuments, OnePassage

    slips = [
        *middleware.slips("wrap_model_call"),
        Slip.when(
            "asks-otherwise",
            lambda got: "model asked" in got,
            "Call handler(request) once, with the request as it is.",
        ),
        Slip.when(
            "changes-messages",
            lambda got: "messages" in got,
            "The conversation was changed: make a new message, or change the reply.",
        ),
        Slip.when(
            "no-reply",
            lambda got: "returned" in got,
            "Return the reply, another AIMessage, or a ModelResponse whose result ends in one.",
        ),
    ]
    remade = Slip.when(
        "remade",
        lambda got: got.get("reply") == "changed",
        "Here the reply passes as it is, with all that it holds: return the response.",
    )
    boots = Result(BOOTS.excerpt, "passages")
    order = Result("Order FH-10742: It was delivered on 2 June 2026.", "order")
    refused = Result("Order FH-10001: There is no order FH-10001 on your account.", "refused")
    nothing = Result("Nothing was found.", "nothing")

    def alone(
        name: str,
        turns: "Sequence[Turn]",
        said: "Said",
        expect: str,
        *more: Slip,
        calls: Sequence[str] = (),
        about: str,
    ) -> Case:
        return Case(
            name,
            call=lambda: answered(answer, turns, said),
            show=told(turns, said),
            expect={"answer": expect, "calls": list(calls)},
            slips=[*slips, *more, remade],
            about=about,
        )

    yield alone(
        "a search found something",
        [[[boots]]],
        Said("For 5 years."),
        boots.text,
        Slip.when(
            "models-words",
            lambda got: got["answer"] == "For 5 years.",
            "These are the model's words, and the document says otherwise.",
        ),
        Slip.when(
            "whole-document",
            lambda got: "5 years" in got["answer"],
            "That is more than the tool's message says: quote its text alone.",
        ),
        about="turn",
    )
    yield alone(
        "two tools have spoken",
        [[[order], [boots]]],
        Said("It came in June."),
        f"{order.text} {boots.text}",
        Slip.when(
            "joined",
            lambda got: got["answer"] == order.text + boots.text,
            "One space belongs between two texts.",
        ),
        Slip.when(
            "backwards",
            lambda got: got["answer"] == f"{boots.text} {order.text}",
            "The lookup came first: keep the order.",
        ),
        Slip.when(
            "one-alone",
            lambda got: got["answer"] in (order.text, boots.text),
            "Two tools have spoken: the text of one is missing.",
        ),
        Slip.when(
            "around",
            lambda got: f"{order.text} {boots.text}" in got["answer"],
            "The answer is these texts and nothing else.",
        ),
        about="turn",
    )
    yield alone(
        "the model wants another tool",
        [[[boots]]],
        Said("Let me ask a colleague.", ("hand_over",)),
        "Let me ask a colleague.",
        Slip.when(
            "drops-calls",
            lambda got: not got["calls"],
            "The model's next call is lost: nobody was called.",
        ),
        calls=["hand_over"],
        about="calls",
    )
    yield alone(
        "a tool refuses",
        [[[refused]]],
        Said("It is on its way."),
        refused.text,
        Slip.when(
            "no-refusal",
            lambda got: got["answer"] == "It is on its way.",
            "A tool's refusal is meant for the customer, too.",
        ),
        about="nothing",
    )
    yield alone(
        "nothing was found",
        [[[nothing]]],
        Said("I do not know."),
        "I do not know.",
        Slip.when(
            "quotes-nothing",
            lambda got: nothing.text in got["answer"],
            "That is what the search tells the agent, not the customer.",
        ),
        Slip.when(
            "empty",
            lambda got: not got["answer"],
            "There is no text to quote: leave the reply as it is.",
        ),
        about="nothing",
    )
    yield alone(
        "the tools spoke in an earlier turn",
        [[[boots]], []],
        Said("You are welcome."),
        "You are welcome.",
        Slip.when(
            "earlier-turns",
            lambda got: boots.text in got["answer"],
            "That answers the question before: this turn has no result.",
        ),
        about="turn",
    )
    yield generated(
        "any conversation",
        answer,
        exercise="01.6",
        inputs=_conversations(),
        used=lambda middleware: lambda turns, said: answered(middleware, turns, said),
        called=told,
        slips=slips,
        about="any",
        budget=100,
        limit=6.0,
    )

    search = {"name": "search_documents", "args": {"query": "boots"}}
    hand_over = {"name": "hand_over", "args": {"reason": "boots"}}
    other = {"name": "lookup_order", "args": {"order_id": "FH-10001"}}

    def in_an_agent(name: str, replies: "Sequence[Reply]", expect: str, *, finds: bool) -> Case:
        documents = OnePassage() if finds else NoDocuments()
        tools = [reply["name"] for reply in replies if isinstance(reply, dict)]
        return Case(
            name,
            call=lambda: spoken(answer, [replies], documents),
            show=f"the tools called and the answer, when the model wants {', then '.join(tools)}"
            f" and says {replies[-1]!r}",
            expect=(tools, expect),
            slips=slips,
            about="turn",
            after_all=True,
        )

    yield in_an_agent(
        "in an agent: a refusal, then a search",
        [other, search, "It came in June."],
        f"{refused.text} {boots.text}",
        finds=True,
    )
    yield in_an_agent("in an agent: nothing found", [search, "I think so."], REFUSAL, finds=False)
    texts = ["Footwear has a guarantee of 1 year.", "Tents have a guarantee of 5 years."]
    yield Case(
        "in two agents at the same time",
        call=lambda: spoken_at_once(answer, [[search, "Hm."], [search, hand_over, "Yes."]], texts),
        show="the second answers to two customers, whose searches find other sentences",
        expect=[f"Warranty: {text} {_TICKET}" for text in texts],
        slips=slips,
        about="turn",
        after_all=True,
    )
    asked = [one for one in questions("lab") if one.kind != "unanswerable"][3::EVERY]
    yield Case(
        "right answers of the running agent",
        call=lambda: right_answers(answer, asked),
        show=f"the friendly agent with quote around its model, on {len(asked)} lab questions",
        expect=at_least(RIGHT, of=len(asked), what="answers right"),
        limit=300,
        after_all=True,
    )


_TICKET = "Handed over: A colleague will take over. The ticket is T-0001."
_TEXTS = (
    "Order FH-10742: It is on its way.",
    "Warranty: 1 year.",
    'Two  spaces, <b>"marks"</b> & an accent, e\u0301,\nand a line. ',
    f"Returns: {'Send it back within 30 days. ' * 80}",
)
_KINDS = ("order", "passages", "plain", "blocks", "refused", "nothing")


def _conversations() -> st.SearchStrategy[tuple[Any, ...]]:
    """Up to two earlier turns, this one, and what the model says in the end."""
    from helpers.course.exercises.m01.quoting import EMPTY_ARTIFACTS, Result, Said

    text = st.sampled_from((*_TEXTS, *_TEXTS, ""))
    kind = st.sampled_from((*_KINDS, *_KINDS, *EMPTY_ARTIFACTS))
    results = st.lists(st.builds(Result, text, kind), min_size=1, max_size=2)
    turns = st.lists(st.lists(results, max_size=2), min_size=1, max_size=3)
    said = st.builds(
        Said,
        st.sampled_from(("It is so.", "", _TEXTS[1])),
        st.sampled_from(((), (), ("hand_over",), ("my_orders", "search_documents"))),
        st.sampled_from(("", "", "Thinking.")),
    )
    return st.tuples(turns, said).filter(lambda made: _is_clear(made[0][-1]))


def _is_clear(turn: "Turn") -> bool:
    """Whether all who follow the statement give one answer: they do not if the first text is empty.

    An answer that is joined text by text then starts without a space, and one that has only empty
    texts may be taken for none.
    """
    texts = [result.text for results in turn for result in results if result.kind != "nothing"]
    return not texts or bool(texts[0])


def told(turns: "Sequence[Turn]", said: "Said") -> str:
    """A conversation as a card writes it, a line a message."""
    lines = []
    for turn in turns:
        lines.append("Customer: And what about this?")
        lines += [
            f"Tool: {result.text!r}" + f" ({result.kind})" * (result.kind != "plain")
            for results in turn
            for result in results
        ]
    calls = f", and calls {', '.join(said.tools)}" if said.tools else ""
    return "\n".join([*lines, f"Model: {said.words!r}{calls}"])
