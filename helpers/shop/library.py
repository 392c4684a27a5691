"""Fernhill's documents: product pages, policies, how-tos, and notes for staff.

Each document is a Markdown file in `documents/`, its front matter checked when it is loaded. The
notes for staff are left out unless a caller asks for them by name: what a customer's question is
answered from must not hold them by accident.
"""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import frontmatter
import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

DocumentKind = Literal["product", "howto", "policy", "internal"]

DOCUMENT_KINDS: Final[tuple[DocumentKind, ...]] = get_args(DocumentKind)
FOLDER: Final = Path(__file__).parent / "documents"


class DocumentError(ValueError):
    """A document's file breaks the format; the message names the file and the field."""


class UnknownDocument(KeyError):  # noqa: N818 - named like UnknownOrder and UnknownPrice
    """There is no such document among those that were asked for."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Document:
    """One document of the shop.

    `id` is the name of its file without the ending. `text` is the body without the title: plain
    paragraphs of Markdown, separated by empty lines. `price` is in pounds; product pages have
    one, other documents have None.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Annotated[str, Field(min_length=1)]
    kind: DocumentKind
    updated: date
    text: Annotated[str, Field(min_length=1)]
    price: Annotated[Decimal, Field(gt=0, decimal_places=2)] | None = None

    @model_validator(mode="after")
    def _price_is_a_product_s(self) -> "Document":
        if (self.kind == "product") != (self.price is not None):
            raise ValueError("a product page has a price, and no other document has one")
        return self


_DOCUMENT: Final = TypeAdapter(Document)


def load_documents(folder: Path) -> tuple[Document, ...]:
    """Every document of a folder, sorted by id.

    Raises DocumentError for a file whose front matter is missing, incomplete or wrong, and for a
    folder without documents.
    """
    loaded = tuple(_load(path) for path in sorted(folder.glob("*.md")))
    if not loaded:
        raise DocumentError(f"no documents in {folder}: restore the folder from the repository")
    return loaded


def documents(*, internal: bool = False) -> list[Document]:
    """The shop's documents, sorted by id; with `internal` also the notes for staff."""
    return [found for found in _all() if internal or found.kind != "internal"]


def document(document_id: str, *, internal: bool = False) -> Document:
    """The document with this id; raises UnknownDocument, also for a note not asked for."""
    for found in documents(internal=internal):
        if found.id == document_id:
            return found
    raise UnknownDocument(
        f"no document {document_id!r}; helpers.shop.documents() lists the ids"
        + ("" if internal else ", internal=True the notes for staff too")
    )


@cache
def _all() -> tuple[Document, ...]:
    return load_documents(FOLDER)


def _load(path: Path) -> Document:
    try:
        post = frontmatter.loads(path.read_text(encoding="utf-8"))
        return _DOCUMENT.validate_python(
            {**post.metadata, "id": path.stem, "text": post.content.strip()}
        )
    except yaml.YAMLError as error:
        raise DocumentError(f"{path.name}: the front matter is not YAML: {error}") from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path.name}: not UTF-8 text; save it as UTF-8") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "front matter"
        raise DocumentError(f"{path.name}: {field}: {first['msg']}") from error
