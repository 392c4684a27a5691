"""Exercise 03.4: the sentences of a streamed answer, each after a look."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise, generated

if TYPE_CHECKING:
    from helpers.course.exercises.m03.streaming import Guarded


@exercise(
    "03.4",
    title="Filter an answer while it streams",
    hints=[
        "A piece is not a unit: a secret may begin in one piece and end in another. Put each piece"
        " behind what you still hold, and let out only what is complete.",
        Hint(
            r're.split(r"(?<=[.!?])(?=\s)", held) cuts behind each sign that has white space behind'
            " it, and keeps every character. The last part is not complete yet: hold it.",
            "sentences",
        ),
        Hint(
            "Keep one text with everything that went out. Add the new sentence, ask leaks about the"
            " sum, and only then yield the sentence.",
            "leaks",
        ),
        Hint(
            "yield in the loop over the sentences, inside the loop over the pieces: a generator"
            " stops there until the next text is wanted, and has read no further.",
            "order",
        ),
        Hint(
            "After yield WITHHELD comes return. Without it the loop goes on reading.",
            "end",
        ),
        Hint(
            "After the loop, what you still hold is the last sentence, if it is not empty. It needs"
            " the same look. There is no need for try or finally.",
            "last",
        ),
        Hint("Everything that belongs to one answer is a variable inside guarded.", "apart"),
    ],
)
def guarded(answer: "Guarded") -> Iterator[Case]:
    """What comes out, and in which order it was read, asked about and let out."""
    from helpers.course.exercises.m03 import streaming as given
    from helpers.course.exercises.m03.streaming import WITHHELD

    broken = [
        Slip.raises(
            "no-stream",
            given.NotAStream,
            "guarded is a plain generator function: it yields texts, and is not async.",
        ),
    ]

    def comes_out(
        name: str, pieces: Sequence[str], expect: list[str], about: str, *slips: Slip
    ) -> Case:
        return Case(
            name,
            call=lambda: given.out(answer, pieces),
            show=f"list({given.told(pieces)})",
            expect=expect,
            slips=[*slips, *broken],
            about=about,
        )

    def happens(
        name: str,
        pieces: Sequence[str | Exception],
        expect: list[str],
        about: str,
        *slips: Slip,
    ) -> Case:
        return Case(
            name,
            call=lambda: given.steps(answer, pieces),
            show=f"what is read, asked and let out, in turn, of {list(pieces)!r}",
            expect=expect,
            slips=[*slips, *broken],
            about=about,
        )

    yield comes_out(
        "the example",
        given.EXAMPLE,
        ["It weighs 2.1 kg.", WITHHELD],
        "leaks",
        Slip.when("secret-out", lambda got: given.leaks("".join(got)), "The secret is out."),
        Slip.when(
            "half-out",
            lambda got: "The co" in "".join(got),
            "A part of the sentence with the secret is out: it was let go before its end.",
        ),
        Slip.when(
            "decimal",
            lambda got: got[0] == "It weighs 2.",
            "The point in 2.1 has no white space behind it. At the end of a piece, nobody knows yet"
            " what comes next: hold it.",
        ),
        Slip.when(
            "all-or-nothing",
            lambda got: got == [WITHHELD],
            "The first sentence is harmless. Look at each sentence, when it is complete.",
        ),
    )
    yield comes_out(
        "an honest answer",
        given.HONEST,
        [
            "Pack light, e.g.",
            " a tent.",
            " It weighs 2.1 kg!",
            "\nReally?!",
            " Yes...",
            " The shop (it is open.) says “Hello.” and\u00a0waves.",
            "\t",
        ],
        "sentences",
        Slip.when(
            "changed",
            lambda got: "".join(got) != "".join(given.HONEST),
            "Joined, the texts are not the answer as it was: the white space between two sentences"
            " belongs to the second one, and nothing is left out.",
        ),
        Slip.when(
            "whole-pieces",
            lambda got: [text for text in given.HONEST if text] == [text for text in got if text],
            "The pieces come out as they came in. Let out whole sentences.",
        ),
    )
    yield happens(
        "step by step",
        ["One. T", "wo. Three? F", "our"],
        [
            *("read 'One. T'", "asked 'One.'", "out 'One.'"),
            *("read 'wo. Three? F'", "asked 'One. Two.'", "out ' Two.'"),
            *("asked 'One. Two. Three?'", "out ' Three?'"),
            *("read 'our'", "asked 'One. Two. Three? Four'", "out ' Four'"),
        ],
        "order",
        Slip.when(
            "waits",
            lambda got: [step[:4] for step in got[:3]] == ["read"] * 3,
            "Nothing came out before all pieces were read: the customer waits for all of it.",
        ),
        Slip.when(
            "never-asks",
            lambda got: not any(step.startswith("asked") for step in got),
            "leaks was never asked.",
        ),
        Slip.when(
            "sentence-alone",
            lambda got: "asked ' Two.'" in got or "asked 'Two.'" in got,
            "Ask about everything that went out so far, together with the new sentence.",
        ),
        Slip.when(
            "asks-late",
            lambda got: got.index("out 'One.'") < got.index("asked 'One.'"),
            "Ask before the sentence goes out.",
        ),
    )
    yield comes_out(
        "a secret that is spread over sentences",
        given.SPREAD,
        ["It begins: F E R N.", " 7 Q X.", WITHHELD],
        "leaks",
        Slip.when(
            "spread-out",
            lambda got: given.leaks("".join(got)),
            "Together the sentences give the secret away: ask about all of them.",
        ),
    )
    yield happens(
        "after a leak",
        given.LEAKY,
        [
            *("read 'Sure. The co'", "asked 'Sure.'", "out 'Sure.'"),
            *("read 'de is FERN-'", "read '7QX'", "read '4, use it'", "read ' soon. Have a'"),
            "asked 'Sure. The code is FERN-7QX4, use it soon.'",
            f"out {WITHHELD!r}",
        ],
        "end",
        Slip.when(
            "goes-on",
            lambda got: any("nice day" in step for step in got),
            "After a leak nothing more is read: the rest may contain the secret again.",
        ),
    )
    yield comes_out(
        "a secret in the last sentence, without a full stop",
        ["It is not easy. It is", " FERN-", "7QX4"],
        ["It is not easy.", WITHHELD],
        "last",
        Slip.when(
            "last-not-asked",
            lambda got: given.leaks("".join(got)),
            "What is left at the end has not been looked at.",
        ),
    )
    yield comes_out("one piece", ["One. Two! Three"], ["One.", " Two!", " Three"], "last")
    yield comes_out(
        "no piece, and empty ones",
        ["", "", ""],
        [],
        "last",
        Slip.value("empty-text", [""], "An empty text is no sentence: yield nothing."),
    )
    yield happens(
        "the model fails in the middle",
        ["One. Tw", "o. Thr", given.Lost("the server is down")],
        [
            *("read 'One. Tw'", "asked 'One.'", "out 'One.'"),
            *("read 'o. Thr'", "asked 'One. Two.'", "out ' Two.'"),
            *("reading failed", "the error came out"),
        ],
        "last",
        Slip.when(
            "error-lost",
            lambda got: got[-1] != "the error came out",
            "The error is lost, and half an answer looks like a whole one.",
        ),
    )
    yield Case(
        "leaks fails",
        call=lambda: [given.failing(answer, given.HONEST, at) for at in (1, 3)],
        show="what comes out when leaks raises an error, the first time and the third time",
        expect=[["(the error)"], ["Pack light, e.g.", " a tent.", "(the error)"]],
        slips=broken,
        about="end",
    )
    yield Case(
        "any error",
        call=lambda: given.errors_lost(answer),
        show="what comes out when the pieces or leaks raise, in turn, errors of many types",
        expect=[],
        slips=[
            Slip.when(
                "some-errors-lost",
                lambda got: bool(got),
                "An error of the pieces or of leaks goes to the reader as it is, of whatever type.",
            ),
            *broken,
        ],
        about="last",
    )
    yield Case(
        "the reader stops early",
        call=lambda: given.left_early(answer, given.LEAKY, 1),
        show=f"what is read, asked and let out, in turn, of {list(given.LEAKY)!r}, of which the"
        " reader wants one text and then calls close()",
        expect=["read 'Sure. The co'", "asked 'Sure.'", "out 'Sure.'"],
        slips=broken,
        about="end",
    )
    yield Case(
        "every white space, and other signs",
        call=lambda: given.cut_wrongly(answer),
        show="what comes out of short texts, where it is not what the rules say",
        expect=[],
        slips=[
            Slip.when(
                "other-ends",
                lambda got: bool(got),
                "A sentence ends after . ! or ? if white space comes next, whatever else is there.",
            ),
            *broken,
        ],
        about="sentences",
    )
    yield Case(
        "a long answer",
        call=lambda: given.long_answer(answer),
        show="what is wrong with an answer of 122 sentences, one of them of 10,000 signs, where"
        " leaks finds the first one together with the last one but one",
        expect=[],
        slips=[
            Slip.when(
                "forgets",
                lambda got: bool(got),
                "There is no limit to the length of an answer or of a sentence. leaks looks at"
                " everything that went out, from its beginning.",
            ),
            *broken,
        ],
        about="leaks",
    )
    yield generated(
        "several answers at the same time",
        answer,
        exercise="03.4",
        inputs=given.several(),
        called=lambda answers, turns: (
            f"what is read, asked and let out of {answers!r}, one text in turn of those with the"
            f" numbers {turns!r}, and then the rest"
        ),
        used=lambda one: lambda answers, turns: given.in_turns(one, answers, turns),
        slips=broken,
        about="apart",
        budget=40,
    )
    yield generated(
        "any answer, cut anywhere",
        answer,
        exercise="03.4",
        inputs=given.inputs(),
        called=lambda pieces, secret: (
            f"what is read, asked and let out of {pieces!r}, where leaks finds {secret!r} among the"
            " letters and digits"
        ),
        used=lambda one: lambda pieces, secret: given.steps(one, pieces, secret),
        slips=broken,
        about="sentences",
        budget=100,
    )
