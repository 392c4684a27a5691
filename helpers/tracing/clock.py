"""Times of runs: ISO 8601 on the wire, whole microseconds since 1970 in the database.

Whole numbers compare, subtract and index exactly; a time comes back as the same instant that was
sent, in UTC.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(text: str) -> int:
    """The instant of an ISO 8601 time; one without a zone is UTC.

    Raises:
        ValueError: it is no such time, or lies outside the years 1 to 9999 of UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is outside the years 1 to 9999") from None
    return (moment - _EPOCH) // _MICROSECOND


def iso(moment: int | None) -> str | None:
    """The instant as ISO 8601 in UTC, with microseconds."""
    if moment is None:
        return None
    return (_EPOCH + moment * _MICROSECOND).isoformat(timespec="microseconds")


def now() -> int:
    """This instant."""
    return (datetime.now(UTC) - _EPOCH) // _MICROSECOND
