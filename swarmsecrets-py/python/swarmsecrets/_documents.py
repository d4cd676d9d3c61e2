"""Documents of JSON as immutable objects."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def read(cls: type[T], document: dict[str, Any]) -> T:
    """An object of a frozen dataclass, from the members of a document that it has."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    members = {field.name: _value(hints[field.name], document.get(field.name)) for field in fields}
    return cls(**members)


def _value(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return () if origin is tuple else {} if origin is dict else None
    if origin is types.UnionType or origin is typing.Union:
        return _value(next(one for one in arguments if one is not type(None)), value)
    if origin is tuple:
        return tuple(_value(arguments[0], one) for one in value)
    return read(hint, value) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else value
