"""What a small model needs to answer in JSON: bounds in the schema, and the fields in words.

The engine enforces a schema but does not tell the model about it. Asked for a joke with two
fields, this model filled 300 tokens with "1.1.1." when only the grammar held it; with the fields
named in its prompt it wrote 54 tokens and two sentences.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

_LONGEST_TEXT = 160
_MOST_ITEMS = 8
_LEVELS = 2


def plain(answer: Any) -> Any:
    """An answer in a `bounded_class`, as an instance of the class that the caller asked for."""
    if isinstance(answer, BaseModel) and bounded_class(type(answer).__bases__[0]) is type(answer):
        answer.__class__ = type(answer).__bases__[0]
    return answer


def bounded(schema: Any) -> Any:
    """A JSON schema whose texts and lists end: `maxLength` and `maxItems` where none is given."""
    if isinstance(schema, list):
        return [bounded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: bounded(value) for key, value in schema.items()}
    if inner.get("type") == "string" and not {"enum", "const", "pattern", "format"} & inner.keys():
        inner.setdefault("maxLength", _LONGEST_TEXT)
    if inner.get("type") == "array":
        inner.setdefault("maxItems", _MOST_ITEMS)
    return inner


@lru_cache(maxsize=64)
def bounded_class(wanted: type[BaseModel]) -> type[BaseModel]:
    """The same Pydantic class, whose JSON schema is bounded; OpenAI's client asks it for that."""

    def model_json_schema(_: type[BaseModel], *args: Any, **kwargs: Any) -> dict[str, Any]:
        schema: dict[str, Any] = bounded(wanted.model_json_schema(*args, **kwargs))
        return schema

    namespace = {
        "model_json_schema": classmethod(model_json_schema),
        "__module__": wanted.__module__,
        "__doc__": wanted.__doc__,
    }
    return type(wanted.__name__, (wanted,), namespace)


def instruction(schema: Mapping[str, Any]) -> str:
    """The words that tell the model which fields its JSON answer has.

    On eight short extractions with 15 values, this list of fields led to 11 right values, an
    example object with the descriptions as values to 8: the model copied the descriptions.
    """
    definitions = schema.get("$defs", {})
    lines = _fields(_inner(schema, definitions)[0], definitions, "")
    return "\n".join(["Answer with a JSON object with these fields:", *lines])


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], indent: str
) -> Iterator[str]:
    for name, spec in schema.get("properties", {}).items():
        kind, several = _inner(spec, definitions)
        said = spec.get("description") or kind.get("description") or kind.get("type") or "value"
        if "enum" in kind:
            said = f"{said}: {' or '.join(map(str, kind['enum']))}"
        yield f"{indent}- {name}: {'a list, each ' if several else ''}{said}"
        # A tree may hold trees: three levels tell the model enough.
        if len(indent) < 2 * _LEVELS:
            yield from _fields(kind, definitions, f"{indent}  ")


def _inner(
    spec: Mapping[str, Any], definitions: Mapping[str, Any]
) -> tuple[Mapping[str, Any], bool]:
    """What stands behind references, options and lists, and whether it is a list."""
    several = False
    while True:
        options = [option for option in spec.get("anyOf", ()) if option.get("type") != "null"]
        name = str(spec.get("$ref", "")).rpartition("/")[2]
        if name in definitions:
            spec = definitions[name]
        elif options:
            spec = options[0]
        elif spec.get("type") == "array":
            spec, several = spec.get("items", {}), True
        else:
            return spec, several
