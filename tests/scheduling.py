"""Which tests run one after another in one worker: those of a file, because they share a server.

Two files hold the tests of every module; there, those of a module stay together, so that both
workers have something to do until the end.
"""

import re

from xdist.scheduler import LoadFileScheduling

BY_MODULE = ("tests/course/test_wrong_answers.py", "tests/notebooks/test_every_notebook.py")


class ByFileAndModule(LoadFileScheduling):
    """pytest-xdist's `--dist loadfile`, with the files of `BY_MODULE` divided."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """The name under which a test's neighbours are kept together."""
    file, _, test = nodeid.partition("::")
    module = re.search(r"\[\D*(\d\d)[._]", test)
    return f"{file}::{module[1]}" if file in BY_MODULE and module else file
