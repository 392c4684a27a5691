"""Ask the agent requests of the day, so that their traces can be told apart and grouped."""

import contextlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.models import bulk_run, chat_model
from helpers.models.errors import OverBudget
from helpers.models.guard import BULK_CALLS

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from helpers.agent import Agent
    from helpers.shop.traffic import Request

NAME = "request"
"""The name of every request's root run."""

CALLS, TOKENS_IN, TOKENS_OUT = 2, 900, 60
"""What a request takes of a hosted model: calls, and the tokens of each, for the estimate."""


@dataclass(frozen=True)
class Asked:
    """A request, the id of its trace, and its answer; None where it ended in `error`."""

    run_id: uuid.UUID
    request: "Request"
    answer: str | None
    error: str = ""


def config_of(request: "Request", run_id: uuid.UUID) -> "RunnableConfig":
    """What LangChain cannot know of a request: its name, tags and metadata in the trace.

    The intent is the traffic's own; a shop would have it from a classifier.
    """
    return {
        "run_name": NAME,
        "run_id": run_id,
        "tags": ["logged in" if request.customer else "guest"],
        "metadata": {"intent": request.intent, "customer": request.customer or "guest"},
        "configurable": {"thread_id": request.session},
    }


def ask(agent: "Agent", request: "Request", run_id: uuid.UUID) -> str:
    """Ask one request, as the customer who is logged in; whatever goes wrong is raised."""
    from helpers.agent import Caller

    messages: Any = {"messages": [("user", request.text)]}
    state = agent.invoke(messages, config_of(request, run_id), context=Caller(request.customer))
    return str(state["messages"][-1].text)


def ask_all(
    agent: "Agent",
    requests: "Sequence[Request]",
    progress: "Callable[[Sequence[Request]], Iterable[Request]]" = iter,
) -> list[Asked]:
    """Ask one request after the other; one that fails ends nothing but itself.

    Args:
        agent: the agent, on the course's model.
        requests: what to ask.
        progress: passes the requests on, and shows how many are done.

    Raises:
        OverBudget: the budget of a hosted model is spent.
    """
    from langsmith import uuid7

    found = []
    calls = CALLS * len(requests)
    load = {"calls": calls, "input_tokens": TOKENS_IN, "output_tokens": TOKENS_OUT}
    with bulk_run(chat_model(), **load) if calls > BULK_CALLS else contextlib.nullcontext():
        for request in progress(requests):
            run_id = uuid7()
            try:
                found.append(Asked(run_id, request, ask(agent, request, run_id)))
            except OverBudget:
                raise
            except Exception as error:  # its trace says the rest
                found.append(Asked(run_id, request, None, f"{type(error).__name__}: {error}"))
    return found
