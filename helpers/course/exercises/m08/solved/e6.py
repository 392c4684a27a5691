# Written by `course build` from solutions/src/08_monitor_in_production.py: change it there.
# The exercise's own cell.
RULES = """
groups:
  - name: fernhill
    rules:
      - alert: LateOrFailed
        expr: |
          sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="5.0"}[5m]))
            < 0.5 * sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))
          and sum(increase(gen_ai_client_operation_duration_seconds_count[5m])) >= 5
        for: 1m
      - alert: CanaryWrong
        expr: sum by (intent) (increase(canary_answers_total{result="wrong"}[30m])) > 0
      - alert: ForeignAddress
        expr: increase(service_answers_foreign_address_total[30m]) > 0
      - alert: IndexOld
        expr: service_index_age_seconds > 2 * 86400
      - alert: Blocked
        expr: sum(increase(service_guardrail_blocks_total[10m])) >= 4
      - alert: ManyRefusals
        expr: sum(increase(service_answers_total{result="refused"}[10m])) >= 20
      - alert: PriceOfTokens
        expr: |
          sum(rate(service_cost_usd_total[5m]))
            / sum(rate(gen_ai_client_token_usage_sum[5m])) > 0.7e-6
        for: 6m
      - alert: MemoryGrows
        expr: deriv(process_resident_memory_bytes[30m]) * 86400 > 1e9
        for: 5m
"""
ANSWER = RULES
