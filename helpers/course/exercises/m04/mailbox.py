"""A shop's mailbox, and what the provenance policy says of calls after it was read: for 04.2."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helpers.course.todo import TODO
from helpers.security.policy import (
    REQUEST,
    Call,
    Facts,
    Field,
    Provenance,
    Tool,
    identifier,
)

Tools = Mapping[str, Tool]


class NotToolsError(TypeError):
    """The submission is no dict of declarations."""


@dataclass(frozen=True)
class Message:
    """A message to the shop; only its id is given by the shop."""

    id: str
    sender: str
    name: str
    order_id: str
    body: str


@dataclass(frozen=True)
class Record:
    """The shop's own record of a customer."""

    order_id: str
    email: str


@dataclass(frozen=True)
class Scene:
    """A request, what was read after it, and the call that the policy decides.

    `looked_up` are the orders whose customers `find_customer` has found. `returned` is what an
    invoice that was sent before has brought back.
    """

    request: str
    mail: Sequence[Message]
    arguments: Mapping[str, Any]
    tool: str = "send_invoice"
    looked_up: Sequence[Record] = field(default=())
    returned: str = ""

    @property
    def call(self) -> Call:
        """What the agent wants to do."""
        return Call(self.tool, dict(self.arguments))

    def __str__(self) -> str:
        mail = [
            f"  {each.id} from {each.sender} ({each.name}), order {each.order_id}: {each.body}"
            for each in self.mail
        ]
        found = [f"find_customer({each.order_id}) -> {each.email}" for each in self.looked_up]
        read = ["read_messages() ->", *mail] if mail else []
        sent = [f"send_invoice(...) -> {self.returned!r}"] if self.returned else []
        return "\n".join([f"Request: {self.request}", *read, *found, *sent, f"Call: {self.call}"])


FIND_CUSTOMER: Final = Tool(
    "read",
    {"order_id": identifier(REQUEST)},
    {"order_id": Field("customer's order"), "email": Field("email")},
)
"""The declaration that the lab gives."""


def declared(submission: object) -> dict[str, Tool]:
    """The learner's declarations with the given one."""
    if not isinstance(submission, Mapping):
        raise NotToolsError("TOOLS is a dict of two Tools")
    if any(each is TODO for each in submission.values()):
        raise TODO
    if not all(isinstance(each, Tool) for each in submission.values()):
        raise NotToolsError("TOOLS is a dict of two Tools")
    return {**submission, "find_customer": FIND_CUSTOMER}


def allowed(submission: object, scene: Scene) -> bool:
    """Whether the policy makes the call, with these declarations.

    What a tool returns is known only if the policy lets it be called.
    """
    tools = declared(submission)
    policy, facts = Provenance(tools), Facts()
    if scene.mail and policy.decide(Call("read_messages"), scene.request, facts).allowed:
        read = tools["read_messages"]
        found = read.facts("read_messages", {}, list(scene.mail), scene.request)
        facts = facts.and_also(found.known)
    for each in scene.looked_up:
        arguments = {"order_id": each.order_id}
        found = FIND_CUSTOMER.facts("find_customer", arguments, each, scene.request)
        facts = facts.and_also(found.known)
    if scene.returned and "send_invoice" in tools:
        sent = tools["send_invoice"]
        found = sent.facts("send_invoice", {}, scene.returned, scene.request)
        facts = facts.and_also(found.known)
    return policy.decide(scene.call, scene.request, facts).allowed


def too_much(submission: object) -> list[str]:
    """What is declared that neither of the two tools has."""
    tools = declared(submission)
    has = {
        "read_messages": ((), ("id", "sender", "name", "order_id", "body")),
        "send_invoice": (("order_id", "to", "note"), None),
        "find_customer": (tuple(FIND_CUSTOMER.arguments), None),
    }
    found = [f"a tool {name}" for name in sorted({*tools} - {*has})]
    for name, (arguments, fields) in has.items():
        one = tools.get(name)
        if one is not None:
            found += [f"{name}({each}=...)" for each in one.arguments if each not in arguments]
            unknown = [each for each in one.returns if fields and each not in fields]
            found += [f"{name}() -> {each!r}" for each in unknown]
            found += [f"{name}, named by {each}" for each in one.named_by if each != "id"]
    given: Any = submission
    return [*found, *["find_customer, another one"] * (given.get("find_customer") is not None)]


def effects(submission: object) -> dict[str, str]:
    """What each of the two tools is declared to do."""
    tools = declared(submission)
    return {name: tools[name].effect for name in ("read_messages", "send_invoice")}
