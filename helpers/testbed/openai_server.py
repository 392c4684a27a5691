"""A server in the shapes of OpenAI's API on loopback, which answers from a script.

No model is behind it. Chat completions in one piece and as a stream, tool calls, usage (a token a
word), embeddings, and what goes wrong on the way. `openai_app` has its paths, `openai_shapes` its
objects.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from helpers.testbed.replies import CutOff, Fails, Fault, Reply, UsedUp, as_turn
from helpers.testbed.serving import serving

Body: TypeAlias = dict[str, Any]
Replier: TypeAlias = Callable[[Body], Reply | Fault | Awaitable[Reply | Fault]]


class OpenAIServer:
    """What the server was told and asked.

    Attributes:
        url: its base URL, as clients of OpenAI's API take it.
        requests: the JSON bodies that it was sent, in order, for chat and embeddings.
        delay_s: seconds before the first token of an answer; may be changed at any time.
        token_s: seconds a token.
        in_flight: answers that it is writing now.
        abandoned: streamed answers whose reader left before their end.
    """

    def __init__(
        self, replies: Sequence[Reply | Fault] | Replier, *, delay_s: float, token_s: float
    ) -> None:
        self.url = ""
        self.requests: list[Body] = []
        self.delay_s = delay_s
        self.token_s = token_s
        self.in_flight = self.abandoned = 0
        self.reply_to: Replier = replies if callable(replies) else scripted(replies)

    @property
    def chats(self) -> list[Body]:
        """Those of `requests` that asked for a chat completion."""
        return [body for body in self.requests if "messages" in body]


def scripted(replies: Sequence[Reply | Fault]) -> Replier:
    """A function that gives these replies one after another.

    Raises:
        TypeError: one of them is no reply.
    """
    if isinstance(replies, str):
        raise TypeError(f"Give a list of replies, not a single text: [{replies!r}].")
    for reply in replies:
        if not isinstance(reply, Fails | CutOff):
            as_turn(reply)
    numbers = itertools.count()

    def next_reply(_: Body) -> Reply | Fault:
        number = next(numbers)
        if number >= len(replies):
            raise UsedUp(
                f"The script of this server is used up: it has {len(replies)} replies, and this is"
                f" request {number + 1}. Give it more replies, or a function of the request."
            )
        return replies[number]

    return next_reply


@contextmanager
def openai_server(
    replies: Sequence[Reply | Fault] | Replier = (), *, delay_s: float = 0.0, token_s: float = 0.0
) -> Iterator[OpenAIServer]:
    """Serve OpenAI's API on a free loopback port for a block.

    Args:
        replies: what each chat request is answered with, one after another (see
            `helpers.testbed.replies`); when they are used up, the answer is status 500 and says so.
            Or a function from the request's body to a reply, sync or async. It runs on the server's
            event loop, so requests wait while a sync one works.
        delay_s: seconds before the first token of an answer.
        token_s: seconds a token.

    Raises:
        TypeError: something in `replies` is no reply.
    """
    from helpers.testbed.openai_app import make_app

    server = OpenAIServer(replies, delay_s=delay_s, token_s=token_s)
    with serving(make_app(server), grace_s=1) as served:
        server.url = f"{served.url}/v1"
        yield server
