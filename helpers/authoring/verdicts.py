"""What the checks of an executed notebook said, read from the cards in its outputs."""

import nbformat

# Each card carries its verdict in this form too, for tools (`helpers.course.card.MIME`).
MIME = "application/vnd.course.check+json"


def verdicts(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Status by exercise, for instance `{"01.2": "passed"}`; the last card of each counts."""
    cards = [
        output.data[MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    return {card["exercise"]: card["status"] for card in cards}


def exercises(notebook: nbformat.NotebookNode) -> list[str]:
    """The exercises that a notebook has a cell for, in order."""
    return [cell.metadata.exercise for cell in notebook.cells if "exercise" in cell.metadata]


def not_passed(notebook: nbformat.NotebookNode) -> list[str]:
    """One phrase for each exercise whose check is missing or says anything but *passed*."""
    found = verdicts(notebook)
    return [
        f"{exercise} is {found.get(exercise, 'never checked')}"
        for exercise in exercises(notebook)
        if found.get(exercise) != "passed"
    ]
