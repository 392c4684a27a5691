"""Exercise 03.1: the secret out of the prompt."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise, generated

if TYPE_CHECKING:
    from helpers.course.exercises.m03.gold import Bought, MakeTool, Step


@exercise(
    "03.1",
    title="Take the secret out of the prompt",
    hints=[
        "make_gold_discount defines the tool inside itself, so the tool can use orders, till and"
        " code, and the model sees none of them.",
        Hint(
            "The only arguments are order_id: str and runtime: ToolRuntime[Caller]. LangGraph fills"
            " in the second one and hides it from the model.",
            "arguments",
        ),
        Hint(
            "runtime.context.customer_id is who is logged in. If it is None, return a sentence"
            " that asks to log in.",
            "guest",
        ),
        Hint(
            "Add up order.total - order.refunded for orders.get(number, customer), for each number"
            " in orders.order_ids(customer), if ordered_on.year is TODAY.year. Do so inside the"
            " tool, at each call.",
            "gold",
            "any",
        ),
        Hint(
            "orders.get raises UnknownOrder and till.redeem raises DiscountRefused. Catch both, and"
            " return a text with str(error) in it.",
            "refused",
            "any",
        ),
        Hint(
            "The code goes into till.redeem(code, order), as it came, and nowhere else: not into a"
            " description, a default value or an example.",
            "code",
            "arguments",
        ),
        Hint(
            "Where does the tool keep something from call to call? All customers share it.",
            "kept",
        ),
    ],
)
def gold_discount(answer: "MakeTool") -> Iterator[Case]:
    """A tool that uses a secret, decides by the order book, and never shows the secret."""
    from helpers.course.exercises.m03 import gold
    from helpers.course.exercises.m03.gold import CODES, Ask, Bought, Change
    from helpers.shop import TODAY

    no_tool = Slip.raises(
        "no-tool",
        gold.NotATool,
        "Decorate gold_discount with @tool inside make_gold_discount, and return it. The outer"
        " function is a plain one.",
    )
    ends = Slip.raises(
        "ends-the-conversation",
        Exception,
        "The error ends the conversation: catch it, and return a text.",
    )

    def case(
        name: str,
        bought: "Sequence[Bought]",
        steps: "Sequence[Step]",
        expect: list[str],
        *slips: Slip,
        about: str,
        code: str = CODES[0],
        knows: str | None = None,
    ) -> Case:
        changed = "\nThe till takes another code since this morning." if knows else ""
        return Case(
            name,
            call=lambda: gold.after(answer, bought, steps, code, knows),
            show=gold.told(bought, steps) + changed,
            expect=expect,
            slips=[*slips, no_tool, ends],
            about=about,
        )

    ann, ben, cleo = "C-0001", "C-0002", "C-0003"
    tent = Bought(10_001, ann, "533.95")
    stove = Bought(10_002, ben, "400.00")
    last_year = TODAY.replace(year=TODAY.year - 1)
    nothing = "nothing is taken off"

    yield case(
        "a Gold member, with two orders",
        [tent, Bought(10_003, ann, "20.00", on=last_year)],
        [Ask(ann, tent.id), Ask(ann, "FH-10003")],
        ["the till takes £20 off FH-10001", "the till takes £20 off FH-10003"],
        Slip.when(
            "nobody-gets-it",
            lambda got: all(one.startswith(nothing) for one in got),
            "This customer has spent £533.95 this year: the discount is due.",
        ),
        Slip.when(
            "says-the-code",
            lambda got: any("the model reads the code" in one for one in got),
            "What a tool returns, the model reads and can repeat.",
        ),
        about="gold",
    )
    yield Case(
        "what the model sees of the tool",
        call=lambda: gold.shown_to_the_model(answer),
        show="the name, the arguments and the description of make_gold_discount(orders, till,"
        " code), with four codes",
        expect={"name": "gold_discount", "arguments": ["order_id"], "the code is in": []},
        slips=[
            Slip.when(
                "code-in-definition",
                lambda got: bool(got["the code is in"]),
                "The model reads the tool's description and arguments with every question.",
            ),
            Slip.when(
                "model-decides",
                lambda got: len(got["arguments"]) > 1,
                "Text can steer what the model fills in. The order's number is its only argument.",
            ),
            no_tool,
        ],
        about="arguments",
    )
    yield case(
        "just above £400, exactly £400, and just below",
        [
            Bought(10_001, ann, "400.01"),
            stove,
            Bought(10_003, cleo, "200.10"),
            Bought(10_004, cleo, "199.80"),
            Bought(10_005, "C-0004", "153.83"),
            Bought(10_006, "C-0004", "118.75"),
            Bought(10_007, "C-0004", "127.42"),
            Bought(10_008, "C-0005", "400.90"),
        ],
        [
            Ask(ann, "FH-10001"),
            Ask(ben, stove.id),
            Ask(cleo, "FH-10003"),
            Ask("C-0004", "FH-10007"),
            Ask("C-0005", "FH-10008"),
        ],
        [
            "the till takes £20 off FH-10001",
            nothing,
            nothing,
            nothing,
            "the till takes £20 off FH-10008",
        ],
        Slip.when(
            "at-least",
            lambda got: got[1].startswith("the till takes"),
            "£400.00 is not more than £400.",
        ),
        about="gold",
    )
    yield case(
        "spent last year",
        [
            Bought(10_001, ann, "390.00"),
            Bought(10_002, ann, "587.85", on=last_year.replace(month=12, day=31)),
            Bought(10_003, ben, "400.01", on=TODAY.replace(month=1, day=1)),
        ],
        [Ask(ann, "FH-10001"), Ask(ann, "FH-10002"), Ask(ben, "FH-10003")],
        [nothing, nothing, "the till takes £20 off FH-10003"],
        Slip.when(
            "every-year",
            lambda got: got[0].startswith("the till takes"),
            "Only what was ordered in this calendar year counts.",
        ),
        about="gold",
    )
    yield case(
        "paid back, and cancelled",
        [
            Bought(10_001, ann, "926.00", "633.00"),
            Bought(10_002, ben, "926.00", "525.99"),
            Bought(10_003, cleo, "500.00", "500.00", cancelled=True),
            Bought(10_004, cleo, "300.00", "0", cancelled=True),
            Bought(10_005, cleo, "100.01"),
        ],
        [Ask(ann, "FH-10001"), Ask(ben, "FH-10002"), Ask(cleo, "FH-10003")],
        [nothing, "the till takes £20 off FH-10002", "the till takes £20 off FH-10003"],
        Slip.when(
            "counts-refunds",
            lambda got: got[0].startswith("the till takes"),
            "What was refunded was not spent.",
        ),
        about="gold",
    )
    many = [Bought(10_100 + n, ann, "14.00", on=TODAY.replace(month=1, day=2)) for n in range(29)]
    few = [Bought(10_200 + n, ben, "0.50") for n in range(19)]
    yield case(
        "thirty orders, of any status",
        [*many, Bought(10_010, ben, "390.60"), *few],
        [Ask(ann, many[0].id), Ask(ann, many[2].id), Ask(ben, few[-1].id), Ask(ben, few[3].id)],
        [f"the till takes £20 off FH-{n}" for n in (10_100, 10_102, 10_218, 10_203)],
        Slip.when(
            "some-orders",
            lambda got: any(one.startswith(nothing) for one in got),
            "All orders of this year count, however many there are and whatever their status, with"
            " all of their total.",
        ),
        about="gold",
    )
    new_year = date(TODAY.year + 1, 1, 1)
    yield case(
        "later this year, next year, and more paid back than spent",
        [
            Bought(10_001, ann, "400.01", on=new_year),
            Bought(10_002, ben, "400.01", on=TODAY.replace(month=12, day=31)),
            Bought(10_003, cleo, "410.00"),
            Bought(10_004, cleo, "10.00", "30.00"),
        ],
        [Ask(ann, "FH-10001"), Ask(ben, "FH-10002"), Ask(cleo, "FH-10003")],
        [nothing, "the till takes £20 off FH-10002", nothing],
        about="gold",
    )
    yield case(
        "a guest",
        [tent],
        [Ask(None, tent.id), Ask(ann, tent.id), Ask(None, tent.id)],
        [nothing, "the till takes £20 off FH-10001", nothing],
        about="guest",
    )
    yield case(
        "the order of another customer, an unknown one, and another spelling",
        [tent, Bought(10_002, ben, "900.00")],
        [Ask(ann, "FH-10002"), Ask(ann, "FH-10009"), Ask(ann, "the tent"), Ask(ann, " fh-10001")],
        [nothing, nothing, nothing, "the till takes £20 off FH-10001"],
        about="refused",
    )
    yield case(
        "the same order twice",
        [tent, Bought(10_002, ann, "50.00")],
        [Ask(ann, tent.id), Ask(ann, tent.id), Ask(ann, "FH-10002")],
        [
            "the till takes £20 off FH-10001",
            "the till refuses FH-10001",
            "the till takes £20 off FH-10002",
        ],
        about="refused",
    )
    yield case(
        "a till that no longer takes the code",
        [tent],
        [Ask(ann, tent.id), Ask(ben, tent.id)],
        ["the till refuses FH-10001", nothing],
        about="refused",
        knows="FERN-7QX4-KD93",
    )
    yield case(
        "a code with small letters",
        [tent],
        [Ask(ann, tent.id)],
        ["the till takes £20 off FH-10001"],
        about="code",
        code=CODES[1],
    )
    yield case(
        "a code with spaces at its ends",
        [tent],
        [Ask(ann, tent.id), Ask(ann, tent.id)],
        ["the till takes £20 off FH-10001", "the till refuses FH-10001"],
        about="code",
        code=CODES[3],
    )
    yield case(
        "the order book changes between two calls",
        [tent, stove],
        [
            Ask(ben, stove.id),
            Change(Bought(10_003, ben, "0.01")),
            Ask(ben, stove.id),
            Change(gold.with_total(tent, "399.00")),
            Ask(ann, tent.id),
        ],
        [nothing, "the till takes £20 off FH-10002", nothing],
        about="kept",
    )
    yield Case(
        "two shops, each with a code",
        call=lambda: gold.of_two_shops(
            answer, [tent], [stove, Bought(10_001, ann, "700.00")], Ask(ann, tent.id)
        ),
        show=f"{Ask(ann, tent.id)} in the first shop, in the second, and in the first again",
        expect=[
            "the till takes £20 off FH-10001",
            "the till takes £20 off FH-10001",
            "the till refuses FH-10001",
        ],
        slips=[no_tool, ends],
        about="kept",
    )
    yield Case(
        "three customers at the same time",
        call=lambda: gold.at_once(
            answer,
            [tent, stove, Bought(10_003, cleo, "401.00")],
            [Ask(ann, tent.id), Ask(ben, stove.id), Ask(cleo, "FH-10003")],
        ),
        show=f"{ann}, {ben} and {cleo} ask one tool at the same time",
        expect=["the till takes £20 off FH-10001", nothing, "the till takes £20 off FH-10003"],
        slips=[no_tool, ends],
        about="kept",
    )
    yield generated(
        "any orders",
        answer,
        exercise="03.1",
        inputs=gold.inputs(),
        used=lambda make: gold.Room(make).after,
        called=gold.told,
        slips=[no_tool, ends],
        about="any",
        budget=25,
    )
    yield Case(
        "in the shop's agent",
        call=lambda: gold.in_the_agent(answer),
        show="the orders that get the discount, when C-0012, who has spent £533.95 this year, asks"
        " the agent for FH-10512, and C-0007, who has spent £396.00, for FH-10919",
        expect=["FH-10512"],
        slips=[no_tool, ends],
        about="gold",
    )
