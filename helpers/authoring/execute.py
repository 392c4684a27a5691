"""Run a notebook from top to bottom, in a fresh kernel, and keep its outputs."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_LIMIT_S = 1800
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class RunError(Exception):
    """A notebook did not run to its end; the message names the cell and what happened."""


def kernel_environment(home: Path, *, fast: bool) -> dict[str, str]:
    """The environment in which a notebook is built: the defaults, whatever the author has set.

    Args:
        home: the course folder that the kernel writes to, so that nobody's progress changes.
        fast: True for the small samples that the tests use.
    """
    inherited = {name: value for name, value in os.environ.items() if name[:7] != "COURSE_"}
    if threads := os.environ.get("COURSE_THREADS"):
        inherited["COURSE_THREADS"] = threads  # changes the time a run takes, not what comes out
    return {
        **inherited,
        "COURSE_HOME": str(home),
        "COURSE_FAST": "1" if fast else "",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger's warning at each start
    }


def execute(
    notebook: nbformat.NotebookNode,
    *,
    name: str,
    folder: Path,
    environment: Mapping[str, str],
    limit: int | None = CELL_LIMIT_S,
) -> None:
    """Run every cell; outputs and execution counts go into `notebook` itself.

    Args:
        name: the notebook's name as messages give it.
        folder: where the kernel starts, as it would when JupyterLab opens the file.
        environment: the kernel's variables.
        limit: seconds that a cell may take; None: as long as it takes.

    Raises:
        RunError: a cell ended in an error or took over `limit`, or the kernel died.
    """
    client = NotebookClient(
        notebook,
        timeout=limit,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],  # each kernel warns of its unencrypted loopback
        record_timing=False,
        store_widget_state=False,
    )
    try:
        client.execute(env=dict(environment))
    except CellExecutionError as error:
        message = _ANSI.sub("", str(error)).strip()
        raise RunError(f"{name}, {_last_run(notebook)} ended in an error:\n{message}") from None
    except CellTimeoutError:
        raise RunError(f"{name}, {_last_run(notebook)} ran over {limit} s.") from None
    except (DeadKernelError, AssertionError) as error:
        # Cleaning up after a kernel that died, nbclient can fail at an assertion of its own.
        if not any(isinstance(one, DeadKernelError) for one in (error, error.__context__)):
            raise
        raise RunError(f"{name}, {_last_run(notebook)}: the kernel died.") from None


def _last_run(notebook: nbformat.NotebookNode) -> str:
    """The cell that was running: the last one that has a count or an output."""
    begun = [
        cell.id
        for cell in notebook.cells
        if cell.cell_type == "code" and (cell.execution_count is not None or cell.outputs)
    ]
    return f"cell {begun[-1]!r}" if begun else "before its first cell"
