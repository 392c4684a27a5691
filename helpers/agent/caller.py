"""Who is talking to the agent."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The customer who is logged in, or None.

    The service that calls the agent sets it, from its own login. It reaches the tools beside the
    conversation, so that nothing that is said in the conversation can change it.
    """

    customer_id: str | None = None
