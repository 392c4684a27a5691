"""Conversations, kept apart by customer, one answer at a time, the least recent forgotten first."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from helpers.service.errors import Problem
from helpers.service.turn import Message


@dataclass
class Conversation:
    """What the service knows of one conversation.

    Attributes:
        thread: its id, which begins with the customer's: nobody can name a conversation of
            somebody else.
        said: its messages so far, from the person and from the model, of answered turns only.
        busy: whether a message is being answered.
        resume_from: the agent's checkpoint to go on from, when a later turn did not end well.
    """

    thread: str
    said: list[Message] = field(default_factory=list)
    busy: bool = False
    resume_from: str | None = None


class Conversations:
    """All conversations of this process."""

    def __init__(
        self, most: int, most_messages: int, forget: Callable[[str], Awaitable[None]]
    ) -> None:
        """`most` are kept; `forget` drops what the agent keeps of a thread."""
        self._most = most
        self._most_messages = most_messages
        self._forget = forget
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def begin(self, customer: str, conversation_id: str) -> Conversation:
        """The conversation, busy from now on; a new one when there is none.

        Raises:
            Problem: 409 when a message of it is being answered, or it holds too many.
        """
        # An id has no slash, so that two pairs never give one thread.
        thread = f"{customer}/{conversation_id}"
        found = self._kept.setdefault(thread, Conversation(thread))
        if found.busy:
            raise Problem(
                "conversation-busy", "Wait for the answer to your last message, then go on."
            )
        if len(found.said) >= self._most_messages:
            raise Problem(
                "conversation-full",
                f"It holds {len(found.said)} messages: start a new one, without its id.",
            )
        found.busy = True
        self._kept.move_to_end(thread)
        return found

    async def end(self, conversation: Conversation) -> None:
        """Let others write to the conversation again; forget the least recent beyond the limit."""
        conversation.busy = False
        idle = (each for each in self._kept.values() if not each.busy)
        while len(self._kept) > self._most and (oldest := next(idle, None)):
            del self._kept[oldest.thread]
            await self._forget(oldest.thread)
            idle = (each for each in self._kept.values() if not each.busy)
