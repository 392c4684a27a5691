# Written by `course build` from solutions/src/08_monitor_in_production.py: change it there.
# The exercise's own cell.
asked = 'sum(increase(answer_seconds_count{route="/chat"}[1h]))'
slow = """
1 - sum(rate(answer_seconds_bucket{route="/chat", le="3.0"}[30m]))
  / (sum(rate(answer_seconds_count{route="/chat"}[30m])) > 0)
"""
p95 = """
histogram_quantile(0.95,
  sum by (le, version) (rate(answer_seconds_bucket{route="/chat"}[30m]))) >= 0
"""
ANSWER = {'asked': asked, 'slow': slow, 'p95': p95}
