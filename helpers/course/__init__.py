"""The learner's desk: checks, hints, quizzes, progress, and pictures.

A lab's cells use these names:

    check("01.2", my_function)      tries it and shows a card: passed, partly, wrong, not done yet
    hint("01.2")                    one more hint
    ready("01.2")                   whether that check passed, for cells that build on it
    TODO                            what stands where the learner's own code belongs
    run_async(coroutine)            runs async code on the loop that checks use too
    quiz("01")                      asks the questions that end a walkthrough
    earlier_programs()              lets the notebook import agent.py, service.py and the like
    show.table, show.intervals ...  tables, plots and progress bars (`helpers.course.show`)

Exercises are defined in `helpers/course/exercises/mNN.py`.
"""

from helpers.course import show
from helpers.course.check import check, hint, ready
from helpers.course.earlier import earlier_programs
from helpers.course.loop import run_async
from helpers.course.quiz import quiz
from helpers.course.todo import TODO, NotDoneYet

__all__ = [
    "TODO",
    "NotDoneYet",
    "check",
    "earlier_programs",
    "hint",
    "quiz",
    "ready",
    "run_async",
    "show",
]
