"""The instructor's desk: grade a folder of submitted labs.

`course grade FOLDER` takes the exercise cells of each submission, and nothing else, into a fresh
lab, runs that in a fresh kernel with a time and a memory limit, and reports what the real checks
find.

This is no sandbox. A submission runs as you, on your machine: it can read your files, reach your
network and spend your money. The limits and the fresh copies keep slips, endless loops and simple
tricks from spoiling the report, not an attacker from your data. Grade code from people whom you do
not trust in a virtual machine or a container that holds nothing else.
"""

from helpers.workshop.grade import Grade, LearnerRow, Report, grade
from helpers.workshop.labs import GradeError

__all__ = ["Grade", "GradeError", "LearnerRow", "Report", "grade"]
