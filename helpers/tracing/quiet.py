"""Reading runs by the SDK's older queries, which it announces to remove in 2027.

The newer ones give sums without what is below a run, and are there only for async code.
"""

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the SDK's warnings about `list_runs` and `read_run`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)
        yield
