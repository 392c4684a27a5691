"""How Fernhill's systems mark words that are not the shop's: each label begins such a part."""

from typing import Final, Literal

Place = Literal["document", "order", "tool"]

LABELS: Final[dict[Place, str]] = {
    "document": "Review by a customer:",
    "order": "Note on the order:",
    "tool": "Message of the carrier:",
}
"""By where the words wait: under a page, on an order, in what a carrier's system passes on."""
