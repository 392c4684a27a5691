"""Answers to exercise 08.2, right and wrong."""

from helpers.authoring.answers import right, wrong

ASKED = 'sum(increase(answer_seconds_count{route="/chat"}[1h]))'
FAST = 'sum(rate(answer_seconds_bucket{route="/chat",le="3.0"}[30m]))'
ALL = 'sum(rate(answer_seconds_count{route="/chat"}[30m]))'
SLOW = f"1 - {FAST} / ({ALL} > 0)"
BUCKETS = 'sum by (le, version) (rate(answer_seconds_bucket{route="/chat"}[30m]))'
P95 = f"histogram_quantile(0.95, {BUCKETS}) >= 0"


def with_(**other: str) -> object:
    return {"asked": ASKED, "slow": SLOW, "p95": P95} | other


@wrong("Empty texts.")
def nothing() -> object:
    return with_(asked="", slow="", p95="")


@wrong("A list.")
def a_list() -> object:
    return [ASKED, SLOW, P95]


@wrong("One is missing.")
def one_missing() -> object:
    return {"asked": ASKED, "slow": SLOW}


@wrong("Numbers: what was right in one hour.")
def numbers() -> object:
    return with_(asked=1904, slow=0.549, p95=9.9)  # type: ignore[arg-type]


@wrong("Numbers in PromQL.")
def constants() -> object:
    return with_(asked="vector(1904)", slow="vector(0.549)", p95="vector(9.9)")


@wrong("No result at all.", slip="asked-empty")
def never_anything() -> object:
    return with_(asked="vector(1) > 2", slow="vector(1) > 2", p95="vector(1) > 2")


@wrong("A window without a function.")
def bare_window() -> object:
    return with_(asked='answer_seconds_count{route="/chat"}[1h]')


@wrong("A bracket too few.", slip="not-taken")
def bracket() -> object:
    return with_(slow=SLOW[:-1])


@wrong("The counters' last values.", slip="last-value")
def last_value() -> object:
    return with_(asked='sum(answer_seconds_count{route="/chat"})')


@wrong("The difference of two values, restarts or not.")
def difference() -> object:
    return with_(
        asked='sum(answer_seconds_count{route="/chat"}'
        ' - answer_seconds_count{route="/chat"} offset 1h)'
    )


@wrong("delta, which knows no restart.")
def delta() -> object:
    return with_(asked='sum(delta(answer_seconds_count{route="/chat"}[1h]))')


@wrong("First the sum.", slip="sum-first")
def sum_first() -> object:
    return with_(asked='increase(sum(answer_seconds_count{route="/chat"})[1h:30s])')


@wrong("Probes are questions, too.", slip="every-route")
def every_route() -> object:
    return with_(asked="sum(increase(answer_seconds_count[1h]))")


@wrong("A second.", slip="a-second")
def a_second() -> object:
    return with_(asked='sum(rate(answer_seconds_count{route="/chat"}[1h]))')


@wrong("The highest bucket, which lacks the slowest answers.", slip="highest-bucket")
def highest_bucket() -> object:
    return with_(asked=ASKED.replace("count{", 'bucket{le="13.0", '))


@wrong("The share of those in the highest bucket.", slip="slow-highest-bucket")
def slow_highest_bucket() -> object:
    return with_(slow=SLOW.replace("count{", 'bucket{le="13.0", '))


@wrong("For each instance.", slip="asked-labels")
def by_instance() -> object:
    return with_(asked='increase(answer_seconds_count{route="/chat"}[1h])')


@wrong("By version.", slip="asked-labels")
def by_version() -> object:
    return with_(asked='sum by (version) (increase(answer_seconds_count{route="/chat"}[1h]))')


@wrong("The last half of the hour, twice.")
def half_an_hour() -> object:
    return with_(asked='2 * sum(increase(answer_seconds_count{route="/chat"}[30m]))')


@wrong("One instance, by name.", slip="asked-empty")
def one_instance() -> object:
    return with_(asked='sum(increase(answer_seconds_count{route="/chat", instance="a"}[1h]))')


@wrong("The version of the hour above.", slip="asked-empty")
def one_version() -> object:
    return with_(asked='sum(increase(answer_seconds_count{route="/chat", version="1.4"}[1h]))')


@wrong("No result where nobody has asked.", slip="asked-empty")
def asked_above_0() -> object:
    return with_(asked=f"{ASKED} > 0")


@wrong("NaN for no question.", slip="asked-nan")
def asked_nan() -> object:
    return with_(asked=f"{ASKED} * {ASKED} / {ASKED}")


@wrong("The share in time.", slip="in-time")
def in_time() -> object:
    return with_(slow=f"{FAST} / ({ALL} > 0)")


@wrong("NaN where nobody has asked.", slip="slow-nan")
def slow_nan() -> object:
    return with_(slow=f"1 - {FAST} / {ALL}")


@wrong("0 where nobody has asked.", slip="slow-of-nobody")
def slow_zero() -> object:
    return with_(slow=f"({SLOW}) or vector(0)")


@wrong("The bucket's bound as a person writes it.", slip="slow-empty")
def le_3() -> object:
    return with_(slow=SLOW.replace('"3.0"', '"3"'))


@wrong("Another bucket.")
def another_bucket() -> object:
    return with_(slow=SLOW.replace('"3.0"', '"5.0"'))


@wrong("The mean of the instances' shares.", slip="mean-of-shares")
def mean_of_shares() -> object:
    each = 'rate(answer_seconds_bucket{route="/chat",le="3.0"}[30m])'
    every = '(rate(answer_seconds_count{route="/chat"}[30m]) > 0)'
    return with_(slow=f"avg(1 - {each} / ignoring(le) {every})")


