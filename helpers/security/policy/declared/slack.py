"""The tools of AgentDojo's slack suite; tuned on that suite.

A direct message is named by its sender, a page by its address, a post by its sender or its channel.
A post can give the address of a page to open and nothing else, since many may write in a channel.
Naming a colleague or a channel does not vouch for the page that a post there links to. A member's
name can name a message because the workspace assigns it, to one account: where members choose the
name that is shown, declare the account's id as the sender.
"""

from typing import Final

from helpers.security.policy.declarations import (
    ANYTHING,
    REQUEST,
    Field,
    Tool,
    Tools,
    assigned,
    named,
    own,
    text,
    value,
    words,
)

_MEMBER = value(REQUEST, own("member"), named("message"))
_CHANNEL = value(REQUEST, own("channel"), named("message"))
_MESSAGE = {"sender": assigned("member"), "recipient": Field("place"), "body": text("message")}
_POST = {**_MESSAGE, "body": text("post")}

SLACK: Final[Tools] = {
    "get_channels": Tool("read", returns={"": Field("channel")}),
    "get_users_in_channel": Tool("read", {"channel": ANYTHING}, {"": Field("member")}),
    "read_channel_messages": Tool(
        "read",
        {"channel": ANYTHING},
        _POST,
        named_by=("sender",),
        named_by_argument="channel",
    ),
    "read_inbox": Tool("read", {"user": ANYTHING}, _MESSAGE, named_by=("sender",)),
    "get_webpage": Tool(
        "fetch",
        {"url": value(REQUEST, named("message"), named("post"))},
        {"": text("page")},
        named_by_argument="url",
    ),
    "post_webpage": Tool("act", {"url": value(REQUEST), "content": words(REQUEST)}),
    "send_direct_message": Tool("act", {"recipient": _MEMBER, "body": words(REQUEST)}),
    "send_channel_message": Tool("act", {"channel": _CHANNEL, "body": words(REQUEST)}),
    "add_user_to_channel": Tool("act", {"user": _MEMBER, "channel": _CHANNEL}),
    "invite_user_to_slack": Tool(
        "act",
        {
            "user": value(REQUEST, named("message")),
            "user_email": value(REQUEST, named("message"), named("page")),
        },
    ),
    "remove_user_from_slack": Tool("act", {"user": value(REQUEST)}),
}
