"""One door to any model: the local one inside this process, or a hosted one by its id.

`chat_model()` and `embeddings()` give LangChain objects; nobody else in the course names a
provider. `prices.cost()` tells what a call cost, and `bulk_run()` keeps a budget.
"""

from helpers.models import prices
from helpers.models.door import chat_model, embeddings
from helpers.models.guard import bulk_run

__all__ = ["bulk_run", "chat_model", "embeddings", "prices"]
