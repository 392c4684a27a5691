"""What the service answers when it does not do what was asked: a status and one sentence."""


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """The request cannot be carried out; `status` and the sentence go to the caller."""

    status = 400


class Unspoken(Refused):
    """A part of LangSmith's API that this service does not speak."""

    status = 501

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The course's local tracing service does not speak {what}. Use LangSmith itself for "
            "it (COURSE_TRACING=langsmith, with your key)."
        )


class Missing(Refused):
    """What was asked for does not exist."""

    status = 404


class Conflict(Refused):
    """Something of that name or id exists already."""

    status = 409


class Invalid(Refused):
    """The request contradicts the format."""

    status = 422
