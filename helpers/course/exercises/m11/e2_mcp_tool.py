"""Exercise 11.2: an MCP tool with the right scope and errors."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise, satisfies

if TYPE_CHECKING:
    from helpers.course.exercises.m11.order_tools import AddLookup


@exercise(
    "11.2",
    title="An MCP tool with the right scope and errors",
    hints=[
        "Write an async function inside add_lookup, and put @server.tool(annotations=...) above it."
        " FastMCP reads its name, docstring, types and return type.",
        Hint(
            "A parameter with the type Context is filled in by FastMCP and is not in the schema."
            " The pattern belongs in Annotated[str, Field(pattern=...)].",
            "declared",
        ),
        Hint(
            "Return a BaseModel with the four fields, and annotate the function with it: then the"
            " output schema has them, and nothing else can leave.",
            "result",
        ),
        Hint(
            "Ask for the customer first, with who(context). Then await find(order_id). Do both in"
            " each call, and keep nothing of them for the next one.",
            "scope",
        ),
        Hint(
            "except LookupError comes before except Exception. An order of another customer ends in"
            " the same raise as an unknown one.",
            "errors",
        ),
        Hint("In except Exception: log.exception(...), then raise ToolError(...).", "broken"),
    ],
)
def mcp_tool(answer: "AddLookup") -> Iterator[Case]:
    """One tool, for each customer's own orders."""
    from mcp.server.fastmcp.exceptions import ToolError

    from helpers.course.exercises.m11 import order_tools as tools
    from helpers.course.exercises.m11.order_tools import Shop, facts, stored, unknown

    mine, hers = stored("FH-00017", "C-0042"), stored("FH-00208", "C-0007")
    more = stored("FH-93512", "C-0042", items=[], paid=0)
    long = stored("FH-00300", "C-00421", items=[" Tent", "tent ", "", "peg", *["Peg"] * 12])
    book = {order["id"]: order for order in (mine, hers, more, long)}

    def shop(**changed: Any) -> Shop:
        return Shop(book | changed)

    def ask(order: Any, customer: str | None) -> tools.Call:
        return {"order_id": order["id"] if isinstance(order, dict) else order}, customer

    yield Case(
        "an order of the customer's own, for three customers",
        call=lambda: tools.watched(
            answer,
            shop(),
            [ask(mine, "C-0042"), ask(hers, "C-0007"), ask(more, "C-0042"), ask(long, "C-00421")],
        ),
        show="FH-00017 for C-0042, FH-00208 for C-0007, FH-93512 for C-0042, FH-00300 for C-00421",
        expect={
            "got": [facts(order) for order in (mine, hers, more, long)],
            "found": [order["id"] for order in (mine, hers, more, long)],
            "logged": [],
            "leaked": 0,
            "changed": 0,
        },
        about="result",
        slips=[
            Slip.when(
                "whole-order",
                lambda got: got["leaked"] > 0,
                "The staff's note or a customer's id left the server: in the result's fields or"
                " text, in a message by the context, or in the tool's description.",
            ),
            Slip.when(
                "unstructured",
                lambda got: got["got"] == [None] * 4,
                "The result is text alone: annotate the tool with the type that it returns.",
            ),
            Slip.when(
                "no-tool",
                lambda got: set(map(str, got["got"])) == {"error: Unknown tool: lookup_order"},
                "The server has no tool lookup_order.",
            ),
        ],
    )
    others = [ask(hers, "C-0042"), ask(mine, "C-0007"), ask(mine, "C-00421"), ask(long, "C-0042")]
    alike = ["c-0042", "C-0042 ", " C-0042", "D-0042", "C-42", "C-\N{FULLWIDTH DIGIT ZERO}042", ""]
    others += [ask(mine, each) for each in alike]
    absent = [ask("FH-00018", "C-0042"), ask("FH-00000", "C-0042"), ask("FH-99999", "C-0007")]
    yield Case(
        "orders of other customers, and orders that nobody has",
        call=lambda: tools.watched(answer, shop(), [*others, *absent]),
        show="calls for orders of others; some ids are almost C-0042, and one is an empty text",
        expect={
            "got": [f"error: {unknown(args['order_id'])}" for args, _ in [*others, *absent]],
            "found": [args["order_id"] for args, _ in [*others, *absent]],
            "logged": [],
            "leaked": 0,
            "changed": 0,
        },
        about="errors",
        slips=[
            Slip.when(
                "not-hers",
                lambda got: any(isinstance(each, dict) for each in got["got"]),
                "A customer saw another customer's order.",
            ),
            Slip.when(
                "two-sentences",
                lambda got: (
                    len(
                        {
                            each.replace(a["order_id"], "")
                            for each, (a, _) in zip(got["got"], [*others, *absent], strict=True)
                        }
                    )
                    > 1
                ),
                "The words differ, so anyone can find out which numbers are in use.",
            ),
        ],
    )
    yield Case(
        "what a client is told",
        call=lambda: tools.declared(answer),
        show="list_tools()",
        expect={
            "add_lookup returns": None,
            "other tools": ["opening_hours"],
            "they are as before": True,
            "described": True,
            "arguments": ["order_id"],
            "required": ["order_id"],
            "type": "string",
            "pattern": r"^FH-\d{5}$",
            "readOnlyHint": True,
            "openWorldHint": False,
            "result": {
                "order_id": "string",
                "status": "string",
                "items": "array of string",
                "paid": "integer",
            },
            "result's required": ["items", "order_id", "paid", "status"],
            "result may have more": False,
        },
        about="declared",
        slips=[
            Slip.when(
                "customer-argument",
                lambda got: len(got["arguments"]) > 1,
                "The schema has an argument that a model can fill in. Only order_id belongs there.",
            ),
        ],
    )
    yield Case(
        "nobody is logged in",
        call=lambda: tools.behind(answer, shop(), [ask(mine, None), ask("FH-55555", None)]),
        show="FH-00017 and FH-55555 for None",
        expect={
            "got": [f"error: {tools.LOG_IN}"] * 2,
            "found": [],
            "asked": 2,
            "asked again": 0,
        },
        about="scope",
    )
    yield Case(
        "who and find, once each for each call",
        call=lambda: tools.behind(
            answer, shop(), [ask(mine, "C-0042"), ask(mine, "C-0042"), ask(hers, "C-0042")]
        ),
        show="FH-00017 twice and FH-00208, for C-0042",
        expect={
            "got": [facts(mine), facts(mine), f"error: {unknown(hers['id'])}"],
            "found": [mine["id"], mine["id"], hers["id"]],
            "asked": 3,
            "asked again": 0,
        },
        about="scope",
        slips=[
            Slip.when(
                "kept",
                lambda got: len(got["found"]) < 3,
                "An order was kept from the call before. It may have changed since.",
            ),
        ],
    )
    broken = [
        OSError(f"{tools.INSIDE}: no such file"),
        RuntimeError(f"{tools.INSIDE} is locked"),
        TimeoutError(f"{tools.INSIDE} took 30 s"),
        type("Corrupt", (Exception,), {})(f"{tools.INSIDE} is corrupt"),
        ToolError(f"{tools.INSIDE} is no tool"),
    ]
    bad = {f"FH-7000{n}": error for n, error in enumerate(broken)}
    yield Case(
        "the database breaks, and comes back",
        call=lambda: tools.watched(
            answer, shop(**bad), [*(ask(one, "C-0042") for one in bad), ask(mine, "C-0042")]
        ),
        show="find raises OSError, RuntimeError, TimeoutError, an exception of the database's own,"
        " and ToolError; then FH-00017 for C-0042",
        expect={
            "got": [*[f"error: {tools.BROKEN}"] * len(broken), facts(mine)],
            "found": [*bad, mine["id"]],
            "logged": [str(error) for error in broken],
            "leaked": 0,
            "changed": 0,
        },
        about="broken",
        slips=[
            Slip.when(
                "inside",
                lambda got: got["leaked"] > 0,
                "The client read the exception's text, with a path of the server.",
            ),
            Slip.when(
                "not-logged",
                lambda got: not got["logged"],
                "Nobody will learn why: log.exception(...) keeps the traceback.",
            ),
        ],
    )
    lookups = {
        "FH-80001": KeyError(tools.INSIDE),
        "FH-80002": IndexError(tools.INSIDE),
        "FH-80003": type("NoRow", (LookupError,), {})(tools.INSIDE),
    }
    yield Case(
        "subclasses of LookupError",
        call=lambda: tools.watched(
            answer, shop(**lookups), [ask(one, "C-0042") for one in lookups]
        ),
        show="find raises KeyError, IndexError, and a LookupError of the database's own",
        expect={
            "got": [f"error: {unknown(one)}" for one in lookups],
            "found": list(lookups),
            "logged": [],
            "leaked": 0,
            "changed": 0,
        },
        about="errors",
    )
    wrong = ["FH-1234", "FH-123456", "fh-00017", "xFH-00017", "FH-00017 ", "FH-0001a", "", 17, None]
    yield Case(
        "arguments that do not fit",
        call=lambda: tools.behind(
            answer, shop(), [({"order_id": one}, "C-0042") for one in wrong] + [({}, "C-0042")]
        ),
        show=f"order_id: {', '.join(map(repr, wrong))}, and a call without it",
        expect=satisfies(
            "ten errors, without a call of who or find",
            lambda got: (
                all(str(each).startswith("error: ") for each in got["got"])
                and not got["found"]
                and not got["asked"]
            ),
        ),
        about="declared",
    )
    together = [ask(mine, "C-0042"), ask(hers, "C-0007"), ask(hers, "C-0042"), ask(mine, "C-0007")]
    yield Case(
        "calls of two customers at the same time",
        call=lambda: tools.called(answer, Shop(book, wait_for=4), together * 1, at_once=True),
        show="FH-00017 and FH-00208 for C-0042 and for C-0007, all four under way together",
        expect=[
            facts(mine),
            facts(hers),
            f"error: {unknown(hers['id'])}",
            f"error: {unknown(mine['id'])}",
        ],
        about="scope",
        slips=[
            Slip.when(
                "one-at-a-time",
                lambda got: tools.BROKEN in str(got),
                "The calls were answered one after another: while find is awaited, others go on.",
            ),
        ],
    )

    theirs = mine | {"customer": "C-0007"}
    turns = [ask(mine, "C-0042"), ask(mine, "C-0007")]
    no = f"error: {unknown(mine['id'])}"
    yield Case(
        "two servers, used in turn",
        call=lambda: tools.alternately(answer, (shop(), Shop({mine["id"]: theirs})), turns),
        show="FH-00017 for C-0042 and for C-0007; it is hers on the second server",
        expect=[
            {"got": got, "found": [mine["id"]] * 2, "asked": 2}
            for got in ([facts(mine), no], [no, facts(mine)])
        ],
        about="scope",
    )
    new = mine | {"status": "lost", "items": ["peg"], "paid": 1}
    states = (None, mine, new, theirs, OSError(tools.INSIDE), None, theirs, new, mine)
    day = [
        (state, ask(mine, customer), tools.due(mine["id"], state, customer))
        for state in states * 3
        for customer in ("C-0042", "C-0007")
    ]
    yield Case(
        "a long day of an order that changes",
        call=lambda: tools.day(answer, mine["id"], day),
        show=f"{len(day)} calls for FH-00017, which is missing, C-0042's, C-0007's, broken, ...",
        expect=satisfies(
            "each call is answered from what find gives at that time",
            lambda wrong: wrong or True,
        ),
        about="scope",
    )
