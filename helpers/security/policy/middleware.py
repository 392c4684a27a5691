"""The policy around a LangChain agent's tool calls.

What the policy goes by stands in two state fields of its own: the user's words and the facts that
tools have returned. The history may be trimmed or summarised; the fields lose nothing by it, and a
summary, which is a message of the user's by its type, is never taken for the user's words. Neither
field can be given from outside.
"""

from collections.abc import Awaitable, Callable
from operator import add
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState, ToolCallRequest
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import Command

from helpers.security.policy.declarations import Tools
from helpers.security.policy.origins import Facts
from helpers.security.policy.policies import Call, Policy

Result = ToolMessage | Command[Any]


class PolicyState(AgentState[Any]):
    """The agent's state with what the policy goes by."""

    policy_requests: NotRequired[Annotated[list[str], PrivateStateAttr, add]]
    policy_facts: NotRequired[Annotated[list[dict[str, Any]], PrivateStateAttr, add]]


class PolicyMiddleware(AgentMiddleware[PolicyState, Any, Any]):
    """Makes a tool call only when the policy allows it, and notes what tools return.

    A refused call comes back to the model as an error with the reason. Calls that stand in one
    message are decided by what was known before any of them: they cannot see each other's results.

    Facts come from a tool message's artifact, so tools should return structured results; of a
    message without one the whole text counts as one undeclared, untrusted value.
    """

    state_schema = PolicyState

    def __init__(self, policy: Policy, tools: Tools) -> None:
        """`policy` decides; `tools` say what results are."""
        super().__init__()
        self._policy = policy
        self._declared = tools

    def before_agent(self, state: PolicyState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Take what the user says: the message with which this run begins, and nothing else."""
        last = state["messages"][-1] if state["messages"] else None
        if not isinstance(last, HumanMessage) or "lc_source" in last.additional_kwargs:
            return None
        return {"policy_requests": [last.text]}

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]
    ) -> Result:
        """Decide, call, note."""
        refused = self._refused(request)
        return refused or self._noted(request, handler(request))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        """Decide, call, note."""
        refused = self._refused(request)
        return refused or self._noted(request, await handler(request))

    def _refused(self, request: ToolCallRequest) -> ToolMessage | None:
        called = request.tool_call
        facts = Facts.from_data(request.state.get("policy_facts", []))
        verdict = self._policy.decide(Call(called["name"], called["args"]), _words(request), facts)
        if verdict.allowed:
            return None
        return ToolMessage(
            f"Not allowed: {verdict.reason}.",
            name=called["name"],
            tool_call_id=called["id"],
            status="error",
        )

    def _noted(self, request: ToolCallRequest, result: Result) -> Result:
        """The result, with its facts for the state."""
        called = request.tool_call
        tool = self._declared.get(called["name"])
        if isinstance(result, Command):
            update = dict(result.update) if isinstance(result.update, dict) else {}
        else:
            update = {"messages": [result]}
        said = [each for each in update.get("messages", ()) if isinstance(each, ToolMessage)]
        known = request.state.get("policy_facts", [])
        facts: list[dict[str, Any]] = []
        for message in said:
            if tool is not None and message.status == "success":
                found = message.text if message.artifact is None else message.artifact
                read = tool.facts(called["name"], called["args"], found, _words(request))
                facts.extend(each for each in read.as_data() if each not in known)
        if not facts:
            return result
        update["policy_facts"] = facts
        if isinstance(result, Command):
            return Command(
                graph=result.graph, update=update, resume=result.resume, goto=result.goto
            )
        return Command(update=update)


def _words(request: ToolCallRequest) -> str:
    """All that the user has said in this conversation."""
    return "\n".join(request.state.get("policy_requests", []))
