"""Exercise 05.1: a stream of events."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m05.streams import MakeApp


@exercise(
    "05.1",
    title="Stream tokens as server-sent events",
    hints=[
        "An async generator under @app.post('/chat', response_class=EventSourceResponse) yields"
        " ServerSentEvent objects; FastAPI sends each at once. Do not collect the words first.",
        Hint(
            "Inside the loop over model.astream(...), yield a token event for each chunk with a"
            " text: it goes out before the model writes the next one. After the loop, yield done.",
            "at once",
        ),
        Hint("data={'text': word} is sent as JSON, which writes a line break as \\n.", "format"),
        Hint(
            "try around the loop over model.astream(...), and except Exception: a model's client"
            " raises errors of many types. What belongs into else, so that it is not sent then?",
            "failure",
        ),
        Hint(
            "Question as the type of the argument rejects a bad body before the generator starts.",
            "body",
        ),
        Hint(
            "Everything that belongs to one answer, such as its count, is a variable inside the"
            " endpoint: a new one for each request.",
            "apart",
        ),
        "for each chunk: if chunk.text: count += 1, then yield ServerSentEvent(event='token',"
        " data={'text': chunk.text}). In except yield 'error' with a title and the status 502, in"
        " else 'done' with the count.",
    ],
)
def streaming_app(answer: "MakeApp") -> Iterator[Case]:
    """An app that sends each word as an event while the model writes, and says how it ended."""
    from httpx2 import SSEError, TransportError

    from helpers.course.exercises.m05 import streams
    from helpers.course.exercises.m05.live import no_app

    text = "It weighs 2.1 kg"
    whole = streams.tokens(text)
    slips = [
        no_app("streaming_app"),
        Slip.raises(
            "no-stream",
            SSEError,
            "What came is no event stream. Is there a POST /chat that yields events?",
        ),
    ]
    yield Case(
        "each word arrives before the model writes the next one",
        call=lambda: streams.word_by_word(answer, text),
        show="POST /chat; the model writes a word as soon as the client has read the one before",
        expect=whole,
        slips=[
            *slips,
            Slip.value(
                "collected",
                [],
                "Nothing came while the model was writing: send each word at once.",
            ),
            Slip.when(
                "no-names",
                lambda got: {name for name, _ in got} == {"message"},
                'Without event="token" every event is called message.',
            ),
            Slip.value(
                "no-end",
                whole[:-1],
                "Without a last event a client cannot tell the end from a cut connection.",
            ),
            Slip.when(
                "empty-chunk",
                lambda got: ("token", {"text": ""}) in got,
                "The model's last chunk has no text: it is no word, and sends no event.",
            ),
            Slip.when(
                "no-json",
                lambda got: isinstance(got[0][1], str),
                'The data of an event is JSON: {"text": ...}.',
            ),
        ],
        about="at once",
    )
    yield Case(
        "words with line breaks and quotes arrive whole",
        call=lambda: streams.texts(answer, streams.HARD_WORDS),
        show="POST /chat; the texts of all events called token, joined",
        expect="".join(streams.HARD_WORDS),
        slips=[
            *slips,
            Slip.when(
                "line-break",
                lambda got: got.startswith("The Alta 2") and "\n\ndata:" not in got,
                "A line break inside data: ends the line. Send JSON, which writes it as \\n.",
            ),
        ],
        about="format",
    )
    yield Case(
        "the model fails",
        call=lambda: streams.failures(answer),
        show="POST /chat, six times; in the middle of five answers model.astream raises an error",
        expect={
            "after two words, ModelFailed": ["One two", "error event", "a title", 502],
            "before the first word, OSError": ["", "error event", "a title", 502],
            "after three words, ValueError": ["One two three", "error event", "a title", 502],
            "after one word, its own type": ["One", "error event", "a title", 502],
            "after two words, HTTPException": ["One two", "error event", "a title", 502],
            "not at all": ["One two three four", "answered"],
        },
        slips=[
            *slips,
            Slip.when(
                "some-errors",
                lambda got: {"lost", "error event"} <= set(streams.ends(got)),
                "Which error it is depends on the model: catch Exception, not one type.",
            ),
            Slip.when(
                "cut",
                lambda got: "lost" in streams.ends(got),
                "The stream was cut: the client has half an answer and no word about it.",
            ),
            Slip.when(
                "done-anyway",
                lambda got: set(streams.ends(got)) == {"answered"},
                "It said done, and half of the answer was missing.",
            ),
        ],
        about="failure",
    )
    yield Case(
        "what the model is asked",
        call=lambda: streams.questions(answer),
        show="POST /chat with five messages, one after another, two of them the same",
        expect=list(streams.MESSAGES),
        slips=[
            *slips,
            Slip.when(
                "other-message",
                lambda got: len(got) == len(streams.MESSAGES),
                "The model gets the message as it came, with its white space and its whole length.",
            ),
            Slip.when(
                "not-asked",
                lambda got: len(got) < len(streams.MESSAGES),
                "Each request asks the model: white space is a Question too, and so is a message"
                " that was asked before.",
            ),
        ],
        about="apart",
    )
    yield Case(
        "two clients at once",
        call=lambda: streams.two_at_once(answer),
        show="two clients POST /chat with different messages; then the model repeats each message",
        expect={message: streams.tokens(message) for message in ("a tent", "a stove for two")},
        slips=[
            *slips,
            Slip.when(
                "one-by-one",
                lambda got: ("the model was not asked", None) in got["a stove for two"],
                "The second client waits until the first has its whole answer.",
            ),
        ],
        about="apart",
    )
    yield Case(
        "two apps with two models",
        call=lambda: streams.two_apps(answer),
        show="one app, another app, and the first one again: POST /chat",
        expect=[streams.tokens(text) for text in ("It is dry", "No", "It is dry")],
        slips=[
            *slips,
            Slip.when(
                "one-counter",
                lambda got: (
                    [events[:-1] for events in got]
                    == [streams.tokens(text)[:-1] for text in ("It is dry", "No", "It is dry")]
                ),
                "The words are right, their number is not: count each answer by itself.",
            ),
        ],
        about="apart",
    )
    yield Case(
        "a client leaves",
        call=lambda: streams.given_up(answer),
        show="two clients POST /chat, and one leaves: how many answers the model writes",
        expect={"before": 2, "after": 1},
        slips=[
            *slips,
            Slip.value(
                "writes-on",
                {"before": 2, "after": 2},
                "The model goes on writing for a client who has left.",
            ),
        ],
        about="apart",
    )
    yield Case(
        "good and bad bodies",
        call=lambda: streams.bodies(answer),
        show="POST /chat with each of these bodies, one after another",
        expect={
            name: "200 text/event-stream" if name in streams.GOOD else "422"
            for name in streams.BODIES
        }
        | {"questions to the model": 2},
        slips=[
            *slips,
            Slip.raises(
                "bad-body-cut",
                TransportError,
                "A bad body was answered with a stream that was cut: reject it before the stream.",
            ),
            Slip.when(
                "any-length",
                lambda got: (
                    got["2,001 characters"][:3] == "200" or got["2,000 characters"] == "422"
                ),
                "A message has 1 to 2,000 characters: take the body as a Question.",
            ),
        ],
        about="body",
    )
