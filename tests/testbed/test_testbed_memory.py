"""The object outside of replicas."""

from helpers.testbed import Memory


def test_a_field_that_was_never_written_is_none() -> None:
    memory = Memory()
    assert memory.get("turns", "r1") is None
    assert memory.fields("turns") == {}


def test_put_replaces_and_put_new_does_not() -> None:
    memory = Memory()
    memory.put("turns", "r1", "first")
    memory.put("turns", "r1", "second")
    assert memory.put_new("turns", "r1", "third") == "second"
    assert memory.get("turns", "r1") == "second"


def test_put_new_returns_what_it_wrote() -> None:
    memory = Memory()
    assert memory.put_new(("turns", "c1"), "r1", ("Weight?", "2.1 kg")) == ("Weight?", "2.1 kg")
    assert memory.get(("turns", "c2"), "r1") is None


def test_add_begins_at_zero_and_takes_negative_amounts() -> None:
    memory = Memory()
    assert [memory.add("asked", "all", amount) for amount in (2, 3, -1)] == [2, 5, 4]


def test_fields_keep_the_order_of_their_first_value_and_are_a_copy() -> None:
    memory = Memory()
    for field in ("b", "a", "b"):
        memory.put("turns", field, field.upper())
    fields = memory.fields("turns")
    assert list(fields.items()) == [("b", "B"), ("a", "A")]
    fields.clear()
    assert memory.fields("turns") != {}
