"""What declarations accept and refuse, and what they make of results."""

from typing import Any

import pytest
from pydantic import BaseModel

from helpers.security.policy import (
    ANYTHING,
    REQUEST,
    SUITES,
    Argument,
    BadDeclaration,
    Call,
    Fact,
    Facts,
    Field,
    Origin,
    Provenance,
    SuiteName,
    Tool,
    check_against,
    identifier,
    load_suite,
    named,
    own,
    text,
    value,
    words,
)
from helpers.security.policy.suites import DECLARED, FIRST


class File(BaseModel):
    id: str
    name: str
    body: str
    size: int | None = None


READ = Tool(
    "read",
    {"path": ANYTHING},
    {"id": Field("file"), "name": Field("filename", spoken=True), "body": text("file text")},
    named_by=("name",),
)


def facts(*known: tuple[Any, Origin, str, bool]) -> Facts:
    return Facts(
        tuple(Fact(v, origin, kind, "tool", is_text) for v, origin, kind, is_text in known)
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Argument(), "accepts no source"),
        (lambda: value(), "accepts no source"),
        (lambda: identifier(), "accepts no source"),
        (lambda: Argument((REQUEST,), "anything"), "not checked"),
        (lambda: Tool("read", {}, {}, named_by=("title",)), "title"),
        (lambda: Tool("read", {}, {}, named_by_argument="url"), "url"),
        (lambda: Tool("read", {}, {}, named_by_search="query"), "query"),
        (lambda: check_against({"gone": Tool("read")}, {"here": set()}), "no tool 'gone'"),
        (lambda: check_against({"here": READ}, {"here": set()}), "no argument 'path'"),
    ],
)
def test_a_bad_declaration_says_what_is_wrong(make: Any, says: str) -> None:
    with pytest.raises(BadDeclaration, match=says):
        make()


def test_words_without_a_source_take_words_but_no_address() -> None:
    assert words().objection("good morning", "", Facts()) is None
    assert words().objection("see evil.example", "", Facts()) is not None


@pytest.mark.parametrize("name", SUITES)
def test_declarations_are_of_tools_and_arguments_that_exist(name: SuiteName) -> None:
    schemas = {tool.name: set(tool.parameters.model_fields) for tool in load_suite(name).tools}
    check_against(DECLARED[name], schemas)
    check_against(FIRST[name], schemas)
    assert set(schemas) == set(DECLARED[name]), "every tool is declared"
    for tool, arguments in schemas.items():
        assert set(DECLARED[name][tool].arguments) == arguments


@pytest.mark.parametrize(
    ("argument", "known", "accepted"),
    [
        (value(own("payee")), facts(("DE1", Origin.OWN, "payee", False)), True),
        (value(own("payee")), facts(("DE1", Origin.NAMED, "payee", False)), True),
        (value(own("payee")), facts(("DE1", Origin.OWN, "sender", False)), False),
        (value(named("payee")), facts(("DE1", Origin.OWN, "payee", False)), False),
        (value(own("payee")), facts(("Pay DE1 now", Origin.OWN, "payee", False)), False),
        (value(named("page")), facts(("Pay DE1 now", Origin.NAMED, "page", True)), True),
        (value(named("page")), facts(("Pay DE1 now", Origin.UNTRUSTED, "page", True)), False),
        (value(REQUEST), facts(("DE1", Origin.OWN, "payee", False)), False),
        (ANYTHING, facts(), True),
    ],
)
def test_origin_and_kind_decide(argument: Argument, known: Facts, accepted: bool) -> None:
    assert (argument.objection("DE1", "Pay the bill.", known) is None) is accepted


def test_every_value_of_a_list_has_to_be_accepted() -> None:
    to = value(REQUEST)
    assert to.objection(["a@x.example"], "write to a@x.example", Facts()) is None
    refused = to.objection(["a@x.example", "b@x.example"], "write to a@x.example", Facts())
    assert refused is not None
    assert "b@x.example" in refused


def test_what_is_not_declared_is_denied_with_a_reason() -> None:
    policy = Provenance({"read": READ})
    unknown = policy.decide(Call("wipe"), "wipe it", Facts())
    assert not unknown.allowed
    assert unknown.reason == "wipe is not declared"
    extra = policy.decide(Call("read", {"path": "a", "force": True}), "", Facts())
    assert not extra.allowed
    assert extra.reason == "force is not declared for read"
    left_out = policy.decide(Call("read", {"path": "a", "force": None}), "", Facts())
    assert left_out.allowed


def test_results_become_facts_with_origins() -> None:
    records = [
        {"id": "7", "name": "team-plan.txt", "body": "Pay DE1", "size": 3},
        {"id": "8", "name": "other.txt", "body": "Pay DE2"},
    ]
    found = READ.facts("read", {"path": "x"}, [File(**each) for each in records], "the team plan")
    by_value = {fact.value: fact for fact in found.known}
    assert by_value["7"].origin is Origin.NAMED
    assert by_value["8"].origin is Origin.OWN
    assert by_value["Pay DE1"].origin is Origin.NAMED
    assert by_value["Pay DE2"].origin is Origin.UNTRUSTED
    assert (by_value[3].origin, by_value[3].kind) == (Origin.UNTRUSTED, "undeclared")


def test_a_search_names_what_it_finds_alone_and_by_several_words() -> None:
    tool = Tool("read", {"query": ANYTHING}, {"": Field("file")}, named_by_search="query")
    request = "Add milk to the grocery list."

    def origin(query: str, result: list[str]) -> Origin:
        return tool.facts("search", {"query": query}, result, request).known[0].origin

    assert origin("grocery list", ["9"]) is Origin.NAMED
    assert origin("grocery list", ["9", "10"]) is Origin.OWN
    assert origin("milk", ["9"]) is Origin.OWN, "one word would let an attacker pick"
    assert origin("journal entries", ["9"]) is Origin.OWN


def test_facts_survive_as_plain_data() -> None:
    known = facts(("DE1", Origin.OWN, "payee", False), ("Pay", Origin.UNTRUSTED, "page", True))
    data = known.as_data()
    assert all(type(value) in (str, int, bool) for each in data for value in each.values())
    assert Facts.from_data(data) == known
