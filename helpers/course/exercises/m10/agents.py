"""A cache of exercise 10.2 in an agent of LangChain."""

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from helpers.agent import Caller
from helpers.course.exercises.m10.kept import CacheClass, Documents, Settled, made
from helpers.testbed import ScriptedModel

EXPECTED = {
    "ann, ann, ben, ann after a change": ["answer 1", "answer 1", "answer 2", "answer 3"],
    "messages of a conversation that asks the same thing three times": 6,
    "the model was called": 1,
    "with a tool, twice": ["It weighs 2.1 kg.", "It weighs 2.1 kg."],
    "the tool's model was called": 3,
}


def in_agents(answer: CacheClass) -> dict[str, Any]:
    """What agents with a cache answer, and how often their models were called."""
    documents = Documents()

    def ask(agent: Any, text: str, customer: str, thread: str = "") -> Any:
        config = {"configurable": {"thread_id": thread}} if thread else None
        said = {"messages": [HumanMessage(text)]}
        return agent.invoke(said, config, context=Caller(customer))["messages"]

    def build(model: Any, *before: Any, **more: Any) -> Any:
        middleware = [*before, made(answer, 5, documents.version)]
        return create_agent(
            model, middleware=middleware, system_prompt="Be brief.", context_schema=Caller, **more
        )

    agent, found = build(Settled()), []
    for customer, version in (("ann", "1"), ("ann", "1"), ("ben", "1"), ("ann", "2")):
        documents.now = version
        found.append(ask(agent, "How heavy is it?", customer)[-1].text)

    @wrap_model_call
    def last_message(request: Any, handler: Any) -> Any:
        """The model reads the last message alone, as a summary would have it."""
        return handler(request.override(messages=request.messages[-1:]))

    model = Settled()
    agent = build(model, last_message, checkpointer=InMemorySaver())
    said: list[Any] = []
    for _ in range(3):
        said = ask(agent, "How heavy is it?", "ann", thread="one")
    texts = {message.text for message in said if isinstance(message, AIMessage)}

    def weigh(item: str) -> str:
        """Weigh an item."""
        return f"{item}: 2.1 kg"

    calls = {"name": "weigh", "args": {"item": "Alta 2"}}
    scripted = ScriptedModel(replies=[calls, "It weighs 2.1 kg.", calls], then="Not again.")
    agent = build(scripted, tools=[weigh])
    weighed = [ask(agent, "How heavy is it?", "ann")[-1].text for _ in range(2)]
    return {
        "ann, ann, ben, ann after a change": found,
        "messages of a conversation that asks the same thing three times": len(said),
        "the model was called": len(texts),
        "with a tool, twice": weighed,
        "the tool's model was called": len(scripted.prompts),
    }
