"""Ask the model a question: `python main.py "How do I keep a tent dry?"`."""

import argparse
import os
import sys
from collections.abc import Sequence

from langchain.chat_models import BaseChatModel, init_chat_model
from langchain_core.callbacks import get_usage_metadata_callback

from ask import stream


def make_model(name: str) -> BaseChatModel:
    """The chat model of an id such as "openai:gpt-4.1-mini"."""
    # A server behind OPENAI_BASE_URL counts the tokens of a stream only when it is asked to.
    if name.startswith("openai:"):
        return init_chat_model(name, stream_usage=True)
    return init_chat_model(name)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the answer as it comes, and its tokens: 0 answered, 1 no answer, 2 no model chosen."""
    parser = argparse.ArgumentParser(description="Ask the model a question.")
    parser.add_argument("question", help="in quotation marks")
    question = parser.parse_args(argv).question
    name = os.environ.get("MODEL", "")
    if not name:
        print("Set MODEL to a model, for instance openai:gpt-4.1-mini.", file=sys.stderr)
        return 2
    try:
        with get_usage_metadata_callback() as counted:
            for words in stream(make_model(name), question):
                print(words, end="", flush=True)
        print()
    except Exception as error:  # a wrong key, no such model, no network: each package has its own
        print(f"{name} gave no answer. {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    for model, used in counted.usage_metadata.items():
        print(f"{model}: {used['input_tokens']} tokens read, {used['output_tokens']} written")
    if not counted.usage_metadata:
        print(f"{name} does not say how many tokens it took.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
