"""Fernhill, the invented British outdoor-gear shop that the course's agent works for.

Its documents, its orders and customers, and the golden questions that the agent is measured on.
Amounts are in pounds; the shop's calendar stands still on `TODAY`, so that answers do not age.
"""

from helpers.shop.library import (
    Document,
    DocumentError,
    DocumentKind,
    UnknownDocument,
    document,
    documents,
)

__all__ = [
    "Document",
    "DocumentError",
    "DocumentKind",
    "UnknownDocument",
    "document",
    "documents",
]
