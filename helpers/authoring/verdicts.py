"""Whether an executed solution passes every check of its own."""

import nbformat

from helpers.course.card import Status, statuses


def exercises(notebook: nbformat.NotebookNode) -> list[str]:
    """The exercises that a notebook has a cell for, in order."""
    return [cell.metadata.exercise for cell in notebook.cells if "exercise" in cell.metadata]


def not_passed(notebook: nbformat.NotebookNode) -> list[str]:
    """One phrase for each exercise whose check is missing or says anything but *passed*."""
    found = statuses(notebook)
    return [
        f"{exercise} is {found.get(exercise, 'never checked')}"
        for exercise in exercises(notebook)
        if found.get(exercise) != Status.PASSED
    ]
