"""The schemas of datasets: checked when they come, and enforced on the examples.

The form is JSON Schema (https://json-schema.org). The package that checks it is imported at first
use: most services never see a schema, and each has to be quick to start.
"""

from typing import Any

from helpers.tracing.errors import Invalid


def check(schema: Any, what: str) -> None:
    """Refuse what is no schema; None is none and passes.

    Raises:
        Invalid: it is no JSON Schema; the sentence names `what`.
    """
    if schema is None:
        return
    from jsonschema import SchemaError  # type: ignore[import-untyped]

    if not isinstance(schema, dict):
        raise Invalid(f"{what} must be a JSON Schema, which is a JSON object.")
    try:
        _kind(schema).check_schema(schema)
    except SchemaError as error:
        raise Invalid(f"{what} is no JSON Schema: {error.message[:300]}.") from None


def enforce(schema: Any, value: Any, what: str) -> None:
    """Refuse a value that does not match a schema.

    Raises:
        Invalid: it does not; the sentence names `what` and the place in it.
    """
    from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # With a registry of its own, and an empty one, it opens no address that a schema refers to.
    validator = _kind(schema)(schema, registry=Registry())
    try:
        validator.validate(value)
    except ValidationError as error:
        place = error.json_path.removeprefix("$").removeprefix(".")
        where = f"{what}.{place}" if place else what
        raise Invalid(
            f"{where} does not match the dataset's schema: {error.message[:300]}."
        ) from None
    except Unresolvable as error:
        raise Invalid(f"The schema of {what} refers to what is not in it: {error.ref!r}.") from None


def _kind(schema: dict[str, Any]) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for  # type: ignore[import-untyped]

    return validator_for(schema, default=Draft202012Validator)
