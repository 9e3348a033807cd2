"""JSON as the dataclasses that describe it.

The server is trusted: nothing is checked. Unknown fields are ignored, and missing ones are None, so that a client works
with older and newer servers.
"""

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from pawsort.answer import Answer

T = TypeVar("T")
Decoder = Callable[[Any], Any]


def decode(kind: type[T], value: object) -> T:
    """Return a JSON value as an object of a type."""
    decoder: Decoder = _decoder(kind)  # type: ignore[arg-type]  # every type is hashable
    decoded: T = decoder(value)
    return decoded


@cache
def _decoder(kind: Any) -> Decoder:
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    if kind is datetime:
        return datetime.fromisoformat
    arguments = get_args(kind)
    if get_origin(kind) is list:
        return _each(_decoder(arguments[0]))
    if get_origin(kind) is dict:
        return _each_value(_decoder(arguments[1]))
    if get_origin(kind) in (types.UnionType, Union):
        return _optional(next(_decoder(one) for one in arguments if one is not types.NoneType))
    return _as_it_is


def _dataclass_decoder(kind: Any) -> Decoder:
    hints = typing.get_type_hints(kind)
    decoders = {field.name: _decoder(hints[field.name]) for field in dataclasses.fields(kind)}
    keeps_json = issubclass(kind, Answer)
    plain = [name for name, decoder in decoders.items() if decoder is _as_it_is]
    others = [(name, decoder) for name, decoder in decoders.items() if decoder is not _as_it_is]

    def decode_fields(value: dict[str, Any]) -> Any:
        fields = {name: value.get(name) for name in plain}
        for name, decoder in others:
            given = value.get(name)
            fields[name] = None if given is None else decoder(given)
        decoded = kind(**fields)
        if keeps_json:
            decoded.json = value
        return decoded

    return decode_fields


def _each(decoder: Decoder) -> Decoder:
    return _as_it_is if decoder is _as_it_is else lambda values: [decoder(value) for value in values]


def _each_value(decoder: Decoder) -> Decoder:
    if decoder is _as_it_is:
        return _as_it_is
    return lambda values: {name: decoder(value) for name, value in values.items()}


def _optional(decoder: Decoder) -> Decoder:
    return _as_it_is if decoder is _as_it_is else lambda value: None if value is None else decoder(value)


def _as_it_is(value: Any) -> Any:
    return value
