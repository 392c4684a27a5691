"""Which request was whose, for feedback: nobody can rate an answer that somebody else was given."""

from collections import OrderedDict

_MOST = 10_000


class KnownRequests:
    """The newest answered requests."""

    def __init__(self, most: int = _MOST) -> None:
        """`most` are kept."""
        self._most = most
        self._customers: OrderedDict[str, str] = OrderedDict()

    def add(self, request_id: str, customer: str) -> None:
        """A request was answered."""
        self._customers[request_id] = customer
        if len(self._customers) > self._most:
            self._customers.popitem(last=False)

    def belongs(self, request_id: str, customer: str) -> bool:
        """Whether this customer was given that answer, as far as it is still known."""
        return self._customers.get(request_id) == customer
