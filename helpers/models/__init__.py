"""One door to any model: the local one inside this process, or a hosted one by its id.

`chat_model()` and `embeddings()` give LangChain objects; nobody else in the course names a
provider. `prices` tells what a call cost.
"""

from helpers.models.door import chat_model, embeddings

__all__ = ["chat_model", "embeddings"]
