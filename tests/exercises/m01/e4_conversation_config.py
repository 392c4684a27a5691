import uuid

from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller
from helpers.authoring.answers import wrong


def thread(name: str) -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


@wrong("One memory for everybody.")
def one_memory() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread("support")

    return conversation_config


@wrong("A new memory each time.")
def always_new() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(str(uuid.uuid4()))

    return conversation_config


@wrong("One memory for each customer.")
def customer_alone() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(caller.customer_id or f"guest {conversation}")

    return conversation_config


@wrong("The parts run together.")
def joined_by_a_hyphen() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(f"{caller.customer_id}-{conversation}")

    return conversation_config


@wrong("A guest may name any thread.")
def bare_for_guests() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        if caller.customer_id is None:
            return thread(conversation)
        return thread(repr((caller.customer_id, conversation)))

    return conversation_config


@wrong("A guest is the customer 'None'.")
def guest_is_none() -> object:
    def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
        return thread(repr((str(caller.customer_id), conversation)))

    return conversation_config
