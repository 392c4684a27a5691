"""Monitoring: what is measured while the agent serves, and what is made of it.

`answers` are the labelled answers, `groundedness` the detectors for answers that say more than
their passages, `detector_table` what each detector is worth; `ways_of_writing` are requests for a
test of bias.
"""

from helpers.monitor.answers import labelled_answers
from helpers.monitor.ways_of_writing import name_swaps, ways_of_writing

__all__ = ["labelled_answers", "name_swaps", "ways_of_writing"]
