# Written by `course build` from solutions/src/06_scale_with_ray.py: change it there.
# The exercise's own cell.
import asyncio
from collections.abc import AsyncIterator

from ray import serve
from ray.serve import Application
from ray.serve.handle import DeploymentHandle


def answering_app(documents: Application, orders: Application, writer: Application) -> Application:
    """An application whose `answer` streams what the writer makes of both searches."""
    @serve.deployment(max_ongoing_requests=100)
    class Answers:
        def __init__(self, *parts: DeploymentHandle) -> None:
            self.documents, self.orders, self.writer = parts

        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = [self.documents.find.remote(question), self.orders.find.remote(question)]
            try:
                found = list(await asyncio.gather(*calls))
                words = self.writer.options(stream=True).write.remote(question, found)
                calls.append(words)
                async for word in words:
                    yield word
            finally:
                for call in calls:
                    call.cancel()

    return Answers.bind(documents, orders, writer)
ANSWER = answering_app
