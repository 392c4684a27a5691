"""The tools of Fernhill's support agent (`helpers.agent.tools`).

Which orders a customer may see, and how much may be refunded, the tools decide themselves, from the
login. The policy adds that the customer has asked: an order that only a document speaks of is
neither looked up nor refunded, and naming an order to ask where it is gives no leave to refund it.
"""

from typing import Final

from helpers.security.policy.declarations import (
    ANYTHING,
    REQUEST,
    Field,
    Tool,
    Tools,
    amount,
    identifier,
    own,
    text,
    words,
)

_ORDER = identifier(REQUEST, own("order"))
_REFUND = (
    r"\brefund|\breimburse|\bmoney back|\bpay\b.*\bback|\bcancel"
    r"|\breturn (?:my|the|this|that|it|them|order|fh)\b"
)
_GOODWILL = r"goodwill|discount|compensat|\blate\b"

FERNHILL: Final[Tools] = {
    "search_documents": Tool(
        "read",
        {"query": ANYTHING},
        {
            "document": Field("document"),
            "kind": Field("document kind"),
            "score": Field("score"),
            "title": text("document text"),
            "text": text("document text"),
            "sentences": text("document text"),
            "best": text("document text"),
        },
    ),
    "lookup_order": Tool(
        "read",
        {"order_id": _ORDER},
        {
            "id": Field("order"),
            "customer_id": Field("customer"),
            "status": Field("status"),
            "items.product_id": Field("product"),
            "items.title": Field("product"),
            "items.quantity": Field("quantity"),
            "items.price": Field("amount"),
            "delivery": Field("delivery"),
            "delivery_fee": Field("amount"),
            "total": Field("amount"),
            "refunded": Field("amount"),
            "carrier": Field("carrier"),
            "tracking": Field("tracking"),
        },
    ),
    "issue_refund": Tool(
        "act",
        {"order_id": _ORDER, "amount": amount(REQUEST, own("amount"))},
        {"id": Field("refund"), "order_id": Field("order"), "amount": Field("refunded")},
        asked=_REFUND,
    ),
    "apply_goodwill": Tool(  # `helpers.security.controls`
        "act",
        {"order_id": _ORDER},
        {"order_id": Field("order"), "amount": Field("discount")},
        asked=_GOODWILL,
    ),
    "hand_over": Tool(
        "act",
        {"reason": words(REQUEST)},
        {"id": Field("ticket"), "customer_id": Field("customer"), "reason": text("reason")},
    ),
}

FERNHILL_VERBS: Final = {
    name: tool.asked for name, tool in FERNHILL.items() if tool.effect == "act"
}
"""The same for `RequestVerbs`; a person may always be called."""
