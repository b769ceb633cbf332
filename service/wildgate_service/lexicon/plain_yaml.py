"""Plain YAML read fast: lists, mappings and scalars as rule files have them. Whatever is more than that is left to `rules.load_yaml`.

PyYAML composes nodes before it constructs values, and asks of each scalar what type it may be; both cost more than reading. Here one walk
over the events makes the same values in half the time; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

import yaml

LINE = "__line__"
DEEPEST = 16  # levels of lists and mappings in each other; a rule has seven
STRING = "tag:yaml.org,2002:str"
MERGE = "<<"


class NotPlainError(Exception):
    """The text is none of what is read here, or is broken."""


def load_plain(text: str, loader_type: Any) -> Any:  # noqa: ANN401  (PyYAML has no types for it)
    """What a YAML text holds, each mapping with its line under `LINE`. Raises NotPlainError or what the loader raises."""
    loader = loader_type(text)
    try:
        loader.get_event()  # of the stream
        loader.get_event()  # of the document
        value = _value(loader, loader.get_event(), 0)
        loader.get_event()
        if not isinstance(loader.get_event(), yaml.StreamEndEvent):
            raise NotPlainError
        return value
    finally:
        loader.dispose()


def _value(loader: Any, event: Any, depth: int) -> Any:  # noqa: ANN401
    kind = type(event)
    if kind is yaml.ScalarEvent and event.anchor is None:
        return _scalar(loader, event)
    if depth == DEEPEST or kind not in {yaml.SequenceStartEvent, yaml.MappingStartEvent} or event.tag or event.anchor:
        raise NotPlainError
    return _sequence(loader, depth + 1) if kind is yaml.SequenceStartEvent else _mapping(loader, event, depth + 1)


def _sequence(loader: Any, depth: int) -> list[Any]:  # noqa: ANN401
    values = []
    while type(event := loader.get_event()) is not yaml.SequenceEndEvent:
        values.append(_value(loader, event, depth))
    return values


def _mapping(loader: Any, start: Any, depth: int) -> dict[str, Any]:  # noqa: ANN401
    values: dict[str, Any] = {}
    while type(event := loader.get_event()) is not yaml.MappingEndEvent:
        key = _scalar(loader, event) if type(event) is yaml.ScalarEvent and event.anchor is None else None
        if not isinstance(key, str) or key in values or key == MERGE:
            raise NotPlainError
        values[key] = _value(loader, loader.get_event(), depth)
    values[LINE] = start.start_mark.line + 1
    return values


def _scalar(loader: Any, event: Any) -> Any:  # noqa: ANN401
    if event.tag:
        raise NotPlainError
    value = event.value
    if event.implicit[1] and not event.implicit[0]:  # in quotes
        return value
    resolvers = loader.yaml_implicit_resolvers.get(value[:1])
    tag = next((tag for tag, pattern in resolvers if pattern.match(value)), STRING) if resolvers else STRING
    return value if tag == STRING else loader.construct_object(yaml.ScalarNode(tag, value, event.start_mark))
