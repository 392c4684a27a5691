"""The instructor's desk: grade a folder of submitted labs, and prepare a workshop (`kit`).

`course grade FOLDER` takes the exercise cells of each submission, and what they need of the
learner's own cells, into a fresh lab, runs that in a fresh kernel with a time and a memory limit,
and reports what the real checks find, and why. What the course's own solution does not pass on this
machine either is not graded. Of the lab's own cells it runs those that the checks need. Submissions
share copies of the course, one at a time, while nothing in them changes. `course workshop` has what
comes before and after a workshop.

This is no sandbox. A submission runs as you, on your machine: it can read your files, reach your
network and spend your money. The limits and the checked copies keep slips, endless loops and simple
tricks from spoiling the report, not an attacker from your data. Grade code from people whom you do
not trust in a virtual machine or a container that holds nothing else.
"""

from helpers.workshop.grade import LearnerRow, Report, grade
from helpers.workshop.labs import GradeError
from helpers.workshop.run import Grade

__all__ = ["Grade", "GradeError", "LearnerRow", "Report", "grade"]
