# Written by `course build` from solutions/src/09_trace_with_langsmith.py: change it there.
from dataclasses import dataclass
@dataclass(frozen=True)
class Reply:
    """What a model gives back; `read` and `written` are tokens."""
    text: str
    model: str
    read: int
    written: int
# The exercise's own cell.
import asyncio
from collections.abc import Awaitable, Callable

from langsmith import get_current_run_tree, traceable
from langsmith.utils import ContextThreadPoolExecutor


@traceable
async def answer(question: str, documents: Callable[[str], str], orders: Callable[[str], str],
                 model: Callable[[str], Awaitable[Reply]]) -> str:
    """The longer one of two drafts, from what the documents and the order book say."""
    @traceable("llm")
    async def draft(source, found):
        reply = await model(f"{found}\n\n{question}")
        if run := get_current_run_tree():  # there is none with tracing off
            run.add_metadata({"source": source, "ls_model_name": reply.model})
            run.set(usage_metadata={"input_tokens": reply.read, "output_tokens": reply.written,
                                    "total_tokens": reply.read + reply.written})
        return reply.text

    searches = [traceable("retriever", name="documents")(documents),
                traceable("tool", name="orders")(orders)]
    loop = asyncio.get_running_loop()
    with ContextThreadPoolExecutor(2) as pool:
        found = await asyncio.gather(
            *(loop.run_in_executor(pool, search, question) for search in searches))
    drafts = await asyncio.gather(draft("documents", found[0]), draft("orders", found[1]))
    return max(drafts, key=len)
ANSWER = answer
