"""Documents of JSON as immutable objects."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Reader = Callable[[Any], Any]

_known: dict[Any, list[tuple[str, Reader]]] = {}


def read(cls: type[T], document: dict[str, Any]) -> T:
    """An object of a frozen dataclass, from the members of a document that it has."""
    return cls(**{name: reader(document.get(name)) for name, reader in _readers(cls)})


def _readers(cls: Any) -> list[tuple[str, Reader]]:
    """For each field, how its value is read. Worked out once for a class: a large inventory has many objects of few."""
    if cls not in _known:
        hints = typing.get_type_hints(cls)
        _known[cls] = [(field.name, _reader(hints[field.name])) for field in dataclasses.fields(cls)]
    return _known[cls]


def _reader(hint: Any) -> Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        return _reader(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda value: () if value is None else tuple(map(item, value))
    if origin is dict:
        return lambda value: {} if value is None else value
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda value: None if value is None else read(hint, value)
    return lambda value: value
