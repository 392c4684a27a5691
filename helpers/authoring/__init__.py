'''The author's bench: sources become notebooks, labs, solutions and programs.

What is written by hand
-----------------------
- `notebooks/src/NN_topic.py`: a walkthrough, becomes `notebooks/NN_topic.ipynb`.
- `solutions/src/NN_topic.py`: a solved lab, becomes `solutions/NN_topic.ipynb`, and
  `labs/NN_topic.ipynb` with everything marked as solution removed.

From the marked cells of walkthroughs, `helpers/course/home/programs/` gets the programs that a
learner takes home.

`course build` makes them, running walkthroughs and solutions from top to bottom; `course build
--check` says whether what is committed is what the sources give. Nobody edits a built notebook.

The format
----------
Both are Python files in jupytext's percent format. A cell begins with `# %%` (code) or
`# %% [markdown]` (text) and these attributes, each written `key="value"`:

- `name="retrieve"`: becomes the cell's id, so it is unique in its notebook and stays the same for
  good: lower-case letters, digits, hyphens. Every cell has a name, but for two kinds that get
  theirs from the exercise: the cell with `exercise="01.2"` is `exercise-01-2`, and a code cell
  that begins with `check("01.2", ...)` is `check-01-2`.
- `tags=["parameters"]`: passed on. Every walkthrough and every solution has one cell with this
  tag, which sets `model` and `fast` (see the example: papermill understands only lines with one
  `=`). `nbval-check-output` marks a cell whose output must be the same on every run.
  `stored:02-agent` marks a step that takes over two minutes on an idle two-core machine and reads
  its answers from the stored run of that name, unless `COURSE_LIVE` is set: see
  `helpers.evaluate.stored`. `course runs --store` makes the runs again that are not of the agent as
  it is; a test fails until that is done.
- `exercise="01.2"` (solutions only): the one cell that the learner fills for this exercise.
- `mend=true` (exercise cells): the learner gets code to mend, not a `TODO` to replace.
- `only="lab"` or `only="solution"` (solutions only): the cell stands in that one alone. Two such
  cells, one of each, may share a name.
- `only="instructor"`: a note beside the text, for those who teach: what people get wrong here, what
  to ask, what to skip. No learner's notebook has it; `source.with_notes` gives the cells with it.
- `then="01.1 01.2"` (instructor's notes in walkthroughs): the exercises that people can do from
  here on. `course workshop plan` puts them here, and those that no note names at the end.
  `needs="What is an agent?; What does it remember?"` beside it: the earlier sections that these
  exercises use. A plan with the exercise has these sections too.
- `app="agent.py"` (code cells of walkthroughs): the cell is part of that program; see below.

In an exercise cell, lines of this form make the difference between the two:

    # LAB: return TODO          in the lab this line, without the mark; not in the solution
    # BEGIN SOLUTION            the lines between these two are not in the lab;
    # END SOLUTION              the marks themselves are in neither

A mark is indented like the code around it, and what follows `# LAB: ` may be indented further.
`TODO` comes from `helpers.course`: as long as it is there, the check says *not done yet*. Every
exercise cell puts it in the lab at least once, unless it says `mend=true`.

A trailing `# noqa: ...` or `# type: ignore[...]` is for the linters and reaches no notebook.
Commands for IPython are written as comments: `# %matplotlib inline`.

A complete solution source
--------------------------
    # %% [markdown] name="title" only="lab"
    # # Lab 01: Build an agent
    #
    # **60 minutes.** Fill each cell that has a `TODO`, run it, then run the check below it.

    # %% [markdown] name="title" only="solution"
    # # Solution of lab 01: Build an agent

    # %% name="imports"
    import os

    from helpers.course import TODO, check  # noqa: F401

    # %% name="parameters" tags=["parameters"]
    model = os.environ.get("COURSE_MODEL", "local")  # which model answers
    fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

    # %% [markdown] name="refuse-goal"
    # ## 1. Refuse what the documents do not answer
    #
    # Write `refuse`. For instance, `refuse(0.1)` is `True`.

    # %% exercise="01.1"
    def refuse(score: float) -> bool:
        """Whether a best passage with this similarity (0 to 1) is too far from the question."""
        # LAB: return TODO  # True or False
        # BEGIN SOLUTION
        threshold = 0.42
        return score < threshold
        # END SOLUTION

    # %%
    check("01.1", refuse)

    # %% [markdown] name="limit-goal"
    # ## 2. Choose a limit
    #
    # Set `LIMIT` to the number of passages that the model reads.

    # %% exercise="01.2"
    # LAB: LIMIT = TODO
    # BEGIN SOLUTION
    LIMIT = 1
    # END SOLUTION

    # %%
    check("01.2", LIMIT)

    # %% [markdown] name="why" only="solution"
    # One passage is enough for this model: with three it mixes them up.

The cell of exercise 01.1 in the lab, ready to be filled:

    def refuse(score: float) -> bool:
        """Whether a best passage with this similarity (0 to 1) is too far from the question."""
        return TODO  # True or False

A walkthrough source is written the same way, without exercise cells and marks; `only` says nothing
but "instructor" there.

Programs
--------
The cells of a walkthrough with the same `app` make one file of plain field libraries, which runs
where `helpers` is not installed and which `course new` writes into a learner's own project.

    # %% name="search" app="agent.py"
    from langchain_core.vectorstores import VectorStore


    def search(store: VectorStore, question: str) -> list[str]:
        """The texts of the two documents that are nearest to the question."""
        return [found.page_content for found in store.similarity_search(question, k=2)]

- Its name is plain and in lower case: "agent.py", "rules.yml", "serve.yaml", "Dockerfile", or a
  path such as "k8s/deployment.yaml". One walkthrough makes a program, and may make several.
- A cell of a .py file imports and defines: functions, classes, constants. What runs them is in a
  cell without `app`. Model, embeddings and data are arguments. Types and docstrings are complete:
  ruff and mypy check the program by the rules of the package.
- Definitions keep the order of their cells. Where a later cell defines a name again, the program
  has the last definition, at the later place. A definition that others need when they are defined
  (as decorator, base class or constant's value) moves up before them. Several definitions of a name
  within one cell, such as overloads, stay together.
- Imports are gathered at the top, also from cells without `app`, where the program uses what they
  import. A name that another program defines, here or in an earlier walkthrough, is imported from
  there: `from agent import search`, whether the notebook has it from its own cell or from
  `helpers`. Any other name from `helpers` or from a cell without `app` is an error.
- Any other file is what a `%%writefile` cell writes. In the source its lines are comments:

      # %% name="service-yaml" app="k8s/service.yaml"
      # %%writefile k8s/service.yaml
      # apiVersion: v1
      # kind: Service

  A second such cell replaces the file, or adds to it with `%%writefile -a`.

`course build NN` tries whether a changed Python program can be imported without `helpers`, and
writes it. `course build --check` says where a program is not what the cells give, and where one is
left over. tests/home/test_programs_alone.py runs each one: a new program needs an entry there.

What the build leaves out
-------------------------
The times of execution, paths of this machine, memory addresses, progress bars and live widgets
are run noise and are not stored. Figures that a cell measured are not noise: they stay. A cell
that ends in an error stops the build.
'''

from helpers.authoring.source import SourceCell, SourceError, read_source

__all__ = ["SourceCell", "SourceError", "read_source"]
