"""Answers to exercise 08.6: rule files, most of them the solution with something else in it."""

from collections.abc import Callable
from pathlib import Path

import yaml

import helpers.monitor
from helpers.authoring.answers import right, wrong
from helpers.course.exercises import solved
from helpers.course.exercises.m08.e6_rules import STARTER

COUNTED = "gen_ai_client_operation_duration_seconds_count"
FIRST = "gen_ai_server_time_to_first_token_seconds_bucket"


def file(*rules: dict[str, str], **group: str) -> str:
    return yaml.safe_dump({"groups": [{"name": "own", **group, "rules": list(rules)}]})


def alert(name: str, expr: str, **more: str) -> dict[str, str]:
    return {"alert": name, "expr": expr, **more}


def reference() -> list[dict[str, str]]:
    rules: list[dict[str, str]] = yaml.safe_load(solved("08.6"))["groups"][0]["rules"]
    return rules


def but(*names: str, more: tuple[dict[str, str], ...] = ()) -> str:
    """The solution without these alerts, and with others."""
    return file(*[rule for rule in reference() if rule["alert"] not in names], *more)


def changed(change: Callable[[dict[str, str]], dict[str, str]]) -> str:
    return file(*[change(rule) for rule in reference()])


@wrong("No text.", slip="refused")
def nothing() -> object:
    return ""


@wrong("A dict, and not the text.", slip="refused")
def a_dict() -> object:
    return yaml.safe_load(str(solved("08.6")))


@wrong("The YAML is indented wrongly.", slip="refused")
def not_yaml() -> object:
    return str(solved("08.6")).replace("    rules:", "  rules:")


@wrong("PromQL with a bracket too few.", slip="refused")
def not_promql() -> object:
    return str(solved("08.6")).replace("[30m])) > 0", "[30m]) > 0")


@wrong("Rules that only record.", slip="refused")
def only_records() -> object:
    return file({"record": "answers:rate5m", "expr": f"sum(rate({COUNTED}[5m]))"})


@wrong("The first thresholds, with their names changed.", slip="always")
def renamed_starter() -> object:
    return STARTER.replace("alert: ", "alert: Page")


@wrong("The thresholds, each for two minutes.", slip="always")
def patient_starter() -> object:
    rules = yaml.safe_load(STARTER)["groups"][0]["rules"]
    return file(*[rule | {"for": "2m"} for rule in rules])


@wrong("It fires always.", slip="always")
def fires_always() -> object:
    return but(more=(alert("Always", "vector(1)"),))


@wrong("It fires for a minute, six times an hour.", slip="always")
def by_the_clock() -> object:
    return file(alert("Clock", "minute() % 10 == 3"))


@wrong("It fires at the hours at which the incidents begin.", slip="always")
def by_the_hour() -> object:
    return file(alert("Hours", "hour() >= 9 and minute() == 5"))


@wrong("It knows the dates, and which of them are clean.", slip="anyway")
def by_the_calendar() -> object:
    return file(alert("Calendar", "minute() % 20 < 10 and vector(time()) < 1783296000"))


@wrong("It never fires.")
def fires_never() -> object:
    return file(alert("Never", f"sum(rate({COUNTED}[5m])) > 1e6"))


@wrong("No canary, and no refusals.")
def two_missing() -> object:
    return but("CanaryWrong", "ManyRefusals")


@wrong("Neither memory nor the price.")
def no_resources() -> object:
    return but("MemoryGrows", "PriceOfTokens")


@wrong("The model alone is watched.")
def model_alone() -> object:
    return file(*[rule for rule in reference() if rule["alert"] == "LateOrFailed"])


@wrong("A label that is spelt wrongly.", slip="unseen")
def wrong_label() -> object:
    return changed(lambda rule: rule | {"expr": rule["expr"].replace('result="', 'outcome="')})


@wrong("Names without _total.", slip="unseen")
def without_total() -> object:
    return changed(lambda rule: rule | {"expr": rule["expr"].replace("_total", "")})


@wrong("A leak has to go on for 50 minutes.", slip="late")
def waits_long() -> object:
    leak = next(rule for rule in reference() if rule["alert"] == "MemoryGrows")
    return but("MemoryGrows", more=(leak | {"for": "50m"},))


@wrong("Any bad rating wakes someone.")
def any_rating() -> object:
    return but(more=(alert("Rating", 'increase(service_feedback_total{score="-1"}[5m]) > 0'),))


@wrong("A share of two answers is taken for a share.")
def share_alone() -> object:
    ungrounded = 'sum(rate(service_answers_total{result="ungrounded"}[5m]))'
    every = "sum(rate(service_answers_total[5m]))"
    return but(more=(alert("Share", f"{ungrounded} / {every} > 0.05"),))


@wrong("Dollars, and not dollars for a token.")
def dollars() -> object:
    more = alert("Dollars", "sum(increase(service_cost_usd_total[1h])) > 0.05")
    return but("PriceOfTokens", more=(more,))


@wrong("Traffic itself is alarming.")
def traffic() -> object:
    return but(more=(alert("Traffic", f"sum(increase({COUNTED}[5m])) > 12"),))


@right("The course's own rules, which record first.")
def the_course_s() -> object:
    return Path(helpers.monitor.__file__).with_name("rules.yml").read_text("utf-8")


@right("Other PromQL for the same: every quarter of a minute, in two groups.")
def otherwise() -> object:
    late = f'sum(increase({FIRST}{{le="5.0"}}[10m])) / sum(increase({COUNTED}[10m]))'
    spent = "sum(increase(service_cost_usd_total[8m]))"
    tokens = "sum(increase(gen_ai_client_token_usage_sum[8m]))"
    first = file(
        alert("Late", f"{late} < 0.6 and sum(increase({COUNTED}[10m])) > 6"),
        alert("Canary", 'max by (job) (increase(canary_answers_total{result="wrong"}[20m])) > 0'),
        alert("Stranger", "changes(service_answers_foreign_address_total[20m]) > 0"),
        alert("Stale", "service_index_age_seconds / 3600 > 36"),
        interval="15s",
    )
    second = file(
        alert("Guard", "sum(delta(service_guardrail_blocks_total[15m])) > 5"),
        alert("Limit", 'increase(service_problems_total{kind="budget-spent"}[10m]) > 5'),
        alert("Refused", 'sum(increase(service_answers_total{result="refused"}[15m])) > 25'),
        alert("Price", f"{spent} / {tokens} > 0.75e-6", **{"for": "9m"}),
        alert("Leak", "predict_linear(process_resident_memory_bytes[20m], 86400) > 1.5e9",
              **{"for": "4m"}),
        interval="30s",
    )  # fmt: skip
    groups = [yaml.safe_load(text)["groups"][0] for text in (first, second)]
    return yaml.safe_dump({"groups": [groups[0], groups[1] | {"name": "other"}]})


@right("One alert that is several.")
def one_alert() -> object:
    rules = [
        {"alert": "Fernhill", "labels": {"what": rule["alert"]}, "expr": rule["expr"]}
        | ({"for": rule["for"]} if "for" in rule else {})
        for rule in reference()
    ]
    return yaml.safe_dump({"groups": [{"name": "one", "rules": rules}]})
