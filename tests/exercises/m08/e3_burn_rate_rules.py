"""Answers to exercise 08.3, right and wrong."""

import json
import textwrap
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import yaml

from helpers.authoring.answers import right, wrong

Row = tuple[str, float, str, str, str]
Expression = Callable[[str, float, Row], str]

PAGE: Row = ("page", 14.4, "1h", "5m", "2m")
TICKET: Row = ("ticket", 6, "6h", "30m", "15m")


def every(service: str) -> str:
    return f'answers_total{{service="{service}"}}'


def bad(service: str) -> str:
    return f'answers_total{{service="{service}", ended!="success"}}'


def share(service: str, window: str) -> str:
    return f"sum(rate({bad(service)}[{window}])) / sum(rate({every(service)}[{window}]))"


def enough(service: str, window: str, least: int = 20) -> str:
    return f"sum(increase({every(service)}[{window}])) >= {least}"


def plain(service: str, objective: float, row: Row) -> str:
    _, factor, long, short, _ = row
    limit = factor * (1 - objective)
    return (
        f"{share(service, long)} > {limit} and {share(service, short)} > {limit}"
        f" and {enough(service, long)}"
    )


def built(
    expression: Expression = plain,
    rows: Sequence[Row] = (PAGE, TICKET),
    *,
    check: Callable[[float], bool] = lambda objective: 0 < objective < 1,
    labels: Callable[[str, Row], dict[str, str]] = lambda service, row: {
        "severity": row[0],
        "service": service,
    },
    summary: str = "{{ $value }} of the answers are bad",
    error: type[Exception] = ValueError,
    dump: Callable[[Any], Any] = yaml.safe_dump,
) -> object:
    """An answer that may differ from the solution in one thing."""

    def burn_rate_rules(service: str, objective: float) -> Any:
        if not check(objective):
            raise error(f"an objective of {objective}")
        rules = [
            {
                "alert": "BudgetBurns",
                "expr": expression(service, objective, row),
                "labels": labels(service, row),
                "annotations": {"summary": summary} if summary else {"text": "none"},
            }
            | ({"for": row[4]} if row[4] else {})
            for row in rows
        ]
        return dump({"groups": [{"name": "budget", "rules": rules}]})

    return burn_rate_rules


def replaced(old: str, new: str) -> object:
    """The right expressions with one part replaced."""

    def expression(service: str, objective: float, row: Row) -> str:
        return plain(service, objective, row).replace(old, new)

    return built(expression)


@wrong("It returns nothing.", slip="not-taken")
def nothing() -> object:
    return lambda service, objective: None


@wrong("An empty text.")
def empty() -> object:
    return lambda service, objective: ""


@wrong("A dict in the place of a text.", slip="not-taken")
def a_dict() -> object:
    return built(dump=lambda rules: rules)


@wrong("No YAML.", slip="not-taken")
def no_yaml() -> object:
    return lambda service, objective: "groups: [{name: budget"


@wrong("A bracket too few.", slip="not-taken")
def no_promql() -> object:
    return built(lambda service, objective, row: plain(service, objective, row) + " and (1")


@wrong("No rules.")
def no_rules() -> object:
    return built(rows=())


@wrong("Alerts that never fire.", slip="never-pages")
def never() -> object:
    return built(
        lambda service, objective, row: f"{plain(service, objective, row)} and vector(0) > 1"
    )


@wrong("The page alone.", slip="no-ticket")
def page_alone() -> object:
    return built(rows=[PAGE])


@wrong("The ticket alone.")
def ticket_alone() -> object:
    return built(rows=[TICKET])


@wrong("The long window alone.", slip="no-short-window")
def no_short_window() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        return f"{share(service, row[2])} > {limit} and {enough(service, row[2])}"

    return built(expression)


@wrong("The short window alone.", slip="no-long-window")
def no_long_window() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        return f"{share(service, row[3])} > {limit} and {enough(service, row[2])}"

    return built(expression)


@wrong("One of the windows is enough.", slip="no-long-window")
def either_window() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        long, short = (f"{share(service, window)} > {limit}" for window in row[2:4])
        return f"({long} or {short}) and {enough(service, row[2])}"

    return built(expression)


