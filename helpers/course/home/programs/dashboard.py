# Written by `course build` from notebooks/src/08_monitor_in_production.py: edit it there.

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder

FIRST_TOKEN = "sum by (le) (rate(gen_ai_server_time_to_first_token_seconds_bucket[5m]))"
PANELS = {
    "Answers a minute": ("60 * sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))", ""),
    "First token, 95th percentile": (f"histogram_quantile(0.95, {FIRST_TOKEN})", "s"),
    "Late or failed": ("answers:bad:ratio_rate5m", "percentunit"),
    "US dollars an hour": ("3600 * sum(rate(agent_cost_usd_total[5m]))", "currencyUSD"),
    "Tools that fail": ('sum by (tool) (rate(agent_tool_calls_total{ended="error"}[30m]))', "cps"),
}


def dashboard() -> str:
    """The dashboard, as JSON that Grafana imports."""
    board = Dashboard("Support agent").uid("support-agent").refresh("30s").time("now-6h", "now")
    for title, (expression, unit) in PANELS.items():
        panel = Panel().title(title).unit(unit)
        asked = Dataquery().expr(expression)
        board = board.with_panel(panel.with_target(asked))
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return encoder.encode(board.build())
