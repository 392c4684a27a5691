"""What replicas share, as a hash in Redis would be: one object outside of all of them."""

from typing import Any


class Memory:
    """Values by key and field. `ray.remote(Memory)` makes an actor of it.

    An actor carries out one call after another, so each call is atomic by itself; two calls are
    not. Keys and fields are texts, numbers, or tuples of them.
    """

    def __init__(self) -> None:
        self._values: dict[Any, dict[Any, Any]] = {}

    def get(self, key: Any, field: Any) -> Any:
        """The value of a field, None where there is none."""
        return self._values.get(key, {}).get(field)

    def put(self, key: Any, field: Any, value: Any) -> None:
        """Write a value, whatever was there."""
        self._values.setdefault(key, {})[field] = value

    def put_new(self, key: Any, field: Any, value: Any) -> Any:
        """Write a value if the field has none; returns the value that it has now."""
        return self._values.setdefault(key, {}).setdefault(field, value)

    def add(self, key: Any, field: Any, amount: int) -> int:
        """Add an amount to a number, 0 where there is none; returns the sum."""
        fields = self._values.setdefault(key, {})
        fields[field] = fields.get(field, 0) + amount
        return int(fields[field])

    def fields(self, key: Any) -> dict[Any, Any]:
        """All fields of a key with their values, in the order in which they got their first one."""
        return dict(self._values.get(key, {}))
