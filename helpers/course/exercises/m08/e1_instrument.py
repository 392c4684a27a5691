"""Exercise 08.1: metrics for a service that has none."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m08.driven import Instrument


@exercise(
    "08.1",
    title="Instrument a service that has none",
    hints=[
        "An ASGI app is an async function with (scope, receive, send). Write one inside instrument"
        " that calls `await app(scope, receive, send)`: before this call the request has arrived,"
        " and after it the whole answer has been sent.",
        Hint(
            "def instrument(...) without async: make the metrics, define `async def"
            " measured_app(scope, receive, send)` inside it, and `return measured_app`.",
            "app",
        ),
        Hint(
            "The code is in the message with which an answer starts: give the app a `send` of your"
            " own, which looks at message.get('status') and passes the message on.",
            "status",
        ),
        Hint(
            "What @app.middleware('http') gets from call_next is a response whose body is not"
            " written yet. Measure around `await app(...)`, in a middleware at the ASGI level.",
            "end",
        ),
        Hint(
            "Put `try` around `await app(...)`, and what must always happen into `finally`. A"
            " cancelled task raises CancelledError, which is not an Exception. Raise each error"
            " again.",
            "errors",
        ),
        Hint(
            'route = getattr(scope.get("route"), "path", "other"), after the app was called: before'
            " that, the route is not known.",
            "labels",
        ),
        Hint(
            "prometheus_client appends _total to a counter's name itself. Give each metric"
            " registry=registry, and the histogram buckets=buckets.",
            "names",
        ),
        Hint(
            "What belongs to one request, such as the time of its arrival, is a variable inside the"
            " function that is called for each request.",
            "apart",
        ),
        Hint(
            "time.perf_counter() gives seconds. Call it when the request arrives and when its"
            " answer has ended, keep the first value in a variable of this request, and observe the"
            " difference.",
            "seconds",
        ),
        Hint(
            "First of all: if scope['type'] != 'http': return await app(scope, receive, send)",
            "scopes",
        ),
        Hint(
            "Pass on each message as it is, in the moment in which it comes: no header more, no"
            " piece joined with another.",
            "as-before",
        ),
        "in_flight.inc() and began = time.perf_counter() before; then try, except, and in finally:"
        " in_flight.dec(), duration.labels(route).observe(...) and requests.labels(route,"
        " status).inc()",
    ],
)
def instrument(answer: "Instrument") -> Iterator[Case]:
    """Three metrics that count each request once, when its answer has ended."""
    from helpers.course.exercises.m08 import driven
    from helpers.course.exercises.m08.driven import CHAT, COUNTER, GAUGE, ORDER, counted

    slips = [
        Slip.raises(
            "no-app",
            driven.NotAnApp,
            "instrument is a plain function, and returns the app that is to be served.",
        ),
        Slip.raises(
            "default-registry",
            ValueError,
            "A second app cannot have metrics of the same name in the same registry: each has its"
            " own.",
        ),
        Slip.raises(
            "held-back",
            driven.HeldBack,
            "The customer waits for the whole answer: pass on each piece at once.",
        ),
    ]
    twice = Slip.when(
        "counted-twice",
        lambda got: any(value == 2 for name, value in got["metrics"].items() if CHAT not in name),
        "One request was counted twice.",
    )
    yield Case(
        "an app comes back",
        call=lambda: driven.returned(answer),
        show="instrument(app, registry, buckets)",
        expect="an app",
        slips=slips,
        about="app",
    )
    yield Case(
        "one request",
        call=lambda: driven.asked(answer, ["GET /orders/12"]),
        show="GET /orders/12; then the samples of the registry, without sums and buckets",
        expect={"answers": ['200 {"order":12}'], "metrics": counted({ORDER: {"200": 1}})},
        slips=[
            *slips,
            twice,
            Slip.when(
                "path",
                lambda got: any('route="/orders/12"' in name for name in got["metrics"]),
                "Each order would be a series of its own: the label is the route, with its"
                " placeholder.",
            ),
            Slip.when(
                "empty-registry",
                lambda got: not got["metrics"],
                "The registry is empty: pass registry=registry to each metric.",
            ),
            Slip.when(
                "route-too-early",
                lambda got: any('route="other"' in name for name in got["metrics"]),
                "The route is known after the app has found it, not before.",
            ),
        ],
        about="labels",
    )
    yield Case(
        "what the client gets",
        call=lambda: driven.unchanged(answer),
        show=f"{', '.join(driven.UNCHANGED)}: with metrics, compared with the app without them",
        expect=dict.fromkeys(driven.UNCHANGED, "as before"),
        slips=[
            *slips,
            Slip.when(
                "another-header",
                lambda got: any("other headers" in text for text in got.values()),
                "The app sends the same bytes as before, headers included.",
            ),
        ],
        about="as-before",
    )
    yield Case(
        "codes and errors",
        call=lambda: driven.asked(
            answer,
            [
                *("GET /orders/7", "GET /orders/8", "GET /orders/950", "GET /orders/999"),
                *("GET /orders/abc", "GET /orders/0", "GET /nowhere", "GET /orders/0"),
                *("GET /orders/9/parcels/2", "POST /orders/7"),
            ],
        ),
        show="GET orders that exist, that do not, that are no numbers, and one whose endpoint"
        " raises OrderFailed (twice); an unknown path; a parcel; POST to an order",
        expect={
            "answers": [
                '200 {"order":7}',
                '200 {"order":8}',
                '404 {"detail":"Not Found"}',
                '503 {"detail":"Service Unavailable"}',
                "422",
                "OrderFailed",
                '404 {"detail":"Not Found"}',
                "OrderFailed",
                '200 {"parcel":"9/2"}',
                '405 {"detail":"Method Not Allowed"}',
            ],
            "metrics": counted(
                {
                    ORDER: {"200": 2, "404": 1, "503": 1, "422": 1, "500": 2, "405": 1},
                    "other": {"404": 1},
                    "/orders/{number}/parcels/{parcel}": {"200": 1},
                }
            ),
        },
        slips=[
            *slips,
            Slip.when(
                "swallowed",
                lambda got: "OrderFailed" not in got["answers"],
                "The app raised an error, and the server never heard of it: raise it again.",
            ),
            Slip.when(
                "errors-not-counted",
                lambda got: (
                    f'{COUNTER}{{route="{ORDER}",status="500"}}' not in got["metrics"]
                    and got["metrics"].get(f'{COUNTER}{{route="{ORDER}",status="200"}}') == 2
                    and got["answers"].count("OrderFailed") == 2
                ),
                "Requests whose endpoint raises an error are missing, or have another status.",
            ),
            Slip.when(
                "no-other",
                lambda got: (
                    not any('route="other"' in name for name in got["metrics"])
                    and len(got["metrics"]) > 1
                ),
                'A path that the app does not have is counted with the route "other".',
            ),
            Slip.when(
                "other-too-often",
                lambda got: any(
                    'route="other"' in name and (value > 1 or '"405"' in name)
                    for name, value in got["metrics"].items()
                ),
                "Where a path of the app matches, its route is the label, whatever the status: an"
                " order that does not exist, or a method that is not allowed.",
            ),
        ],
        about="status",
    )
    yield Case(
        "a stream, in the middle and at its end",
        call=lambda: driven.in_the_middle(answer, "goes on"),
        show="GET /orders/7, then POST /chat, whose second piece is held back for a while",
        expect={
            "in the middle": counted({ORDER: {"200": 1}}, 1),
            "end": "200 It is on its way.",
            "after it": counted({ORDER: {"200": 1}, CHAT: {"200": 1}}),
        },
        slips=[
            *slips,
            Slip.when(
                "head-only",
                lambda got: any(CHAT in name for name in got["in the middle"]),
                "The stream is counted when it begins: that is the time to its first byte.",
            ),
            Slip.when(
                "not-in-flight",
                lambda got: got["in the middle"].get(GAUGE) == 0,
                "The stream is still being written, and the gauge says that nothing is.",
            ),
        ],
        about="end",
    )
    yield Case(
        "a stream that breaks",
        call=lambda: driven.in_the_middle(answer, "breaks"),
        show="GET /orders/7, then POST /chat, whose generator raises OrderFailed after one piece",
        expect={
            "in the middle": counted({ORDER: {"200": 1}}, 1),
            "end": "OrderFailed",
            "after it": counted({ORDER: {"200": 1}, CHAT: {"500": 1}}),
        },
        slips=[
            *slips,
            Slip.when(
                "broken-is-200",
                lambda got: any(CHAT in n and '"200"' in n for n in got["after it"]),
                "Half an answer is no success: its head said 200, and then the app failed.",
            ),
        ],
        about="errors",
    )
    yield Case(
        "a client leaves",
        call=lambda: driven.in_the_middle(answer, "is cancelled"),
        show="GET /orders/7, then POST /chat, whose task is cancelled after one piece",
        expect={
            "in the middle": counted({ORDER: {"200": 1}}, 1),
            "end": "CancelledError",
            "after it": counted({ORDER: {"200": 1}, CHAT: {"499": 1}}),
        },
        slips=[
            *slips,
            Slip.when(
                "leaks",
                lambda got: got["after it"].get(GAUGE) == 1,
                "The client has left, and the gauge still counts it: use finally.",
            ),
            Slip.when(
                "cancelled-is-500",
                lambda got: any(CHAT in n and '"500"' in n for n in got["after it"]),
                "A client who leaves is no fault of the service: its status is 499.",
            ),
        ],
        about="errors",
    )
    yield Case(
        "a client leaves before the answer begins",
        call=lambda: driven.before_the_head(answer),
        show="POST /chat, which has sent nothing yet when its task is cancelled",
        expect={
            "while it waits": counted({}, 1),
            "end": "CancelledError",
            "after it": counted({CHAT: {"499": 1}}),
        },
        slips=[
            *slips,
            Slip.when(
                "not-yet-in-flight",
                lambda got: got["while it waits"].get(GAUGE) == 0,
                "The request has arrived, and is in flight before its answer begins.",
            ),
            Slip.when(
                "cancelled-before-head",
                lambda got: (
                    f'{COUNTER}{{route="{CHAT}",status="500"}}' in got["after it"]
                    or got["after it"].keys() == {GAUGE}
                ),
                "A client who leaves is counted with 499, also where nothing was sent yet.",
            ),
        ],
        about="errors",
    )
    yield Case(
        "a client who reads slowly",
        call=lambda: driven.slow_reader(answer),
        show="GET /orders/7, while the only piece of the answer is being sent, and after that",
        expect={
            "while it is sent": counted({}, 1),
            "end": '200 {"order":7}',
            "after it": counted({ORDER: {"200": 1}}),
        },
        slips=[
            *slips,
            Slip.when(
                "before-the-last-piece",
                lambda got: any(ORDER in name for name in got["while it is sent"]),
                "The request is counted before its last piece has been sent.",
            ),
        ],
        about="end",
    )
    yield Case(
        "three streams at once",
        call=lambda: driven.at_once(answer),
        show="POST /chat three times; the second, the third and the first end, in this order: the"
        " metrics after each step",
        expect=[
            *(counted({}, n) for n in (1, 2, 3)),
            *(counted({CHAT: {"200": 3 - n}}, n) for n in (2, 1, 0)),
        ],
        slips=slips,
        about="apart",
    )
    yield Case(
        "the seconds",
        call=lambda: driven.timed(answer),
        show="POST /chat three times, overlapping; then an order whose endpoint raises an error",
        expect={"streams": "right", "an error": "right", "streams of 0.01 s or less": "0"},
        slips=[
            *slips,
            Slip.when(
                "no-seconds",
                lambda got: any(" s instead" in text for text in got.values()),
                "Prometheus counts in seconds, from the arrival of each request to the last piece"
                " of its own answer.",
            ),
        ],
        about="seconds",
    )
    yield Case(
        "two apps with two registries",
        call=lambda: driven.two_apps(answer),
        show="one app streams while another one, with other routes and buckets, is asked",
        expect={
            "answers": ['201 {"shelf":"a7"}', '200 {"order":5}', "200 It is on its way."],
            "the second while the first streams": counted({"/shelves/{shelf}": {"201": 1}}),
            "metrics": [
                counted({CHAT: {"200": 1}, ORDER: {"200": 1}}),
                counted({"/shelves/{shelf}": {"201": 1}}),
            ],
            "buckets": [[*driven.BUCKETS, float("inf")], [0.5, 2.5, 20.0, 60.0, float("inf")]],
        },
        slips=[
            *slips,
            Slip.when(
                "default-buckets",
                lambda got: got["buckets"][0][:-1] != list(driven.BUCKETS),
                "These are not the buckets that were given.",
            ),
        ],
        about="names",
    )
    yield Case(
        "many orders, customers and wrong paths",
        call=lambda: driven.many(answer),
        show=f"{len(driven.MANY)} requests: which values the labels have",
        expect={
            "route": ["/orders/{number}", "/orders/{number}/parcels/{parcel}", "other"],
            "status": ["200", "404"],
            "requests counted": len(driven.MANY),
        },
        slips=[
            *slips,
            Slip.when(
                "one-label-more",
                lambda got: set(got) - {"route", "status", "requests counted"} != set(),
                "There is one label more than the statement names. Its values multiply the series.",
            ),
        ],
        about="labels",
    )
    yield Case(
        "names, kinds and labels",
        call=lambda: driven.names(answer),
        show="GET /orders/3; then the registry's metrics, and what was put into another one",
        expect={
            driven.COUNTER: "counter: route, status",
            driven.HISTOGRAM: "histogram: route",
            driven.GAUGE: "gauge: no labels",
        },
        slips=[
            *slips,
            Slip.when(
                "no-unit",
                lambda got: driven.HISTOGRAM not in got,
                "A name ends in its unit, and Prometheus' unit of time is the second.",
            ),
            Slip.when(
                "another-registry",
                lambda got: any("another registry" in name for name in got),
                "The metrics are in the registry that was given, and in no other one.",
            ),
        ],
        about="names",
    )
    yield Case(
        "a lifespan and a websocket",
        call=lambda: driven.other_scopes(answer),
        show="the scopes lifespan and websocket: what the app sends, and what is counted",
        expect={
            "began": ["lifespan"],
            "sent": ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"],
            "changed": [],
            "metrics": {GAUGE: 0},
        },
        slips=[
            *slips,
            Slip.when(
                "scope-changed",
                lambda got: len(got["changed"]) > 0,
                "A lifespan or a websocket reaches the app with something that you added.",
            ),
            Slip.when(
                "other-scopes",
                lambda got: (
                    any(name.startswith((COUNTER, driven.HISTOGRAM)) for name in got["metrics"])
                    or got["began"] == []
                ),
                "A lifespan or a websocket must reach the app, and is not measured.",
            ),
        ],
        about="scopes",
    )
