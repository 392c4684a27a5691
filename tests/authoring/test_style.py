"""What `measure` counts."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.authoring.style import measure, words


def test_pieces_of_a_notebook() -> None:
    code = [new_code_cell("\n\n".join("x" * n)) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 30)]
    text = [new_markdown_cell("Five words are in here."), new_markdown_cell("# Title")]
    style = measure(new_notebook(cells=code + text))
    assert (style.cells, style.code_cells, style.text_cells) == (12, 10, 2)
    assert (style.lines_median, style.lines_p90, style.lines_max) == (5.5, 9, 30)
    assert style.words_per_code_cell == 0.6
    assert style.text_to_code == 0.2


def test_a_notebook_without_code() -> None:
    style = measure(new_notebook(cells=[new_markdown_cell("text")]))
    assert (style.code_cells, style.lines_median, style.lines_p90, style.lines_max) == (0, 0, 0, 0)


def test_only_what_is_read_counts_as_words() -> None:
    assert words("It doesn't take 1.5 s.") == 5
    assert words("See [the lab](../labs/01_build_an_agent.ipynb).") == 3
    assert words("Before.\n\n```mermaid\ngraph LR\n  a --> b\n```\n\nAfter.") == 2
    assert words("<details><summary>Why?</summary>Because.</details>") == 2
    assert words("| a | b |\n|---|---|\n| 1 | 2 |") == 4
