"""Exercise 06.4: six faults of a Ray application are found and fixed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise
from helpers.course.exercises.m06 import given

if TYPE_CHECKING:
    from helpers.course.exercises.m06.desk import MakeDesk


@exercise(
    "06.4",
    title="Find the six faults",
    starter=given.desk_app,
    hints=[
        Hint(
            "A router knows its routes, but no app knows this router. The simplest way to mount a"
            " route is to write it on the app that the ingress serves: @api.get.",
            "mounted",
        ),
        Hint(
            "What does a client see when the model fails? The status is 200, and the text is for"
            " the developer. Raise HTTPException(502, ...) with a sentence of your own.",
            "told",
        ),
        Hint(
            "pickle.loads runs whatever the file says. JSON holds values alone: json.loads.",
            "code",
        ),
        Hint(
            "An async replica has one thread. model.invoke keeps it until the answer is there;"
            " await model.ainvoke(...) gives it to others in the meantime.",
            "blocked",
        ),
        Hint(
            "self is one replica's memory: with two replicas there are two counters, and a restart"
            " begins at 0. The store is shared, and its add gives the sum in one step.",
            "state",
        ),
        Hint(
            "By default a deployment's queue has no end. @serve.deployment takes"
            " max_ongoing_requests and max_queued_requests.",
            "queue",
        ),
        "Compare your code with the list in the statement, one sentence after the other: what"
        " worked has to stay as it is.",
    ],
)
def desk_app(answer: "MakeDesk") -> Iterator[Case]:
    """Six faults are gone, and what worked works."""
    from helpers.course.exercises.m06 import desk
    from helpers.course.exercises.m06.replicas import no_application

    none = no_application("desk_app")
    raised = [*desk.MODEL_RAISES, *desk.SEARCH_RAISES]
    yield Case(
        "GET /asked/{customer}",
        call=lambda: desk.counted(answer),
        show="GET /asked/... of a stranger; then C-1 asks twice, C-2 and C-3 once, for whom the"
        " model and the search fail; GET /asked/... of C-1, C-2, C-3 and C-9",
        expect=[{"asked": count} for count in (0, 2, 1, 1, 0)],
        slips=[
            none,
            Slip.value("never-mounted", [404] * 5, "The application has no such route."),
            Slip.when(
                "failed-not-counted",
                lambda got: got[1] == {"asked": 2} and {"asked": 0} in got[2:4],
                "A question counts also if its answer fails: count it first.",
            ),
        ],
        about="mounted",
    )
    yield Case(
        "the model or the search fails",
        call=lambda: desk.failing(answer),
        show="POST /ask where the model or the search raises, of several types, and the model also"
        " after two words",
        expect=dict.fromkeys(raised, "502"),
        slips=[
            none,
            Slip.when(
                "search-not-asked",
                lambda got: all(
                    got[name] == ("200" if "search" in name else "502") for name in raised
                ),
                "The search fails, and the desk has an answer: it has not asked it by its handle.",
            ),
            Slip.when(
                "nothing-caught",
                lambda got: got["search"] == "500" and "502" not in got.values(),
                "500 says that the desk itself is broken. What fails is behind it: 502.",
            ),
            Slip.when(
                "some-types",
                lambda got: (
                    "502" in got.values()
                    and any(one[:3] not in ("200", "502") for one in got.values())
                ),
                "Exceptions of some types go past what you catch. An HTTPException of what is"
                " behind the desk is one of them: it is not the desk's answer.",
            ),
            Slip.when(
                "traceback-sent",
                lambda got: any("tells of the exception" in one for one in got.values()),
                "The client is told what only the log should say: code, paths, or the error's text,"
                " in which there may be an address or a key.",
            ),
            Slip.when(
                "failure-is-200",
                lambda got: "200" in got.values(),
                "The status 200 says that all is well: no client and no monitor sees the failure.",
            ),
        ],
        about="told",
    )
    yield Case(
        "a file that runs code",
        call=lambda: desk.poisoned(answer),
        show="POST /ask where someone has written code into index.pkl; then into index.json, too",
        expect={"run as code": [], "source": desk.SENTENCES[1]},
        slips=[
            none,
            Slip.when(
                "eval",
                lambda got: "index.json" in got["run as code"],
                "index.json was run as Python: eval and exec run whatever the text says.",
            ),
            Slip.when(
                "pickle-as-fallback",
                lambda got: got["run as code"] == [desk.FALLBACK],
                "Where index.json cannot be read, index.pkl was run in its place: anyone who writes"
                " the one can break the other.",
            ),
            Slip.when(
                "code-on-load",
                lambda got: got["run as code"] != [],
                "What the file said was run: pickle.load runs code that the file names.",
            ),
        ],
        about="code",
    )
    yield Case(
        "four ask at once",
        call=lambda: desk.four_at_once(answer),
        show="four customers POST /ask to one replica at the same moment",
        expect={"answered": 4, "most at the model": 4},
        slips=[
            none,
            Slip.value(
                "one-at-a-time",
                {"answered": 4, "most at the model": 1},
                "One after another: while the model writes, the replica's only thread waits in a"
                " call that blocks.",
            ),
        ],
        about="blocked",
    )
    yield Case(
        "two replicas, and a third one later",
        call=lambda: desk.two_replicas(answer),
        show="C-1 asks one replica, the other, and the first; GET /asked/C-1 of both; then both"
        " eight times at once; then both routes of a replica that has replaced them",
        expect=desk.told_once(),
        slips=[
            none,
            Slip.when(
                "own-counter",
                lambda got: got["in turn"] == [1, 1, 2],
                "Each replica counts for itself, in its own memory.",
            ),
            Slip.when(
                "own-number-told",
                lambda got: (
                    got["in turn"] == [1, 2, 3] and got["GET of each replica"][:2] != [3, 3]
                ),
                "GET does not tell what POST /ask told: it must read the same number of the store,"
                " not what one replica has counted.",
            ),
            Slip.when(
                "number-of-later",
                lambda got: got["after a restart"] == 12,
                "All are counted, but an answer gives a number in which later questions are: take"
                " the sum that add returns, before the model writes.",
            ),
            Slip.when(
                "read-then-write",
                lambda got: len(set(got["eight at once"])) < len(got["eight at once"]),
                "Two replicas read the same number before one of them has written.",
            ),
        ],
        about="state",
    )
    yield Case(
        "an end to the queue",
        call=lambda: desk.limits(answer),
        show="the limits of the two deployments",
        expect={
            "max_ongoing_requests": 8,
            "max_queued_requests": 16,
            "the search refuses": False,
        },
        slips=[
            none,
            Slip.when(
                "no-end",
                lambda got: got["max_queued_requests"] == -1,
                "-1 is the default: any number of requests may wait, each longer than the last.",
            ),
            Slip.when(
                "search-refuses",
                lambda got: got["the search refuses"],
                "Two desks send up to 16 requests to the search. With these limits it refuses some,"
                " and the desk answers 502.",
            ),
        ],
        about="queue",
    )
    yield Case(
        "what worked",
        call=lambda: desk.still_works(answer),
        show="POST /ask to a desk, to one with another index and model; bodies that are no Asked",
        expect=desk.works(),
        slips=[none],
        about="stays",
    )
    yield Case(
        "its parts",
        call=lambda: desk.parts(answer),
        show="the deployments of the application",
        expect={"replicas of the desk": 2, "deployments beside it": 1},
        slips=[
            none,
            Slip.when(
                "one-replica",
                lambda got: got["replicas of the desk"] == 1,
                "One replica has one memory, but nothing that answers while it is replaced.",
            ),
        ],
        about="stays",
    )
