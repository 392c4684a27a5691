"""Monitoring: what is measured while the agent serves, and what is made of it.

`answers` are the labelled answers, `groundedness` the detectors for answers that say more than
their passages, `detector_table` what each detector is worth. `rules.yml` are the alerts (tested by
`rules_test.yml`), `naive.yml` the thresholds that people write first; `testing` judges both on
replayed days (`course incidents`).
"""
