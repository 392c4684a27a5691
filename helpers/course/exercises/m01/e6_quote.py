"""Exercise 01.6: quote instead of rephrase."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, at_least, exercise, satisfies
from helpers.shop import questions

if TYPE_CHECKING:
    from helpers.course.exercises.m01.quoting import Quote
    from helpers.testbed.replies import Reply

FAST = os.environ.get("COURSE_FAST", "") not in ("", "0")
"""Smaller samples, for tests: see the design, "Time"."""

EVERY = 11 if FAST else 2
"""The step through the lab part's 64 questions that have an answer: 6 or 31 are asked."""

RIGHT = 4 if FAST else 16
"""How many of them must be answered rightly: of 31, the friendly agent answers 4, and 23 when it
quotes."""


@exercise(
    "01.6",
    title="Quote instead of rephrase",
    hints=[
        "Let the model speak first: response = handler(request). Its message is"
        " response.result[-1]. When that calls a tool, the turn is not over: return the response.",
        "This turn's messages are those after the last HumanMessage in request.messages. Which"
        " ToolMessages are among them? Their text is what the customer is to read.",
        "A search that found nothing has an empty list as its artifact: leave it out. Where no text"
        " is left, return the response.",
        "texts = [m.text for m in turn if isinstance(m, ToolMessage) and m.artifact != []], then"
        ' reply.model_copy(update={"content": " ".join(texts)}).',
    ],
)
def quote(submission: "Quote") -> Iterator[Case]:
    """A wrapper around model calls that answers with what the tools of this turn have said."""
    from helpers.agent import REFUSAL
    from helpers.course.exercises.m01.quoting import right_answers, spoken
    from helpers.course.exercises.m01.retrievers import BOOTS, NoDocuments, OnePassage

    search = {"name": "search_documents", "args": {"query": "boots"}}
    hand_over = {"name": "hand_over", "args": {"reason": "boots"}}
    look = {"name": "lookup_order", "args": {"order_id": "FH-10742"}}
    other = {"name": "lookup_order", "args": {"order_id": "FH-10001"}}

    def case(
        name: str,
        show: str,
        turns: "Sequence[Sequence[Reply]]",
        expect: object,
        slips: Sequence[tuple[Any, str]],
        *,
        finds: bool = True,
    ) -> Case:
        documents = OnePassage() if finds else NoDocuments()
        return Case(
            name,
            call=lambda: spoken(submission, turns, documents)[1],
            show=show,
            expect=expect,
            slips=slips,
        )

    yield case(
        "a search found something",
        f"the answer, when the search returns {BOOTS.excerpt!r}",
        [[search, "For 5 years."]],
        _holding(BOOTS.best, without="5 years"),
        [
            ("For 5 years.", "These are the model's words, and the document says otherwise."),
            (_holds("5 years"), "That is more than the search returned: the rest does not answer."),
        ],
    )
    yield case(
        "two tools have spoken",
        "the answer, when this turn holds a lookup of FH-10742 and a search",
        [[look, search, "It came in June."]],
        _holding("FH-10742", BOOTS.best),
        [
            (lambda got: "FH-10742" not in got, "What the lookup returned is missing."),
            (lambda got: BOOTS.best not in got, "What the search returned is missing."),
            (_holds(BOOTS.best), "The lookup came first: keep the order."),
        ],
    )
    yield Case(
        "the model wants a second tool",
        call=lambda: spoken(
            submission,
            [[search, hand_over, "A colleague will call."]],
            OnePassage(),
        )[0],
        show="the tools called, when the model first searches and then hands over",
        expect=["search_documents", "hand_over"],
        slips=[(["search_documents"], "It answered before the second call: nobody was called.")],
    )
    yield case(
        "a tool refuses",
        "the answer, when lookup_order is asked for an order of somebody else",
        [[other, "It is on its way."]],
        _holding("no order FH-10001"),
        [("It is on its way.", "A refusal of a tool is a sentence for the customer, too.")],
    )
    yield case(
        "nothing was found",
        "the answer, when the search comes back without a passage",
        [[search, ""]],
        REFUSAL,
        [
            (IndexError, "The artifact of such a search is an empty list."),
            ("", "There is no text to quote: leave the agent's own answer."),
            (
                _holds("Nothing"),
                "That is what the search tells the agent, not the customer.",
            ),
        ],
        finds=False,
    )
    yield case(
        "the tools spoke in an earlier turn",
        "the second answer, when the customer has only said thank you",
        [[search, "For 5 years."], ["You are welcome."]],
        "You are welcome.",
        [(_holds(BOOTS.best), "That answers the question before: this turn has no result.")],
    )
    asked = [one for one in questions("lab") if one.kind != "unanswerable"][3::EVERY]
    yield Case(
        "right answers of the running agent",
        call=lambda: right_answers(submission, asked),
        show=f"the friendly agent with quote around its model, on {len(asked)} lab questions",
        expect=at_least(RIGHT, of=len(asked), what="answers right"),
        limit=300,
    )


def _holds(text: str) -> Callable[[Any], bool]:
    return lambda got: isinstance(got, str) and text in got


def _holding(*texts: str, without: str = "") -> Expectation:
    """A text that holds these, in this order."""

    def test(got: str) -> bool:
        places = [got.find(text) for text in texts]
        return places[0] >= 0 and places == sorted(places) and not (without and without in got)

    wanted = ", then ".join(repr(text) for text in texts)
    return satisfies(f"a text with {wanted}" + f" and without {without!r}" * bool(without), test)
