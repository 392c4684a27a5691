"""Hand an output to the notebook, or print its text where there is none."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Output:
    """The same content twice: for a notebook, and for a terminal or a screen reader."""

    html: str
    text: str

    def bundle(self) -> dict[str, str]:
        """The output as Jupyter's map from MIME type to content."""
        return {"text/html": self.html, "text/plain": self.text}


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code (a terminal, IPython's too, is none)."""
    # Whoever runs in a kernel has imported both; importing them here would cost a command 0.3 s.
    if "IPython" not in sys.modules or "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def put(output: Output) -> None:
    """Show an output now, wherever in the cell the call stands."""
    if not in_notebook():
        print(output.text)
        return
    from IPython.display import publish_display_data

    publish_display_data(output.bundle())  # type: ignore[no-untyped-call]
