"""What exercises 01.5, 01.6 and 03.2 share: the submission is middleware, its method is sync."""

from langchain.agents.middleware import AgentMiddleware

from helpers.course.exercises import Slip


class NotMiddlewareError(TypeError):
    """The submission is no middleware."""


def needs_middleware(submission: object) -> None:
    """Raise `NotMiddlewareError` for anything that an agent does not take as middleware."""
    if not isinstance(submission, AgentMiddleware):
        raise NotMiddlewareError("an agent takes middleware, and this is none")


def slips(decorator: str) -> list[Slip]:
    """The mistakes that any case shows where the decorator is missing, or the function is async."""
    return [
        Slip.raises(
            "no-decorator",
            NotMiddlewareError,
            f"An agent takes middleware: put @{decorator} above the function.",
        ),
        Slip.raises(
            "async",
            NotImplementedError,
            "The check calls it as agent.invoke does: write def, not async def.",
        ),
    ]
