"""Exercise 05.7: a chat page that asks once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from helpers.course.exercises import Case, Hint, Slip, exercise, generated

if TYPE_CHECKING:
    from helpers.course.exercises.m05.pages import Page, Step

HEAVY, PEGS = "How heavy is it?", "And the pegs?"
PICTURE = "![x](https://example.com/?order=FH-10742)"


@exercise(
    "05.7",
    title="A chat page that asks once",
    hints=[
        "Keep the turns of the conversation in st.session_state, and draw all of them in every run."
        " A turn has a message, the text so far, and what has become of it.",
        Hint(
            "Add the turn to the state before you call ask, and note in it that it was asked. So a"
            " run that ends in the middle leaves a turn that is not asked again.",
            "once",
        ),
        Hint(
            "slot = st.empty(), then slot.text(text_so_far) after each piece: it replaces what the"
            " slot showed before.",
            "stream",
        ),
        Hint(
            "Keep str(error) in the turn: what st.error draws in one run is gone in the next.",
            "failure",
        ),
        Hint(
            "st.button(label, on_click=function) calls the function before the script runs: let it"
            " mark the last turn as not asked, and the loop that draws the turns asks it.",
            "again",
        ),
    ],
)
def page(answer: "Page") -> Iterator[Case]:
    """A chat page, run by Streamlit without a browser."""
    from helpers.course.exercises.m05 import pages
    from helpers.course.exercises.m05.pages import Again, Answer, Run, Say

    def case(name: str, *steps: "Step", about: str, expect: Any = None, slips: Any = ()) -> Case:
        return Case(
            name,
            call=lambda: pages.played(answer, *steps),
            show=pages.told(*steps),
            expect=expect,
            slips=[*_SLIPS, *slips],
            about=about,
        )

    whole, sorry, again = "It weighs 2.1 kg.", f"error: {pages.SORRY}", f"button: {pages.AGAIN}"
    written = ["It weighs", whole]
    two = [f"user: {HEAVY}", f"assistant: {whole}", f"user: {PEGS}", "assistant: 0.4 kg."]
    pegs = Answer(("0.4 ", "kg."))

    def seen(asked: list[str], page: list[str], last: list[str]) -> dict[str, Any]:
        return {"asked": asked, "page": page, "while the last answer was written": last}

    failed = [
        Slip.when(
            "turn-lost",
            lambda got: two[0] not in got["page"],
            "The failed question is gone, and the customer has to type it again.",
        ),
        Slip.when(
            "other-error",
            lambda got: sorry not in got["page"] and "error: " in "\n".join(got["page"]),
            "The error's own text is the sentence for the customer: show str(error).",
        ),
        Slip.when(
            "error-gone",
            lambda got: sorry not in got["page"],
            "The next run does not show the error any more.",
        ),
        Slip.when("no-button", lambda got: again not in got["page"], _NO_BUTTON),
        Slip.when(
            "button-not-last",
            lambda got: got["page"][-1] != again,
            "The page ends with the button: draw it below the conversation.",
        ),
        Slip.when(
            "asks-again",
            lambda got: len(got["asked"]) > 2,
            "A run for another reason asked the service again: each message is asked once.",
        ),
        Slip.when(
            "pieces-lost",
            lambda got: "assistant: " in got["page"] and "It weighs" in got[WRITTEN],
            "The pieces that came are gone.",
        ),
    ]

    def retried(times: int) -> list[Slip]:
        """What may be wrong after a click on the button; so many requests are right."""

        def lines(got: dict[str, Any]) -> list[str]:
            return list(got["page"] if "page" in got else got["page 1"])

        def is_old(line: str) -> bool:
            return "Hm" in line or (line.endswith(whole) and line != two[1])

        return [
            Slip.when(
                "asked-as-new",
                lambda got: lines(got).count(two[0]) > 1,
                "The question appears twice: the new answer takes the old one's place.",
            ),
            Slip.when(
                "not-asked-again",
                lambda got: len(got["asked"]) < times,
                "A click on the button asks the same message once more; here nothing was asked.",
            ),
            Slip.when(
                "asked-too-often",
                lambda got: len(got["asked"]) > times,
                "A click on the button asks once; here the service was asked more often.",
            ),
            Slip.when(
                "old-error-stays",
                lambda got: sorry in lines(got),
                "The old error is still there: what comes of the click takes its place.",
            ),
            Slip.when(
                "old-pieces-stay",
                lambda got: any(map(is_old, lines(got))),
                "The pieces from before the click are still there: the new ones take their place.",
            ),
            Slip.when(
                "old-while-written",
                lambda got: any(sorry in text or "Hm" in text for text in got[WRITTEN]),
                "While the new answer is written, the old pieces or the old error are still there.",
            ),
        ]

    yield case(
        "a question",
        Say(HEAVY),
        expect=seen([HEAVY], two[:2], written),
        slips=[
            Slip.when(
                "not-streamed",
                lambda got: got["page"] == two[:2] and got[WRITTEN] != written,
                "The answer appears at its end: show what has come after each piece.",
            )
        ],
        about="stream",
    )
    yield case(
        "two questions, and three runs for other reasons",
        *(Say(HEAVY), Run(), Say(PEGS, pegs), Run(), Run()),
        expect=seen([HEAVY, PEGS], two, ["0.4", "0.4 kg."]),
        slips=[
            Slip.when(
                "asks-again",
                lambda got: len(got["asked"]) > 2,
                "A run for another reason asked the service again: each message is asked once.",
            ),
            Slip.when(
                "forgets",
                lambda got: len(got["page"]) < 4,
                "A part of the conversation is gone: every run draws all of it.",
            ),
        ],
        about="once",
    )
    many = [(f"Question {number}?", f"Answer {number}.") for number in range(1, 13)]
    yield case(
        "twelve questions",
        *(Say(question, Answer((text,))) for question, text in many),
        expect=seen(
            [question for question, _ in many],
            [line for turn in many for line in (f"user: {turn[0]}", f"assistant: {turn[1]}")],
            ["Answer 12."],
        ),
        slips=[
            Slip.when(
                "forgets",
                lambda got: len(got["page"]) < 24,
                "A part of the conversation is gone: every run draws all of it.",
            ),
        ],
        about="once",
    )
    yield case(
        "the same question twice",
        *(Say(HEAVY), Say(HEAVY, pegs)),
        expect=seen([HEAVY, HEAVY], [*two[:2], two[0], two[3]], ["0.4", "0.4 kg."]),
        about="once",
    )
    yield case(
        "white space, then a question with white space around it",
        *(Say("  "), Say("\n\t"), Say(f"  {HEAVY} ")),
        expect=seen([f"  {HEAVY} "], two[:2], written),
        slips=[
            Slip.when(
                "asks-blanks",
                lambda got: any(not one.strip() for one in got["asked"]),
                "A message of white space alone was asked.",
            ),
            Slip.when(
                "trimmed",
                lambda got: got["asked"] == [HEAVY],
                "The message goes to ask as it is, with its white space.",
            ),
        ],
        about="once",
    )
    yield case(
        "a picture in the question and in the answer",
        Say(f"Is this it? {PICTURE}", Answer((PICTURE, " <b>is</b> **it**."))),
        expect=seen(
            [f"Is this it? {PICTURE}"],
            [f"user: Is this it? {PICTURE}", f"assistant: {PICTURE} <b>is</b> **it**."],
            [PICTURE, f"{PICTURE} <b>is</b> **it**."],
        ),
        about="stream",
    )
    for name, broken, text in (
        ("the service cannot be reached", Answer((), "fails"), ""),
        ("the service breaks off", Answer(("It ", "weighs"), "breaks"), "It weighs"),
    ):
        yield case(
            name,
            *(Say(PEGS, pegs), Say(HEAVY, broken), Run()),
            expect=seen(
                [PEGS, HEAVY],
                [*two[2:], two[0], f"assistant: {text}", sorry, again],
                ["It", "It weighs"] if text else [],
            ),
            slips=failed,
            about="failure",
        )
    yield case(
        "the second question is asked again: it fails once more, then it is answered",
        *(Say(PEGS, pegs), Say(HEAVY, Answer(("It ", "weighs"), "fails"))),
        Again(Answer(("Hm",), "breaks")),
        *(Run(), Again(), Run()),
        expect=seen([PEGS, *[HEAVY] * 3], [*two[2:], *two[:2]], written),
        slips=retried(4),
        about="again",
    )
    yield case(
        "another question after a failed one",
        *(Say(HEAVY, Answer((), "fails")), Say(PEGS, pegs), Run()),
        expect=seen([HEAVY, PEGS], [two[0], "assistant: ", sorry, *two[2:]], ["0.4", "0.4 kg."]),
        slips=[
            Slip.when(
                "button-for-older",
                lambda got: again in got["page"],
                "The last turn has a whole answer: there is nothing to ask again.",
            )
        ],
        about="again",
    )
    yield case(
        "Streamlit stops the script in the middle of an answer",
        *(Say(HEAVY, Answer(("It ", "weighs"), "stops")), Run()),
        expect=seen([HEAVY], [two[0], "assistant: It weighs", again], ["It", "It weighs"]),
        slips=[
            Slip.when(
                "stop-asks-again",
                lambda got: len(got["asked"]) > 1,
                "The run that follows asks the same message again.",
            ),
            Slip.when(
                "stop-loses",
                lambda got: len(got["page"]) < 2,
                "What was asked, or what came of it, is gone: keep both before and while you ask.",
            ),
            Slip.when(
                "stop-no-button",
                lambda got: got["page"] == [two[0], "assistant: It weighs"],
                'The last turn has no whole answer: it needs a button "Ask again", too.',
            ),
        ],
        about="once",
    )
    yield case(
        "asked again after a stop",
        *(Say(HEAVY, Answer(("It ", "weighs"), "stops")), Again(), Run()),
        expect=seen([HEAVY] * 2, two[:2], written),
        slips=retried(2),
        about="again",
    )
    yield case(
        "asked again after a failure, and stopped in the middle of it",
        Say(HEAVY, Answer(("Hm",), "breaks")),
        *(Again(Answer(("It ", "weighs"), "stops")), Run()),
        expect=seen([HEAVY] * 2, [two[0], "assistant: It weighs", again], ["It", "It weighs"]),
        slips=retried(2),
        about="again",
    )
    yield case(
        "two browsers",
        *(Say(HEAVY), Say(PEGS, pegs, browser=2), Run(), Run(browser=2)),
        expect={
            "asked": [HEAVY, PEGS],
            "page 1": two[:2],
            "page 2": two[2:],
            WRITTEN: ["0.4", "0.4 kg."],
        },
        slips=[
            Slip.when(
                "shared",
                lambda got: two[0] in got["page 2"] or two[2] in got["page 1"],
                "One customer reads what another one asked.",
            )
        ],
        about="once",
    )
    yield case(
        "two browsers, one of which asks again",
        Say(HEAVY, Answer(("Hm",), "fails")),
        *(Say(PEGS, pegs, browser=2), Run(), Again(), Run(browser=2)),
        expect={
            "asked": [HEAVY, PEGS, HEAVY],
            "page 1": two[:2],
            "page 2": two[2:],
            WRITTEN: written,
        },
        slips=retried(3),
        about="again",
    )
    yield generated(
        "any conversation",
        answer,
        exercise="05.7",
        inputs=_conversations(),
        used=lambda made: lambda *steps: pages.played(made, *steps),
        called=pages.told,
        slips=_SLIPS,
        budget=25,
        limit=8.0,
    )


WRITTEN = "while the last answer was written"

_NO_BUTTON = 'While the last turn has no whole answer, the page ends with st.button("Ask again").'

_SLIPS = (
    Slip.when("no-button", lambda got: "to click on" in got, _NO_BUTTON),
    Slip.raises(
        "not-caught",
        ConnectionError,
        "ask has raised a ConnectionError, and the page did not catch it: keep its text and show it"
        " with st.error.",
    ),
    Slip.when(
        "markdown",
        lambda got: any(
            "as Markdown" in line
            for lines in got.values()
            for line in (lines if isinstance(lines, list) else ())
        ),
        "This text is drawn as Markdown, so that it can load a picture from anywhere: use st.text.",
    ),
)


def _conversations() -> st.SearchStrategy[tuple[Any, ...]]:
    """Some steps of up to two browsers, of which none clicks on what is not there."""
    from helpers.course.exercises.m05.pages import Again, Answer, Run, Say

    answers = st.builds(
        Answer,
        st.lists(st.sampled_from(("One ", "two.\n", "**three** ")), max_size=2).map(tuple),
        st.sampled_from(("", "", "fails", "breaks", "stops")),
    )
    browser = st.sampled_from((1, 1, 2))
    messages = st.sampled_from((HEAVY, PEGS, f" {PEGS}", "   "))
    step = st.one_of(
        st.builds(Say, messages, answers, browser),
        st.builds(Again, answers, browser),
        st.builds(Run, browser),
    )
    return st.lists(step, min_size=1, max_size=5).map(tuple).filter(_possible)


def _possible(steps: tuple[Any, ...]) -> bool:
    """Whether each click finds the button: the last turn of its browser has no whole answer."""
    open_turn: dict[int, bool] = {}
    for step in steps:
        if hasattr(step, "message"):
            if step.message.strip():
                open_turn[step.browser] = bool(step.answer.ends)
        elif hasattr(step, "answer"):
            if not open_turn.get(step.browser):
                return False
            open_turn[step.browser] = bool(step.answer.ends)
    return True
