"""Exercise 08.3: alerts on an error budget, over two windows each."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, raises

if TYPE_CHECKING:
    from helpers.course.exercises.m08.burning import History, Rules


_BOTH = ("page", "ticket")


def _at(fires: dict[int, tuple[str, ...]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """What must fire, by minute, in a form by which histories can be looked up."""
    return tuple(fires.items())


def _any(part: str) -> Callable[[list[str]], bool]:
    return lambda got: any(part in line for line in got)


@exercise(
    "08.3",
    title="Alert on an error budget",
    hints=[
        "Write the rules for the shop by hand first, in YAML, and run `promtool check rules` on the"
        " file. Then put service, objective and the table's values in.",
        Hint(
            "The share of bad answers in a window: sum(rate(bad[1h])) / sum(rate(all[1h])), where"
            ' bad is answers_total{service="shop", ended!="success"}. Compare it with'
            " 14.4 * (1 - objective).",
            "fast",
            "objective",
            "instances",
        ),
        Hint(
            "`a > x and b > x` has a result only where both comparisons have one: one for the long"
            " window, one for the short.",
            "windows",
        ),
        Hint(
            "sum(increase(all[1h])) >= 20, joined by `and`; for the ticket with its own long"
            " window.",
            "traffic",
        ),
        Hint(
            "sum(...) drops all labels, so put the service into the rule's `labels`, next to"
            " `severity`.",
            "labels",
        ),
        Hint("if not 0 < objective < 1: raise ValueError(...), before anything else.", "input"),
        "Build a dict {'groups': [{'name': ..., 'rules': [...]}]} in a loop over the two rows, and"
        " return yaml.safe_dump of it.",
    ],
)
def burn_rate_rules(answer: "Rules") -> Iterator[Case]:
    """Rules that page on a fast burn, write a ticket on a slow one, and are silent otherwise."""
    from helpers.course.exercises.m08 import burning
    from helpers.course.exercises.m08.burning import Counter, History, answers

    not_taken = Slip.raises(
        "not-taken", burning.NotTaken, "Without rules there is nothing to play a history against."
    )
    no_service = Slip.when(
        "no-service",
        _any("of no service"),
        "The alert does not say which service it is about: it needs the label `service`.",
    )
    right = Expectation("all as it should be", lambda got: got == [], show=burning.shown)
    given = functools.partial(burning.given, answer)
    histories = list[History]()
    played = functools.cache(lambda: burning.played(answer, histories))

    def case(
        name: str,
        told: str,
        history: "History",
        *slips: Slip,
        about: str,
        since: int = 0,
        until: int = 999,
    ) -> Case:
        """What fires from minute `since` to minute `until` of a history."""

        def wrong() -> list[str]:
            found = played()[history]
            if isinstance(found, Exception):
                raise found
            return [line for minute, line in found.items() if since <= minute <= until]

        histories.append(history)
        called = f"burn_rate_rules({history.service!r}, {history.objective})"
        return Case(
            name,
            call=wrong,
            show=f"{called}, played by promtool: {told}",
            expect=right,
            slips=[not_taken, no_service, *slips],
            about=about,
        )

    def of_histories() -> Iterator[Case]:
        burst = History(
            answers((340, 40, 0), (45, 40, 1), (60, 40, 0)),
            _at({339: (), 347: (), 350: (), 351: ("page",), 375: ("page",), 379: _BOTH, 384: _BOTH})
            + _at({388: _BOTH, 391: ("ticket",), 412: ("ticket",), 416: (), 444: ()}),
        )
        yield case(
            "every answer fails",
            "after 340 good minutes all answers are bad",
            burst,
            Slip.when(
                "no-for",
                lambda got: _any("minute 350: page fires")(got) and not given("page", "for"),
                "It fires at once: `for` makes it wait until this has been so for a while.",
            ),
            Slip.when(
                "no-long-window",
                _any("minute 347: page fires"),
                "Seven minutes are 12% of an hour: the long window must be above the limit, too.",
            ),
            Slip.when(
                "never-pages",
                _any("minute 351: nothing fires"),
                "After 9 minutes, 15% of the hour's answers are bad. Two minutes later it pages.",
            ),
            Slip.when(
                "ticket-too-early",
                _any("minute 375: page and ticket fires"),
                "After 22 minutes, 6% of six hours' answers are bad; the ticket comes 15 minutes"
                " later.",
            ),
            until=385,
            about="fast",
        )
        yield case(
            "it is over",
            "after 45 bad minutes all answers are good again, from minute 385 on",
            burst,
            Slip.when(
                "keeps-firing",
                lambda got: len(got) > 0 and given("page", "keep_firing_for"),
                "It is over, and keep_firing_for makes the alert go on: leave it out.",
            ),
            Slip.when(
                "no-short-window",
                _any("minute 391: page and ticket fires"),
                "The incident is over, and it still pages: the short window must be above the"
                " limit, too.",
            ),
            since=386,
            about="windows",
        )
        yield case(
            "a spike",
            "after two good hours all answers are bad for eight minutes",
            History(
                answers((120, 40, 0), (8, 40, 1), (30, 40, 0)),
                _at(dict.fromkeys(range(121, 158, 2), ())),
            ),
            Slip.when(
                "no-long-window",
                _any("page"),
                "Eight minutes are 13% of an hour: the long window's share, of all answers, must be"
                " above the limit, too.",
            ),
            about="windows",
        )
        yield case(
            "a slow burn",
            "after an hour, 10% of the answers are bad",
            History(
                answers((60, 60, 0), (150, 60, 0.1)),
                _at({163: (), 168: ("ticket",), 209: ("ticket",)}),
            ),
            Slip.when(
                "pages-on-slow",
                _any("page"),
                "10% bad answers are a burn rate of 10: a ticket, and nobody is woken.",
            ),
            Slip.when(
                "no-ticket",
                _any("minute 209: nothing fires"),
                "A burn rate of 10 uses up a month's budget in three days: it needs a ticket.",
            ),
            about="fast",
        )

        def else_right(test: Callable[[list[str]], bool]) -> Callable[[list[str]], bool]:
            """The same test, where a long burst alone was judged right."""
            return lambda got: played()[burst] == {} and test(got)

        ignored = Slip.when(
            "argument-ignored",
            else_right(lambda got: len(got) > 0),
            "It is right for the shop and 0.99, and not here: use both arguments. The limit is the"
            " burn rate times the budget, which is 1 - objective.",
        )
        yield case(
            "just below and just above, with an objective of 0.99",
            "an hour with 5.8% bad answers, 70 minutes with 6.45%, 65 with 14.2%, 65 with 14.6%",
            History(
                answers((60, 50, 0.058), (70, 50, 0.0645), (65, 50, 0.142), (65, 50, 0.146)),
                _at({30: (), 59: (), 100: (), 125: ("ticket",), 194: ("ticket",), 259: _BOTH}),
            ),
            about="objective",
        )
        for service, objective, shares in (
            ("pay", 0.999, (0.0058, 0.0142, 0.0146)),
            ("search-2", 0.95, (0.295, 0.715, 0.725)),
        ):
            each = ", ".join(f"{100 * share:.3g}%" for share in shares)
            yield case(
                f"just below and just above, with an objective of {objective}",
                f"65 minutes each with {each} bad answers",
                History(
                    answers(*((65, 50, share) for share in shares), service=service),
                    _at({30: (), 64: (), 129: ("ticket",), 194: _BOTH}),
                    service,
                    objective,
                ),
                ignored,
                about="objective",
            )
        yield case(
            "an objective of 0.9",
            "65 minutes with 59.5% bad answers, then all are bad: a burn rate of 10 at most",
            History(
                answers((65, 50, 0.595), (65, 50, 1), service="Labs"),
                _at({30: (), 64: (), 129: ("ticket",)}),
                "Labs",
                0.9,
            ),
            ignored,
            about="objective",
        )
        yield case(
            "exactly at the limit, with an objective of 0.875",
            "675 good answers in 20 minutes, 2025 bad ones in the five minutes from 25 on, and no"
            " more: 75% of six hours' answers are bad, a burn rate of 6 and not above it",
            History(
                (
                    Counter("success", ((20, 33.75), (40, 0))),
                    Counter("error", ((25, 0), (5, 405), (30, 0))),
                ),
                _at({35: (), 48: (), 53: ()}),
                objective=0.875,
            ),
            Slip.when(
                "at-the-limit",
                else_right(_any("ticket")),
                "Above is more than: a burn rate of exactly 6 is not above 6.",
            ),
            about="objective",
        )
        few = "There were fewer than 20 answers in the long window: too few to wake anyone."
        quiet = History(
            answers((130, 0.3, 1)), _at({55: (), 61: (), 100: ("ticket",), 129: ("ticket",)})
        )
        yield case(
            "few answers",
            "18 answers an hour, all bad",
            quiet,
            Slip.when("no-minimum", _any("page"), few),
            Slip.when(
                "one-minimum",
                else_right(_any("minute 129: nothing fires")),
                "In 129 minutes there were 38 answers: the ticket looks at its own long window.",
            ),
            about="traffic",
        )
        yield case(
            "few answers, next to a busy service",
            "shop gives 18 answers an hour, all bad; desk gives 90 a minute, all good",
            History((*quiet.counters, *answers((130, 90, 0), service="desk")), quiet.fires),
            Slip.when(
                "others-count",
                else_right(lambda got: len(got) > 0 and played()[quiet] == {}),
                "The answers of another service count: each selector needs the service.",
            ),
            about="traffic",
        )
        yield case(
            "exactly 20 answers",
            "from minute 30 to 32 there are 20 answers, all bad, and no more after that",
            History(
                (Counter("error", ((2, 10), (40, 0)), begins=30),),
                _at({31: (), 35: ("page",), 50: ("ticket",)}),
            ),
            Slip.when(
                "more-than-20",
                else_right(_any("nothing fires")),
                "At least 20 is 20 or more.",
            ),
            about="traffic",
        )
        yield case(
            "just enough answers",
            "22 answers an hour, all bad; from minute 130 on 3 an hour",
            History(
                answers((130, 22 / 60, 1), (30, 0.05, 1)),
                _at({50: (), 65: ("page",), 100: _BOTH, 129: _BOTH, 150: ("ticket",)}),
            ),
            Slip.when("no-minimum", _any("minute 50: "), few),
            about="traffic",
        )
        yield case(
            "good answers count, too",
            "60 answers an hour, of which 12 are bad",
            History(answers((100, 1, 0.2)), _at({40: _BOTH, 99: _BOTH})),
            Slip.when(
                "minimum-of-bad",
                else_right(_any("nothing fires")),
                "There were 60 answers, and a fifth of them bad. The minimum is of all answers.",
            ),
            about="traffic",
        )
        yield case(
            "no answers any more",
            "half an hour of bad answers, and then none at all",
            History(
                answers((60, 40, 0), (30, 40, 1), (40, 0, 0)),
                _at({75: ("page",), 89: _BOTH, 97: ("ticket",), 122: (), 129: ()}),
            ),
            about="traffic",
        )
        yield case(
            "two instances, one of which is broken",
            "one gives 98 good answers a minute and restarts, the other one two bad ones; after 100"
            " minutes both are broken",
            History(
                (
                    Counter("success", ((100, 98),), restarts=(40, 70, 95)),
                    Counter("error", ((100, 0.5), (50, 98)), restarts=(40, 70, 95)),
                    Counter("error", ((150, 2),), instance="b:8000", before=20_000),
                ),
                _at({30: (), 55: (), 72: (), 99: (), 125: _BOTH, 149: _BOTH}),
            ),
            Slip.when(
                "sum-first",
                else_right(lambda got: _any("minute 72: page")(got) and "minute 30:" not in got[0]),
                "A sum drops when one instance restarts, and rate takes that for a restart of all:"
                " first rate, then sum.",
            ),
            Slip.when(
                "by-instance",
                else_right(_any("minute 30: page")),
                "One answer in fifty is bad: add up the instances before you divide.",
            ),
            about="instances",
        )
        yield case(
            "answers that end in other ways",
            "8% end in error, 4% in timeout and 4% in too_long",
            History(
                (
                    Counter("success", ((100, 84),)),
                    Counter("error", ((100, 8),)),
                    Counter("timeout", ((100, 4),)),
                    Counter("too_long", ((100, 4),)),
                ),
                _at({50: _BOTH, 99: _BOTH}),
            ),
            Slip.when(
                "errors-only",
                else_right(_any("99: ticket fires, and")),
                "There are other ways to end: all that is not success is bad.",
            ),
            about="instances",
        )
        yield case(
            "never a good answer",
            "from the start on, all answers end in error; there is no other series",
            History((Counter("error", ((70, 30),)),), _at({30: _BOTH, 69: _BOTH})),
            Slip.when(
                "needs-success",
                else_right(lambda got: all("nothing fires" in line for line in got)),
                "There is no series of good answers, so 1 - good / all and bad / good have no"
                " result: divide the bad ones by all.",
            ),
            about="instances",
        )
        yield case(
            "never a bad answer",
            "there is only a series of good answers",
            History((Counter("success", ((70, 30),)),), _at({30: (), 69: ()})),
            about="instances",
        )
        yield case(
            "other services",
            "shop is well; shop-eu, eu-shop and desk give bad answers only",
            History(
                (
                    *answers((70, 40, 0)),
                    *answers((70, 90, 1), service="shop-eu"),
                    *answers((70, 70, 1), service="eu-shop"),
                    *answers((70, 80, 1), service="desk", instance="b:8000"),
                ),
                _at({40: (), 69: ()}),
            ),
            Slip.when(
                "every-service",
                lambda got: len(got) > 0,
                "The rules are about one service: select it by its label.",
            ),
            about="labels",
        )

    yield from list(of_histories())  # all histories are known before the first is played
    yield Case(
        "the alerts and their summaries",
        call=lambda: burning.alerts(answer, "desk", 0.97),
        show="burn_rate_rules('desk', 0.97): the severities of all alerts in the file, and rules"
        " that read a recording rule of another group",
        expect=["page", "ticket"],
        slips=[
            not_taken,
            Slip.when(
                "no-summary",
                lambda got: any("without a summary" in one for one in got),
                "A person who is woken reads the summary first: put one into the annotations.",
            ),
            Slip.when(
                "two-groups",
                lambda got: any("another group" in one for one in got),
                "Groups are evaluated independently, so an alert may see an old value: put the"
                " recording rules into its own group, before it.",
            ),
        ],
        about="labels",
    )
    for objective in (0, 1, 99, -0.5, math.nan):
        yield Case(
            f"an objective of {objective}",
            call=functools.partial(answer, "shop", objective),
            show=f"burn_rate_rules('shop', {objective})",
            expect=raises(ValueError, "objective"),
            about="input",
        )
