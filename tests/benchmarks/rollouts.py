"""The careful rollout of `course rollout`, several times in one run: what it loses, and sizes.

    python -m tests.benchmarks.rollouts --runs 5

Needs podman, runc and HAProxy; takes about two minutes for the image and one for each rollout.
"""

import argparse

from helpers.deploy.command_rollout import as_table, run
from helpers.deploy.rollout import VARIANTS


def main() -> None:
    """Roll out, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1000, help="of each rollout, at least")
    options = parser.parse_args()
    found = run(options.requests, [VARIANTS[-1]] * options.runs)
    print(as_table(found))
    lost = [each.lost for each in found.rolled]
    print(f"\nlost in {len(lost)} rollouts: {lost}")


if __name__ == "__main__":
    main()
