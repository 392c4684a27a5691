# Written by `course build` from solutions/src/04_limit_the_agents_actions.py: change it there.
from helpers.security.policy import words
from helpers.security.policy import value
from helpers.security.policy import text
from helpers.security.policy import own
from helpers.security.policy import named
from helpers.security.policy import identifier
from helpers.security.policy import assigned
from helpers.security.policy import Tool
from helpers.security.policy import Field
from helpers.security.policy import REQUEST
# The exercise's own cell.
TOOLS = {
    "read_messages": Tool(
        "read",
        {},
        {
            "id": assigned("message id"),
            "sender": Field("sender"),
            "name": text("display name"),
            "order_id": Field("order"),
            "body": text("message text"),
        },
        named_by=("id",),
    ),
    "send_invoice": Tool(
        "act",
        {
            "order_id": identifier(REQUEST, named("order")),
            "to": value(REQUEST, named("sender"), own("email")),
            "note": words(REQUEST),
        },
        asked="invoice",
    ),
}
ANSWER = TOOLS
