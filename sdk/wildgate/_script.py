"""The rules of the fake service, in code or in a scenario file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wildgate._errors import Code
from wildgate._spans import unit_index
from wildgate._types import Action, Listing, Match, Span, SpanUnit, Taxon
from wildgate.v1 import errors_pb2

SCORES = {Action.ALLOW: 0.01, Action.REVIEW: 0.6, Action.BLOCK: 0.98}
TAXA = (Taxon("elephant", "Loxodonta africana", "I"),)
TOLD = "The fake was told to answer this."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the fake does with listings whose text fits; the fields of a rule in a scenario file, but for the pattern."""

    pattern: re.Pattern[str]
    action: Action
    score: float
    taxa: tuple[Taxon, ...] = TAXA
    reason: str = TOLD
    notice: str = ""
    delay: float = 0.0
    """Seconds before the answer."""
    fail: str = ""
    """gRPC code to fail with, instead of an answer."""
    error_reason: str = ""

    def matches_in(self, listing: Listing, unit: SpanUnit) -> Iterator[Match]:
        """Yield where the pattern fits."""
        for name, text in _texts(listing):
            for found in self.pattern.finditer(text):
                start, end = (unit_index(text, index, unit) for index in found.span())
                yield Match(
                    rule_id="fake", kind="product", form=self.pattern.pattern, surface=found.group(), field=name, span=Span(start, end)
                )

    def fits(self, listing: Listing) -> bool:
        """Tell whether the pattern is anywhere in the listing."""
        return any(self.pattern.search(text) for _, text in _texts(listing))


def make_rule(
    text: str | re.Pattern[str],
    action: Action | str,
    *,
    score: float | None = None,
    fail: str = "",
    error_reason: str = "",
    **rest: Any,  # noqa: ANN401 fields of Rule
) -> Rule:
    """Make a rule; raise ValueError for an action or a code that there is not."""
    asked = Action(action)
    if fail and fail not in Code.__members__:
        message = f"fail={fail!r} is no gRPC code; known are {', '.join(Code.__members__)}"
        raise ValueError(message)
    known = [name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.keys()]  # noqa: SIM118 no dictionary
    if error_reason and error_reason not in known:
        message = f"error_reason={error_reason!r} is none of the service's; known are {', '.join(known)}"
        raise ValueError(message)
    pattern = text if isinstance(text, re.Pattern) else re.compile(re.escape(text), re.IGNORECASE)
    return Rule(
        pattern=pattern, action=asked, score=SCORES[asked] if score is None else score, fail=fail, error_reason=error_reason, **rest
    )


def read_scenario(path: str | Path) -> list[Rule]:
    """Read the rules of a file, TOML or by its suffix JSON; raise ValueError that says which rule is wrong, and how."""
    file = Path(path)
    content = file.read_text(encoding="utf-8")
    given = json.loads(content) if file.suffix == ".json" else tomllib.loads(content)
    if not isinstance(given, dict) or set(given) != {"rules"} or not isinstance(given["rules"], list):
        message = f"{file}: give a list named rules and nothing else; in TOML each begins with [[rules]]"
        raise ValueError(message)
    return [_read_rule(entry, f"{file}: rule {number}") for number, entry in enumerate(given["rules"], 1)]


def _read_rule(given: object, where: str) -> Rule:
    if not isinstance(given, Mapping) or len({"text", "pattern"} & set(given)) != 1:
        message = f"{where} needs either text (in any case) or pattern (a regular expression)"
        raise ValueError(message)
    unknown = sorted(set(given) - {*_READERS, "text", "pattern"})
    if unknown:
        message = f"{where} has {unknown[0]!r}; known are text, pattern, {', '.join(_READERS)}"
        raise ValueError(message)
    try:
        text = given["text"] if "text" in given else re.compile(given["pattern"])
        values: dict[str, Any] = {name: read(given[name]) for name, read in _READERS.items() if name in given}
        return make_rule(text, **{"action": Action.ALLOW, **values})
    except (TypeError, ValueError, re.error) as error:
        message = f"{where}: {error}"
        raise ValueError(message) from error


_READERS: dict[str, Callable[[Any], Any]] = {
    "action": str,
    "score": float,
    "taxa": lambda groups: tuple(map(Taxon, groups)),
    "reason": str,
    "notice": str,
    "delay": float,
    "fail": str,
    "error_reason": str,
}
"""Key of a rule in a file → how its value is read."""


def _texts(listing: Listing) -> Iterator[tuple[str, str]]:
    yield "title", listing.title
    yield "description", listing.description
    for index, attribute in enumerate(listing.attributes):
        yield f"attributes[{index}].name", attribute.name
        yield f"attributes[{index}].value", attribute.value
