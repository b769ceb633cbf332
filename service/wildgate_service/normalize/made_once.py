"""Made once: an attribute that is made when it is first asked for.

`functools.cached_property` does the same, and until Python 3.12 takes a lock for it: half a microsecond for each attribute of each text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class made_once(Generic[Value]):  # noqa: N801  (a decorator, as cached_property)
    """Decorates a method without arguments of a class with `__dict__`; two threads that ask at the same time may both make it."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> made_once[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> made_once[Value] | Value:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._make(instance)
        return value