@wrong("Without for.", slip="no-for")
def no_for() -> object:
    return built(rows=[(*PAGE[:4], ""), (*TICKET[:4], "")])


@wrong("The ticket without for.", slip="ticket-too-early")
def ticket_without_for() -> object:
    return built(rows=[PAGE, (*TICKET[:4], "")])


@wrong("The page waits a minute longer.", slip="never-pages")
def longer_for() -> object:
    return built(rows=[(*PAGE[:4], "3m"), TICKET])


@wrong("Windows of 2 hours and 5 minutes.")
def longer_window() -> object:
    return built(rows=[("page", 14.4, "2h", "5m", "2m"), TICKET])


@wrong("The ticket looks at 3 hours.", slip="ticket-too-early")
def shorter_window() -> object:
    return built(rows=[PAGE, ("ticket", 6, "3h", "30m", "15m")])


@wrong("The ticket's short window is the page's.")
def same_short_window() -> object:
    return built(rows=[PAGE, ("ticket", 6, "6h", "5m", "15m")])


@wrong("A factor of 10 for the page.", slip="pages-on-slow")
def lower_factor() -> object:
    return built(rows=[("page", 9.9, "1h", "5m", "2m"), TICKET])


@wrong("A factor of 14 for the page.")
def rounded_factor() -> object:
    return built(rows=[("page", 14, "1h", "5m", "2m"), TICKET])


@wrong("A factor of 15 for the page.")
def rounded_up() -> object:
    return built(rows=[("page", 15, "1h", "5m", "2m"), TICKET])


@wrong("A factor of 7 for the ticket.")
def higher_ticket() -> object:
    return built(rows=[PAGE, ("ticket", 7, "6h", "30m", "15m")])


@wrong("The limits of one objective.", slip="argument-ignored")
def fixed_objective() -> object:
    return built(lambda service, objective, row: plain(service, 0.99, row))


@wrong("The share is compared with the factor times the objective.", slip="never-pages")
def times_objective() -> object:
    return built(lambda service, objective, row: plain(service, 1 - objective, row))


@wrong("A limit that is rounded to a thousandth.", slip="argument-ignored")
def rounded_limit() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        return plain(service, objective, row).replace(f"> {limit}", f"> {round(limit, 3)}")

    return built(expression)


@wrong("The service of the example.", slip="argument-ignored")
def fixed_service() -> object:
    return built(lambda service, objective, row: plain("shop", objective, row))


@wrong("All services.", slip="every-service")
def every_service() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        return plain(service, objective, row).replace(f'service="{service}"', 'service!=""')

    return built(expression)


@wrong("All services whose name begins like this.", slip="every-service")
def by_prefix() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        return plain(service, objective, row).replace(f'="{service}"', f'=~"{service}.*"')

    return built(expression)


@wrong("Errors, and no timeouts.", slip="errors-only")
def errors_only() -> object:
    return replaced('ended!="success"', 'ended="error"')


@wrong("A list of the bad ways to end.", slip="errors-only")
def listed() -> object:
    return replaced('ended!="success"', 'ended=~"error|timeout"')


@wrong("1 - good / all.", slip="needs-success")
def needs_success() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        good = f'answers_total{{service="{service}", ended="success"}}'
        parts = [
            f"1 - sum(rate({good}[{window}])) / sum(rate({every(service)}[{window}])) > {limit}"
            for window in row[2:4]
        ]
        return " and ".join([*parts, enough(service, row[2])])

    return built(expression)


@wrong("Bad ones divided by good ones.")
def by_good() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        whole = plain(service, objective, row)
        for window in row[2:4]:
            good = f'answers_total{{service="{service}", ended="success"}}'
            whole = whole.replace(
                f"/ sum(rate({every(service)}[{window}]))", f"/ sum(rate({good}[{window}]))"
            )
        return whole

    return built(expression)


@wrong("Each instance by itself.", slip="by-instance")
def by_instance() -> object:
    return replaced("sum(", "sum by (instance) (")


@wrong("The counters' values, without rate.")
def without_rate() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        now = f"sum({bad(service)}) / sum({every(service)}) > {limit}"
        return f"{now} and {enough(service, row[2])}"

    return built(expression)


