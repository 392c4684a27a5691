"""Exercise 06.3: a deployment that keeps state."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m06.desks import Desk


class CalledDirectly(TypeError):  # noqa: N818 - it says what is wrong
    """A method of the actor was called without `.remote`."""


class NoTurns(TypeError):  # noqa: N818 - it says what is wrong
    """What should be a list of turns is none."""


class _Given:
    """Answers questions, and remembers conversations."""

    def __init__(
        self,
        search: Callable[[str], Awaitable[str]],
        write: Callable[[str, list[tuple[str, str]], str], Awaitable[str]],
        memory: Any,
    ) -> None:
        self.search, self.write, self.memory = search, write, memory
        self.passages: dict[str, str] = {}
        self.answers: dict[str, str] = {}
        self.turns: dict[str, list[tuple[str, str]]] = {}
        self.count = 0

    async def ask(self, request: str, conversation: str, question: str) -> str:
        """The answer to a question, the same one when the request comes again."""
        turns = self.turns.setdefault(conversation, [])
        if question not in self.passages:
            self.passages[question] = await self.search(question)
        if question not in self.answers:
            passage = self.passages[question]
            self.answers[question] = await self.write(question, turns, passage)
        turns.append((question, self.answers[question]))
        self.count += 1
        return self.answers[question]

    async def history(self, conversation: str) -> list[tuple[str, str]]:
        """The turns of a conversation, oldest first."""
        return self.turns.get(conversation, [])

    async def asked(self) -> int:
        """How many requests were answered."""
        return self.count


_TURNS = [("Weight?", "Weight? 1"), ("Pegs?", "Pegs? 1"), ("Colour?", "Colour? 1")]
_SAME = [("Weight?", f"Weight? {n}") for n in (1, 2, 3)]
_ONCE = {
    "different texts": 1,
    "history": ["Weight?", "Pegs?"],
    "the text is that of the turn": True,
}


_IN_ANY_CASE = (
    Slip.raises(
        "no-remote",
        CalledDirectly,
        "A method of an actor is called with .remote(...), and what it returns is awaited.",
    ),
    Slip.raises(
        "no-turns",
        NoTurns,
        "Turns are a list everywhere: an empty one where there are none.",
    ),
)


@exercise(
    "06.3",
    title="Make a deployment safe that keeps state",
    starter=_Given,
    hints=[
        "Go through the attributes of self. Which one may differ between two replicas, or be lost,"
        " without anyone noticing? That one stays.",
        Hint(
            "Two calls of the actor are not atomic together: between get and put another replica"
            " writes. put_new reads and writes in one call.",
            "together",
        ),
        Hint(
            'Store a turn under its request: put_new(("turns", conversation), request, turn)'
            " stores it once, and returns the one that is there.",
            "retry",
        ),
        Hint(
            "A number that is added to counts a retry again. A set of requests does not: put_new"
            " each one, and asked() is how many fields there are.",
            "count",
        ),
        Hint(
            "Where the replica died nobody knows, so let the retry do every step again that can be"
            " missing. It must not matter that a step is done twice.",
            "death",
        ),
        Hint(
            "What has failed must leave nothing: keep a passage when search has returned it, and a"
            " turn and its count when write has.",
            "failure",
        ),
        Hint(
            'Names joined by a sign can look the same: "a/b" and "c", "a" and "b/c". A tuple keeps'
            " them apart.",
            "names",
        ),
        Hint(
            "write gets what history returns: every pair of question and text, in their order.",
            "turns",
        ),
        Hint("An answer depends on its conversation: use none for another one.", "private"),
        Hint("A passage depends on the question alone: keep it in self, by question.", "passages"),
    ],
)
def desk(answer: "Desk") -> Iterator[Case]:
    """Replicas of a class that share an actor, through retries and deaths."""
    from helpers.course.exercises.m06 import desks

    yield Case(
        "two replicas in turn, then a new one",
        call=lambda: desks.in_turn(answer),
        show='ask("r0", "c1", "Weight?") on one replica, then "Pegs?" on another, ...',
        expect={
            "texts": [text for _, text in _TURNS],
            "turns that write saw": [_TURNS[:2]],
            "history on the second": _TURNS,
            "history on a new one": _TURNS,
            "history of nobody": [],
            "asked, on a new one": 3,
        },
        slips=[
            Slip.when(
                "own-turns",
                lambda got: got["history on a new one"] != _TURNS,
                "The turns are in the replicas: each one knows a part, and a new one nothing.",
            ),
            Slip.when(
                "own-count",
                lambda got: got["asked, on a new one"] != 3,
                "Each replica counts for itself, and a new one begins at 0.",
            ),
            Slip.when(
                "kept-turns",
                lambda got: got["history on the second"] != _TURNS,
                "A replica that has read the turns once does not see those of the others.",
            ),
            Slip.when(
                "blind",
                lambda got: got["turns that write saw"] != [_TURNS[:2]],
                "write gets the turns so far, of all replicas, oldest first, without the new one.",
            ),
            *_IN_ANY_CASE,
        ],
    )
    yield Case(
        "the same question in three conversations",
        call=lambda: desks.private(answer),
        show='ask("r1", conversation, "My address?") for c1, c2 and c3',
        expect={
            "texts": ["My address? 1", "My address? 2", "My address? 3"],
            "turns that write saw": [],
            "asked, on each": [3, 3],
        },
        slips=[
            Slip.when(
                "shared-answer",
                lambda got: got["texts"][0] in got["texts"][1:],
                "One customer got the text that was written for another one.",
            ),
            Slip.when(
                "shared-turns",
                lambda got: got["turns that write saw"] != [],
                "write got turns of another customer.",
            ),
            Slip.when(
                "own-count",
                lambda got: len({*got["asked, on each"]}) > 1,
                "Each replica counts for itself.",
            ),
            Slip.when(
                "shared-request",
                lambda got: got["asked, on each"] != [3, 3],
                "Two conversations may use the same request: these are two.",
            ),
            *_IN_ANY_CASE,
        ],
        about="private",
    )
    yield Case(
        "the same question again, as another request",
        call=lambda: desks.another_request(answer),
        show='ask(request, "c1", "Weight?") for r0, r1 and r2, on two replicas',
        expect={"texts": [text for _, text in _SAME], "history": _SAME, "asked": 3},
        slips=[
            Slip.when(
                "by-question",
                lambda got: len({*got["texts"]}) < 3 or len(got["history"]) < 3,
                "Another request is another turn, even if its question came before.",
            ),
            *_IN_ANY_CASE,
        ],
        about="retry",
    )
    yield Case(
        "a long conversation",
        call=lambda: desks.long_conversation(answer),
        show=f"{desks.LONG} requests in one conversation, on two replicas in turn",
        expect={
            "requests whose write saw all turns, oldest first": desks.LONG,
            "turns in the history": desks.LONG,
        },
        slips=[
            Slip.when(
                "part-of-the-turns",
                lambda got: got["turns in the history"] == desks.LONG,
                "write did not always get all turns so far, in their order.",
            ),
            *_IN_ANY_CASE,
        ],
        about="turns",
    )
    yield Case(
        "names that look the same when they are joined",
        call=lambda: desks.alike(answer),
        show='ask("a", "a/a", "a"), ask("a/a", "a", "a") and ask("a", "a", "a/a"); the same with'
        " other signs",
        expect=[],
        slips=[
            Slip.when(
                "joined",
                lambda got: len(got) > 0,
                "Different requests were taken for one: their names, joined by a sign, are the"
                " same text.",
            ),
            *_IN_ANY_CASE,
        ],
        about="names",
    )
    yield Case(
        "twelve requests at the same time",
        call=lambda: desks.at_once(answer),
        show="four requests in each of three conversations, all at once, on two replicas",
        expect={
            "texts of others": 0,
            "turns": [sorted(f"question {n}" for n in range(c, 12, 3)) for c in range(3)],
            "asked": [12, 12, 12],
        },
        slips=[
            Slip.when(
                "lost-turns",
                lambda got: sum(map(len, got["turns"])) < 12 and got["asked"][0] == 12,
                "Turns are lost: between reading a list and writing it, another one was written.",
            ),
            Slip.when(
                "lost-count",
                lambda got: got["asked"][0] == got["asked"][2] < 12,
                "Requests are not counted: between reading the number and writing it, others did.",
            ),
        ],
        about="together",
    )
    yield Case(
        "a request that comes again",
        call=lambda: desks.asked_again(answer, together=False),
        show='ask("r1", "c1", "Pegs?") three times, on two replicas',
        expect=_ONCE | {"texts written": 1, "empty texts written": 1},
        slips=[
            Slip.when(
                "two-turns",
                lambda got: len(got["history"]) > 2,
                "A retry became a turn of its own.",
            ),
            Slip.when(
                "written-again",
                lambda got: got["texts written"] > 1,
                "The text is there already: do not write another one.",
            ),
            Slip.when(
                "empty-again",
                lambda got: got["empty texts written"] > 1,
                "An empty text is an answer, too: only None says that there is none.",
            ),
            *_IN_ANY_CASE,
        ],
        about="retry",
    )
    yield Case(
        "a request that comes again, counted",
        call=lambda: desks.counted(answer),
        show="r1 three times and r2 once, on two replicas; then asked() on each",
        expect=[2, 2],
        slips=[
            Slip.when("counted-again", lambda got: got == [4, 4], "A retry was counted again."),
            *_IN_ANY_CASE,
        ],
        about="count",
    )
    yield Case(
        "a request that comes again while it runs",
        call=lambda: desks.asked_again(answer, together=True),
        show="the same three times at once",
        expect=_ONCE | {"asked": 2},
        slips=[
            Slip.when(
                "two-turns-at-once",
                lambda got: len(got["history"]) > 2,
                "Each of them found nothing and added a turn.",
            ),
            Slip.when(
                "counted-at-once", lambda got: got["asked"] > 2, "It was counted more than once."
            ),
            Slip.when(
                "two-texts",
                lambda got: got["different texts"] > 1 or not got["the text is that of the turn"],
                "Two of them returned different texts: return the one that is stored.",
            ),
        ],
        about="together",
    )
    yield Case(
        "a replica dies at any of its calls",
        call=lambda: desks.dying(answer),
        show="a replica dies during ask, at its first call of the actor, its second ...; a new one"
        " gets the same request",
        expect=[],
        slips=[
            Slip.when(
                "half-done",
                lambda got: any("1 turns, 0 asked" in line for line in got),
                "The turn was stored, the request not counted, and the retry did not count it.",
            ),
            Slip.when(
                "turn-missing",
                lambda got: any("0 turns, 1 asked" in line for line in got),
                "The request was counted, its turn not stored, and the retry did not store it.",
            ),
            Slip.when(
                "done-twice",
                lambda got: any("2 turns" in line or "2 asked" in line for line in got),
                "What the dead replica had done was done again.",
            ),
        ],
        about="death",
    )
    for what, error in (("write", "the model is gone"), ("search", "the index is gone")):
        yield Case(
            f"{what} fails once",
            call=lambda what=what: desks.failing(answer, what),  # type: ignore[misc]
            show=f"{what} raises; then the same request comes again",
            expect={
                "ask": f"raises {error}",
                "turns and asked": (0, 0),
                "after the retry": (1, 1),
            },
            slips=[
                Slip.when(
                    f"{what}-remembered",
                    lambda got: got["turns and asked"] != (0, 0),
                    "The request failed, and something of it is remembered.",
                ),
                Slip.when(
                    "error-kept",
                    lambda got: "the retry" in got,
                    "The retry raised again what the first try raised: it was kept.",
                ),
                *_IN_ANY_CASE,
            ],
            about="failure",
        )
    yield Case(
        "searches and passages",
        call=lambda: desks.searches(answer),
        show="two questions, four times each, on two replicas",
        expect={"searches": [1, 1, 1, 1], "passages in memory": False},
        slips=[
            Slip.when(
                "passages-outside",
                lambda got: got["passages in memory"],
                "The passages went to memory: they are large, and any replica can find them.",
            ),
            Slip.when(
                "searches-again",
                lambda got: sum(got["searches"]) > 4,
                "A replica searched again for a question that it has had.",
            ),
        ],
        about="passages",
    )
