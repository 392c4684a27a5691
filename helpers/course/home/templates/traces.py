"""Ask a project's traces where the money went: `python traces.py shop`."""

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence

import pandas as pd
from langsmith import Client
from langsmith.utils import LangSmithError, LangSmithNotFoundError, LangSmithUserError

from tracing import costliest, excess, request_frame

# LangSmith's SDK announces a newer form of its queries, which is for async code alone.
warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)


def report(frame: pd.DataFrame, key: str) -> Iterator[str]:
    """What a project's requests cost, in lines: the total, the most expensive 5%, a group.

    Args:
        frame: as `request_frame` gives it.
        key: the metadata to group by; without it in any request there is no line of the group.
    """
    priced = frame[frame["cost"].notna()] if len(frame) else frame
    if not len(priced):
        yield f"{len(frame)} requests, and no price of any: what they cost is not known."
        return
    total, missing = priced["cost"].sum(), len(frame) - len(priced)
    yield f"{len(frame)} requests cost ${total:.6f}, without {missing} of no price."
    top = costliest(frame)
    share = top["cost"].sum() / total if total else 0
    yield f"The most expensive 5% make {share:.0%} of it:"
    for row in top.to_dict("records"):
        size = f"{row['tokens']:>7} tokens  {row['seconds']:6.1f} s"
        yield f"  ${row['cost']:.6f}  {size}  {row['id']}"
    if key in frame and total:
        group = excess(frame, key).iloc[0]
        yield (
            f"{key} {group.name}: {group['cost']:.0f}% of the cost by {group['requests']:.0f} "
            f"requests, {group['excess']:.0f} points more than their share."
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report: 0 printed, 1 the traces cannot be read."""
    parser = argparse.ArgumentParser(description="Say which requests of a project cost most.")
    parser.add_argument("project", help="the name in LANGSMITH_PROJECT")
    parser.add_argument("--by", default="thread_id", help="metadata to group by (thread_id)")
    options = parser.parse_args(argv)
    try:
        frame = request_frame(Client(), options.project)
    except LangSmithNotFoundError:
        print(f"There is no project {options.project} yet.", file=sys.stderr)
        return 1
    except (LangSmithError, LangSmithUserError) as error:
        print(f"The traces cannot be read: {error}", file=sys.stderr)
        print("Set LANGSMITH_API_KEY, as README.md says.", file=sys.stderr)
        return 1
    for line in report(frame, options.by):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