@wrong("The sum is taken before the rate: restarts count.", slip="sum-first")
def rate_of_sum() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        parts = [
            f"rate(sum({bad(service)})[{window}:30s]) / rate(sum({every(service)})[{window}:30s])"
            f" > {limit}"
            for window in row[2:4]
        ]
        return " and ".join([*parts, enough(service, row[2])])

    return built(expression)


@wrong("All answers are those of all services.", slip="others-count")
def share_of_all_services() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        below = f"/ sum(rate({every(service)}["
        return plain(service, objective, row).replace(below, "/ sum(rate(answers_total[")

    return built(expression)


@wrong("The answers of all services count for the minimum.", slip="others-count")
def minimum_of_all_services() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        of_one = f"sum(increase({every(service)}["
        return plain(service, objective, row).replace(of_one, "sum(increase(answers_total[")

    return built(expression)


@wrong("More than 20.", slip="more-than-20")
def more_than_20() -> object:
    return replaced(">= 20", "> 20")


@wrong("The limit itself is above the limit.", slip="at-the-limit")
def at_the_limit() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        limit = row[1] * (1 - objective)
        return plain(service, objective, row).replace(f"> {limit}", f">= {limit}")

    return built(expression)


@wrong("The alert goes on after its end.", slip="keeps-firing")
def keeps_firing() -> object:
    def dump(rules: Any) -> str:
        for rule in rules["groups"][0]["rules"]:
            rule["keep_firing_for"] = "10m"
        return yaml.safe_dump(rules)

    return built(dump=dump)


@wrong("No minimum.", slip="no-minimum")
def no_minimum() -> object:
    return replaced(">= 20", ">= 0")


@wrong("A minimum of 10.", slip="no-minimum")
def lower_minimum() -> object:
    return replaced(">= 20", ">= 10")


@wrong("A minimum of 30.")
def higher_minimum() -> object:
    return replaced(">= 20", ">= 30")


@wrong("The page's window for both minima.", slip="one-minimum")
def one_minimum() -> object:
    return replaced("[6h])) >= 20", "[1h])) >= 20")


@wrong("A minimum in the short window.")
def short_minimum() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        return plain(service, objective, row) + f" and {enough(service, row[3])}"

    return built(expression)


@wrong("A minimum of bad answers.", slip="minimum-of-bad")
def minimum_of_bad() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        all_of_them = f"sum(increase({every(service)}["
        return plain(service, objective, row).replace(all_of_them, f"sum(increase({bad(service)}[")

    return built(expression)


@wrong("The labels have no service.", slip="no-service")
def no_service() -> object:
    return built(labels=lambda service, row: {"severity": row[0]})


@wrong("The severities have other names.")
def other_severities() -> object:
    return built(labels=lambda service, row: {"severity": f"{row[0]}s".upper(), "service": service})


@wrong("Both are pages.")
def both_page() -> object:
    return built(labels=lambda service, row: {"severity": "page", "service": service})


@wrong("No summary.", slip="no-summary")
def no_summary() -> object:
    return built(summary="")


@wrong("An alert twice.")
def twice() -> object:
    return built(rows=[PAGE, TICKET, PAGE])


@wrong("An objective of 1 is taken.")
def one_is_taken() -> object:
    return built(check=lambda objective: 0 < objective <= 1)


@wrong("An objective of 0 is taken.")
def zero_is_taken() -> object:
    return built(check=lambda objective: 0 <= objective < 1)


@wrong("Percentages are taken.")
def anything_is_taken() -> object:
    return built(check=lambda objective: objective > 0 and objective != 1)


@wrong("What is no number is taken.")
def nan_is_taken() -> object:
    return built(check=lambda objective: not (objective <= 0 or objective >= 1))


@wrong("Another error.")
def another_error() -> object:
    return built(error=TypeError)


@wrong("The rules of the first call, for all.", slip="argument-ignored")
def first_call() -> object:
    kept: list[str] = []
    make: Any = built()

    def burn_rate_rules(service: str, objective: float) -> str:
        kept.append(make(service, objective))
        return kept[0]

    return burn_rate_rules


