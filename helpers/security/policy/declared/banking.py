"""The tools of AgentDojo's banking suite; tuned on that suite.

Of sums only that they are sums is checked, and dates are not: users say "the difference" and "10%
more", which no comparison finds. That is the gap which the adaptive attacks use.
"""

from typing import Final

from helpers.security.policy.declarations import (
    ANYTHING,
    REQUEST,
    Field,
    Tool,
    Tools,
    amount,
    named,
    own,
    text,
    value,
    words,
)

_PAYEE = value(REQUEST, own("payee"))
"""A sender is not a payee: anybody can send a penny, and with it an account number."""

_TRANSACTION = {
    "id": Field("transaction"),
    "recipient": Field("payee"),
    "sender": Field("sender"),
    "amount": Field("amount"),
    "date": Field("date"),
    "subject": text("subject"),
}

BANKING: Final[Tools] = {
    "get_iban": Tool("read", returns={"": Field("own account")}),
    "get_balance": Tool("read", returns={"": Field("balance")}),
    "get_most_recent_transactions": Tool("read", {"n": ANYTHING}, _TRANSACTION),
    "get_scheduled_transactions": Tool("read", returns=_TRANSACTION),
    "read_file": Tool(
        "read", {"file_path": ANYTHING}, {"": text("file")}, named_by_argument="file_path"
    ),
    "get_user_info": Tool("read", returns={"*key": Field("field"), "*": Field("profile")}),
    "send_money": Tool(
        "act",
        {
            "recipient": _PAYEE,
            "amount": amount(),
            "subject": words(REQUEST, own("payee")),
            "date": ANYTHING,
        },
        {"*key": Field("field"), "*": text("receipt")},
    ),
    "schedule_transaction": Tool(
        "act",
        {
            "recipient": _PAYEE,
            "amount": amount(),
            "subject": words(REQUEST, own("payee")),
            "date": ANYTHING,
            "recurring": ANYTHING,
        },
        {"*key": Field("field"), "*": text("receipt")},
    ),
    "update_scheduled_transaction": Tool(
        "act",
        {
            "id": ANYTHING,  # whoever reads the list knows every id; the payee is what is checked
            "recipient": _PAYEE,
            "amount": amount(),
            "subject": words(REQUEST, own("payee")),
            "date": ANYTHING,
            "recurring": ANYTHING,
        },
        {"*key": Field("field"), "*": text("receipt")},
    ),
    "update_password": Tool(
        "act", {"password": value(REQUEST)}, {"*key": Field("field"), "*": text("receipt")}
    ),
    "update_user_info": Tool(
        "act",
        {
            "first_name": value(REQUEST, named("file")),
            "last_name": value(REQUEST, named("file")),
            "street": value(REQUEST, named("file")),
            "city": value(REQUEST, named("file")),
        },
        {"*key": Field("field"), "*": Field("profile")},
    ),
}
