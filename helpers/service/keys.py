"""API keys: what a caller shows, what is kept of it, and whom it stands for.

A key is `fh_<id>_<secret>`. Kept are the id, the SHA-256 of the secret, and the customer. The
secret is 256 random bits, so a slow password hash would add cost for every request and nothing
else. The id finds the row, and the secret is compared in constant time.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_PREFIX = "fh"


class HashedKey(BaseModel):
    """What is kept of a key: enough to recognise it, too little to use it.

    `customer` is the shop's id of whoever holds the key; the agent acts for nobody else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    customer: str = Field(pattern=r"^[A-Za-z0-9-]{1,32}$")


class KeysError(ValueError):
    """A file of keys cannot be used; the message says what to do."""


def issue(customer: str) -> tuple[str, HashedKey]:
    """A new key for a customer: the key itself, to be shown once, and what is kept of it."""
    name, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"{_PREFIX}_{name}_{secret}", HashedKey(id=name, sha256=_sha(secret), customer=customer)


class KeyRing:
    """The keys that open the service."""

    def __init__(self, keys: Iterable[HashedKey]) -> None:
        self._keys = {key.id: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[HashedKey]:
        return iter(self._keys.values())

    def find(self, shown: str) -> HashedKey | None:
        """The key that a caller shows, None when it is not one of these."""
        prefix, _, rest = shown.partition("_")
        name, _, secret = rest.partition("_")
        kept = self._keys.get(name)
        # An unknown id is compared too, so that the time does not tell which ids exist.
        same = hmac.compare_digest(_sha(secret), kept.sha256 if kept else "0" * 64)
        return kept if same and prefix == _PREFIX else None


def _sha(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


_FILE = TypeAdapter(list[HashedKey])


def read_keys(path: Path) -> list[HashedKey]:
    """The keys of a file. Raises `KeysError` when there is none, or it holds something else."""
    try:
        return _FILE.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise KeysError(
            f"There is no file of keys {path}: make one with "
            f"`course serve --issue C-0042 --keys {path}`."
        ) from error
    except ValidationError as error:
        raise KeysError(f"{path} is no file of keys ({error.errors()[0]['msg']}).") from error


def add_key(path: Path, key: HashedKey) -> None:
    """Add a key to a file, which is made when missing, readable for its owner alone."""
    keys = [*(read_keys(path) if path.exists() else []), key]
    path.touch(mode=0o600)
    path.write_text(json.dumps([each.model_dump() for each in keys], indent=1) + "\n", "utf-8")
