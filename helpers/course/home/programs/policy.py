# Written by `course build` from notebooks/src/04_limit_the_agents_actions.py: edit it there.

import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import Any

import httpx
import nh3
from langchain.agents import AgentState
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ToolCallRequest,
    before_agent,
)
from langchain.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.types import Command
from markdown_it import MarkdownIt


def amount_of(args: Mapping[str, Any]) -> Decimal:
    """The amount of a call in pounds; NaN where there is none, or where it is no number."""
    try:
        return Decimal(str(args.get("amount")))
    except InvalidOperation:
        return Decimal("NaN")


def ask_above(most: Decimal) -> HumanInTheLoopMiddleware[Any, Any]:
    """Stops before a refund of more than `most` pounds, and before every e-mail."""

    def is_large(request: ToolCallRequest) -> bool:
        amount = amount_of(request.tool_call["args"])
        return not (amount.is_finite() and 0 < amount <= most)

    return HumanInTheLoopMiddleware(
        interrupt_on={
            "issue_refund": {
                "allowed_decisions": ["approve", "edit", "reject"],
                "when": is_large,
            },
            "send_email": {"allowed_decisions": ["approve", "reject"]},
        },
        interrupt_mode="per_call",
    )


Rule = Callable[[Mapping[str, Any], str], str | None]  # arguments, customer's words -> objection
Result = ToolMessage | Command[Any]


def customers_words(state: Mapping[str, Any]) -> str:
    """The customer's last message."""
    said = [m.text for m in state["messages"] if isinstance(m, HumanMessage)]
    return said[-1] if said else ""


class ActionPolicy(AgentMiddleware[AgentState[Any], Any]):
    """Asks the rule of a tool about each call of it; a tool without a rule is denied."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        super().__init__()
        self.rules = rules

    def refusal(self, request: ToolCallRequest) -> ToolMessage | None:
        """The message that the model gets in place of a result; None where the call is allowed."""
        call, said = request.tool_call, customers_words(request.state)
        rule = self.rules.get(call["name"])
        objection = rule(call["args"], said) if rule else "this tool has no rule"
        if objection is None:
            return None
        text = f"Not allowed: {objection}."
        return ToolMessage(text, name=call["name"], tool_call_id=call["id"], status="error")


class CallPolicy(ActionPolicy):
    """The policy around tool calls, with `invoke` and with `ainvoke`."""

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]
    ) -> Result:
        """Make the call, unless it is refused."""
        return self.refusal(request) or handler(request)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        """Make the call, unless it is refused."""
        return self.refusal(request) or await handler(request)


ORDER = re.compile(r"(?<![\w-])FH-\d{5}(?![\w-])")


def may_look_up(args: Mapping[str, Any], said: str) -> str | None:
    """The order is one that the customer has named."""
    named = args.get("order_id") in ORDER.findall(said)
    return None if named else "the customer has not named this order"


def may_refund(args: Mapping[str, Any], said: str) -> str | None:
    """The customer has named the order and asked for money, and the sum is one."""
    if objection := may_look_up(args, said):
        return objection
    if not re.search(r"\b(?:refund|money back|pay back|reimburse)", said, re.IGNORECASE):
        return "the customer has not asked for a refund"
    amount = amount_of(args)
    good = amount.is_finite() and amount > 0
    return None if good else f"{amount} is no sum"


Resolve = Callable[[str], Sequence[str]]  # a host's name -> its addresses


def public_addresses(host: str, resolve: Resolve) -> list[str]:
    """The addresses of a host. Raises ValueError unless all of them are public."""
    found = list(resolve(host))
    for each in found:
        address = ip_address(each)
        inside = getattr(address, "ipv4_mapped", None) or address
        if not inside.is_global or inside.is_multicast:
            raise ValueError(f"{host} leads to {each}, which is not a public address")
    if not found:
        raise ValueError(f"{host} has no address")
    return found


def get_pinned(url: str, client: httpx.Client, resolve: Resolve) -> httpx.Response:
    """A page, from the address that was judged; redirects are not followed."""
    asked = httpx.URL(url)
    if asked.scheme != "https" or asked.port not in (None, 443) or asked.userinfo:
        raise ValueError(f"{url} is not plain https")
    address = public_addresses(asked.host, resolve)[0]
    return client.get(
        asked.copy_with(host=address),
        headers={"Host": asked.host},
        extensions={"sni_hostname": asked.host},
        follow_redirects=False,
    )


def restrict(connection: sqlite3.Connection, customer: str, steps: int = 200_000) -> None:
    """Lets a connection read `my_orders`, one customer's orders, and nothing else.

    `steps` are those of SQLite's virtual machine, for all statements of the connection together.
    """
    own = f"own_{secrets.token_hex(8)}"
    connection.create_function("me", 0, lambda: customer, deterministic=True)
    connection.execute(f"CREATE TEMP VIEW {own} AS SELECT * FROM orders WHERE customer = me()")
    connection.execute(f"CREATE TEMP VIEW my_orders AS SELECT * FROM {own}")

    def authorize(action: int, first: Any, second: Any, database: Any, inside: Any) -> int:
        if action == sqlite3.SQLITE_READ and (inside == own or first in (own, "my_orders")):
            return sqlite3.SQLITE_OK
        known = action == sqlite3.SQLITE_FUNCTION and second in ("me", "count", "max", "min")
        select = action == sqlite3.SQLITE_SELECT
        return sqlite3.SQLITE_OK if known or select else sqlite3.SQLITE_DENY

    left = iter(range(steps // 1000))
    connection.set_progress_handler(lambda: next(left, None) is None, 1000)
    connection.set_authorizer(authorize)


TAGS = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "a", "img", "h1", "h2", "h3"}


def safe_html(answer: str, hosts: set[str]) -> str:
    """A Markdown answer as HTML without scripts, and with addresses of these hosts only."""

    def keep(tag: str, name: str, value: str) -> str | None:
        if name not in ("href", "src"):
            return value
        url = re.fullmatch(r"https://([\w.-]+)(?:/[\w./?&=%-]*)?", value)
        return value if url and url[1] in hosts else None

    return nh3.clean(
        MarkdownIt("commonmark").render(answer),
        tags=TAGS,
        attributes={"a": {"href"}, "img": {"src", "alt"}},
        url_schemes={"https"},
        attribute_filter=keep,
    )


def cap_message(most_bytes: int) -> AgentMiddleware[AgentState[Any], Any]:
    """Ends the turn when the customer's message is longer."""

    @before_agent(can_jump_to=["end"])
    def cap(state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        if len(state["messages"][-1].text.encode()) <= most_bytes:
            return None
        return {"messages": [AIMessage("Please write a shorter message.")], "jump_to": "end"}

    return cap
