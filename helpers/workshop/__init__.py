"""The instructor's desk: grade a folder of submitted labs, and prepare a workshop (`kit`).

`course grade FOLDER` puts the exercise cells of each submission, and the learner's own cells that
these need, into a fresh lab. It runs that lab in a fresh kernel with a time and a memory limit, and
reports what the real checks find, and why. An exercise that the course's own solution does not pass
on this machine either is not graded. Of the lab's own cells, only those run that the checks need.
Submissions use copies of the course, one at a time; a copy is used again while nothing in it has
changed. `course workshop` has what comes before and after a workshop.

This is no sandbox. A submission runs as you, on your machine: it can read your files, reach your
network and spend your money. The limits and the checked copies protect the report from slips,
endless loops and simple tricks. They do not protect your data from an attacker. Grade code from
people whom you do not trust in a virtual machine or a container that holds nothing else.
"""

from helpers.workshop.grade import LearnerRow, Report, grade
from helpers.workshop.labs import GradeError
from helpers.workshop.run import Grade

__all__ = ["Grade", "GradeError", "LearnerRow", "Report", "grade"]
