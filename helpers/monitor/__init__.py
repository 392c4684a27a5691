"""Monitoring: what is measured while the agent serves, and what is made of it.

`answers` are the labelled answers, `groundedness` the detectors for answers that say more than
their passages, `detector_table` what each detector is worth; `ways_of_writing` are requests for a
test of bias. `rules.yml` are the alerts (tested by `rules_test.yml`), `naive.yml` the thresholds
that people write first; `testing` judges both on replayed days (`course incidents`).
"""

from helpers.monitor.answers import labelled_answers
from helpers.monitor.ways_of_writing import name_swaps, ways_of_writing

__all__ = ["labelled_answers", "name_swaps", "ways_of_writing"]