@wrong("Recording rules in a group of their own, which may be evaluated later.", slip="two-groups")
def in_two_groups() -> object:
    return in_groups(alerts_first=True)


@wrong("The same, where this group is the first of the file.", slip="two-groups")
def records_first() -> object:
    return in_groups(alerts_first=False)


def in_groups(*, alerts_first: bool) -> object:
    one: Any = recorded()

    def burn_rate_rules(service: str, objective: float) -> str:
        group = yaml.safe_load(one(service, objective))["groups"][0]
        first = [rule for rule in group["rules"] if "record" in rule]
        second = [rule for rule in group["rules"] if "alert" in rule]
        groups = [{"name": "a", "rules": second}, {"name": "b", "rules": first}]
        return yaml.safe_dump({"groups": groups if alerts_first else groups[::-1]})

    return burn_rate_rules


@right("A text with recording rules.")
def recorded() -> object:
    def burn_rate_rules(service: str, objective: float) -> str:
        if not 0 < objective < 1:
            raise ValueError(f"The objective {objective} is no share.")
        text = "groups:\n  - name: burning\n    rules:\n"
        for window in ("5m", "30m", "1h", "6h"):
            text += textwrap.indent(
                textwrap.dedent(f"""
                - record: service:burn:rate{window}
                  labels: {{service: {service}}}
                  expr: |
                    ({share(service, window)})
                      / {1 - objective}
                - record: service:answers:increase{window}
                  labels: {{service: {service}}}
                  expr: {enough(service, window).removesuffix(" >= 20")}
                """),
                "      ",
            )
        for severity, factor, long, short, wait in (PAGE, TICKET):
            own = f'{{service="{service}"}}'
            text += textwrap.indent(
                textwrap.dedent(f"""
                - alert: Burns{severity.title()}
                  expr: |
                    service:burn:rate{long}{own} > {factor}
                    and service:burn:rate{short}{own} > {factor}
                    and service:answers:increase{long}{own} >= 20
                  for: {wait}
                  labels: {{severity: {severity}, team: shop}}
                  annotations:
                    summary: '{{{{ $labels.service }}}} burns {{{{ $value | humanize }}}} times'
                """),
                "      ",
            )
        return text

    return burn_rate_rules


@right("By service, in JSON; `unless` for few answers; the factor on the other side.")
def in_json() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        _, factor, long, short, _ = row
        parts = [
            f"(sum by (service) (increase({bad(service)}[{window}]))"
            f" > {factor} * (1 - {objective}) * sum by (service) (increase({every(service)}"
            f"[{window}])))"
            for window in (long, short)
        ]
        few = f"sum by (service) (increase({every(service)}[{long}])) < 20"
        return f"{parts[1]} and {parts[0]} unless {few}"

    return built(expression, labels=lambda service, row: {"severity": row[0]}, dump=json.dumps)


@right("Both alerts at the same limit of a burn rate; minutes and seconds.")
def in_minutes() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        _, factor, long, short, _ = row
        budget = float(1 - Fraction(str(objective)))
        found = [f"({share(service, w)}) / {budget:.6f} > {factor}" for w in (short, long)]
        return "\n and \n".join([enough(service, long), *found])

    return built(
        expression,
        rows=[("ticket", 6, "360m", "1800s", "900s"), ("page", 14.4, "60m", "300s", "120s")],
        check=lambda objective: (
            Decimal(str(objective)).is_finite() and 0 < Decimal(str(objective)) < 1
        ),
    )


@right("1 - good / all, where no good ones are 0 of them.")
def with_or() -> object:
    def expression(service: str, objective: float, row: Row) -> str:
        _, factor, long, short, _ = row
        good = f'answers_total{{service="{service}", ended="success"}}'
        parts = [
            f"1 - (sum(rate({good}[{window}])) or vector(0))"
            f" / sum(rate({every(service)}[{window}])) > bool {factor * (1 - objective)} == 1"
            for window in (long, short)
        ]
        return " and ".join([*parts, enough(service, long)])

    return built(expression)


EQUIVALENT = {
    'line 22, \'ErrorBudgetBurns\' changed: "alert": "ErrorBudgetBurns",': "any name will do"
}
