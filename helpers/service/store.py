"""What happens when the counts cannot be reached: the request is refused, with the reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from helpers.service.errors import Problem

_RETRY_SECONDS = 5


@contextmanager
def counting() -> Iterator[None]:
    """Raise `Problem` 503 when the store fails: requests that nobody counts are not let through."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Problem(
            "store-down",
            "Requests and tokens cannot be counted now. Try again later.",
            retry_after=_RETRY_SECONDS,
        ) from error
