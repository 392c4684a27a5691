"""What `course ray index` and `eval` share: their cluster, and the settings of its workers."""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def add_workers(parser: argparse.ArgumentParser, does: str) -> None:
    """The arguments that say where the work is done, and by how many; `does` is a verb."""
    parser.add_argument(
        "--address",
        default=os.environ.get("RAY_ADDRESS"),
        help="a running cluster, host:port (RAY_ADDRESS; else one on this machine is started)",
    )
    parser.add_argument("--workers", type=_count, default=2, help=f"actors that {does} (2)")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of workers: give 1 or more")
    return int(text)


@contextmanager
def cluster(options: argparse.Namespace) -> Iterator[None]:
    """Be connected to it; what was started here is stopped at the end.

    Raises ClusterError where it does not start or cannot be reached.
    """
    from helpers.scale.cluster import join_ray, start_ray

    if options.address:
        running = join_ray(options.address)
    else:
        running = start_ray(cpus=max(4.0, float(options.workers)))
    try:
        yield
    finally:
        running.stop()


def course_settings() -> dict[str, str]:
    """The course's variables in this process: which models, and how they run."""
    return {name: value for name, value in os.environ.items() if name.startswith("COURSE_")}


def adopt(settings: Mapping[str, str]) -> None:
    """Take over the variables of the process that shares out the work, in a worker.

    Its cluster may be older than they are.
    """
    for name in course_settings().keys() - settings.keys():
        del os.environ[name]
    os.environ.update(settings)
