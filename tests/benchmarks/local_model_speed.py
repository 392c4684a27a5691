"""Measures CPU time per token: `python -m tests.benchmarks.local_model_speed`.

The figures in `helpers/models/prices.py` come from here. One thread, one request at a time,
nothing cached; CPU time, because the engine runs inside this process and wall time depends on
what else the machine does. Reading and writing are separated by two kinds of requests: long
prompts with one token of answer, and short prompts with long answers.
"""

import os
import statistics
import time

os.environ["COURSE_THREADS"] = "1"

from helpers.models.chat import LocalChatModel
from helpers.models.embed import LocalEmbeddings

ROUNDS = 5
TEXT = (
    "The river rises in the hills north of the town and runs for ninety miles to the sea. "
    "In spring it floods the meadows, and in summer boats carry visitors past the old mills. "
)


def _cpu_seconds(prompt: str, tokens: int) -> tuple[float, int, int]:
    model = LocalChatModel(max_tokens=tokens)
    before = time.process_time()
    usage = model.invoke(prompt).usage_metadata
    assert usage is not None
    return time.process_time() - before, usage["input_tokens"], usage["output_tokens"]


def main() -> None:
    """Print CPU milliseconds per token, the median of all rounds."""
    _cpu_seconds("Say hello", 4)
    reading, writing, embedding = [], [], []
    for _ in range(ROUNDS):
        seconds, read, _ = _cpu_seconds(TEXT * 12, 1)
        reading.append(seconds / read)
        seconds, read, written = _cpu_seconds("Write a long story about a river.", 200)
        writing.append((seconds - read * reading[-1]) / written)
        before = time.process_time()
        LocalEmbeddings().embed_documents([TEXT] * 20)
        embedding.append((time.process_time() - before) / 20)
    for name, values, unit in (
        ("reading", reading, "prompt token"),
        ("writing", writing, "answer token"),
        ("embedding", embedding, "text of 40 tokens"),
    ):
        spread = f"{min(values) * 1000:.2f} to {max(values) * 1000:.2f}"
        print(f"{name}: {statistics.median(values) * 1000:.2f} CPU ms per {unit} ({spread})")


if __name__ == "__main__":
    main()
