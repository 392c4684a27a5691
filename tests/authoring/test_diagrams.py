"""Diagrams name their colours, so that they read whatever the theme is."""

from helpers.authoring.diagrams import COLOURS, SEQUENCE, coloured
from helpers.authoring.editions import FOLDERS, generate, stems
from helpers.paths import ROOT


def test_each_diagram_gets_its_colours() -> None:
    text = "A.\n\n```mermaid\nflowchart LR\n```\n\n- B\n\n  ```mermaid\n  graph TD\n  ```\n"
    assert coloured(text) == (
        f"A.\n\n```mermaid\n{COLOURS}\nflowchart LR\n```\n\n- B\n\n"
        f"  ```mermaid\n  {COLOURS}\n  graph TD\n  ```\n"
    )
    assert coloured(coloured(text)) == coloured(text)


def test_a_sequence_diagram_gets_those_of_its_messages_too() -> None:
    assert coloured("```mermaid\nsequenceDiagram\nA->>B: ask\n```") == (
        f"```mermaid\n{SEQUENCE}\nsequenceDiagram\nA->>B: ask\n```"
    )


def test_an_authors_own_directive_and_other_code_stay() -> None:
    for text in (
        '```mermaid\n%%{init: {"theme": "base"}}%%\ngraph TD\n```',
        "```python\nmermaid\n```",
        "The word ```mermaid in a line.",
    ):
        assert coloured(text) == text


def test_every_diagram_of_the_course_has_them() -> None:
    found = 0
    for edition, (folder, _) in FOLDERS.items():
        for stem in stems(ROOT / folder, "*.py"):
            for cell in generate(ROOT, edition, stem).cells:
                if cell.cell_type == "markdown":
                    diagrams = cell.source.split("```mermaid\n")[1:]
                    for one in diagrams:
                        of_kind = SEQUENCE if "\nsequenceDiagram\n" in one else COLOURS
                        assert one.startswith(of_kind), stem
                    found += len(diagrams)
    assert found