@wrong("Since each instance's start.", slip="since-the-start")
def since_the_start() -> object:
    return with_(
        slow='1 - sum(answer_seconds_bucket{route="/chat",le="3.0"})'
        ' / (sum(answer_seconds_count{route="/chat"}) > 0)'
    )


@wrong("Five minutes.")
def five_minutes() -> object:
    return with_(slow=SLOW.replace("[30m]", "[5m]"))


@wrong("An hour.", slip="slow-hour")
def slow_hour() -> object:
    return with_(slow=SLOW.replace("[30m]", "[1h]"))


@wrong("Windows of two lengths.")
def two_windows() -> object:
    return with_(slow=SLOW.replace("[30m]", "[1h]", 1))


@wrong("Probes count in one of the sums.")
def probes_below() -> object:
    return with_(slow=SLOW.replace('_count{route="/chat"}', "_count"))


@wrong("The share that is slow, of each version.", slip="slow-labels")
def slow_by_version() -> object:
    return with_(slow=SLOW.replace("sum(", "sum by (version) ("))


@wrong("A percentage.")
def percentage() -> object:
    return with_(slow=f"100 * ({SLOW})")


@wrong("No result where no answer was slow.", slip="slow-empty")
def slow_above_0() -> object:
    return with_(slow=f"({SLOW}) > 0")


@wrong("The mean of quantiles.", slip="mean-of-quantiles")
def mean_of_quantiles() -> object:
    each = 'histogram_quantile(0.95, rate(answer_seconds_bucket{route="/chat"}[30m]))'
    return with_(p95=f"avg by (version) ({each} >= 0)")


@wrong("The slowest instance's quantile.")
def largest_quantile() -> object:
    each = 'histogram_quantile(0.95, rate(answer_seconds_bucket{route="/chat"}[30m]))'
    return with_(p95=f"max by (version) ({each} >= 0)")


@wrong("All versions together.", slip="p95-labels")
def all_versions() -> object:
    return with_(p95=P95.replace("le, version", "le"))


@wrong("Without le.", slip="p95-empty")
def without_le() -> object:
    return with_(p95=P95.replace("le, version", "version"))


@wrong("The version of the hour above alone.")
def hard_coded_version() -> object:
    return with_(p95=P95.replace('route="/chat"', 'route="/chat", version=~"1.4|1.5"'))


@wrong("An hour for the quantile.", slip="p95-hour")
def p95_hour() -> object:
    return with_(p95=P95.replace("[30m]", "[1h]"))


@wrong("First the sum of the buckets.", slip="p95-sum-first")
def p95_sum_first() -> object:
    buckets = 'sum by (le, version) (answer_seconds_bucket{route="/chat"})'
    return with_(p95=f"histogram_quantile(0.95, rate({buckets}[30m:30s])) >= 0")


@wrong("Without rate.", slip="never-forgets")
def never_forgets() -> object:
    return with_(
        p95="histogram_quantile(0.95,"
        ' sum by (le, version) (answer_seconds_bucket{route="/chat"})) >= 0'
    )


@wrong("NaN for a version that nobody has asked.", slip="p95-nan")
def p95_nan() -> object:
    return with_(p95=P95.removesuffix(" >= 0"))


@wrong("0 for a version that nobody has asked.", slip="p95-of-nobody")
def p95_zero() -> object:
    return with_(p95=f"({P95}) or 0 * sum by (version) (answer_seconds_count)")


@wrong("The median.")
def median() -> object:
    return with_(p95=P95.replace("0.95", "0.5"))


@wrong("The 99th percentile.")
def p99() -> object:
    return with_(p95=P95.replace("0.95", "0.99"))


@wrong("The probes are answers, too.")
def p95_of_all() -> object:
    return with_(p95=P95.replace('{route="/chat"}', ""))


@wrong("The mean.")
def mean() -> object:
    rates = [
        f'sum by (version) (rate(answer_seconds_{one}{{route="/chat"}}[30m]))'
        for one in ("sum", "count")
    ]
    return with_(p95=f"{rates[0]} / ({rates[1]} > 0)")


@right("rate times seconds; other ways to leave NaN out; without in the place of by.")
def other_ways() -> object:
    return {
        "p95": "histogram_quantile(0.95, sum without (instance, job, route)"
        ' (increase(answer_seconds_bucket{route="/chat"}[30m]) > 0))',
        "slow": f"({ALL} - {FAST}) / {ALL} and {ALL} > 0",
        "asked": '3600 * sum(rate(answer_seconds_count{route="/chat"}[1h]))',
    }


@right("The bucket +Inf counts all; the route by a pattern; unless; lines and comments.")
def with_infinity() -> object:
    every = 'sum(increase(answer_seconds_bucket{route=~"/ch.*", le="+Inf"}[1800s]))'
    return {
        "asked": 'sum(increase(answer_seconds_bucket{route!="/health", le="+Inf"}[60m])) # all',
        "slow": f"""
            # those that took longer
            ({every} - sum(increase(answer_seconds_bucket{{route="/chat", le="3.0"}}[30m])))
            / {every}
            unless {every} == 0
        """,
        "p95": f"{P95.removesuffix(' >= 0')} < +Inf",
    }


@right("sum by () and sum over versions; a version with traffic by `and`.")
def sums_of_sums() -> object:
    by_version = 'sum by (version) (rate(answer_seconds_count{route="/chat"}[30m]))'
    return {
        "asked": 'sum(sum by (instance) (increase(answer_seconds_count{route="/chat"}[1h])))',
        "slow": f"sum by () ({SLOW})",
        "p95": f"histogram_quantile(0.95, {BUCKETS}) and {by_version} > 0",
    }
