"""The policy file as it is written, and what is wrong with its form: unknown keys, missing keys, values of another kind."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from wildgate_service.classify import DEFAULT_ROUTING, Routing
from wildgate_service.decide.policy import LONE_FORM_UNTIL, Limits, Unlisted
from wildgate_service.policy.lines import Path
from wildgate_service.sampling import NO_SAMPLING, Sampling
from wildgate_service.types import Action

SHIPPED = (
    "reasons",
    "notices",
    "reviewed",
    "dsa",
    "statements",
)  # tables that are as in the policy that ships where a file has none of its own

OVER_ONE = 1.01  # a threshold that no probability reaches


class Problem(Struct, frozen=True):
    """Something that is wrong at a path of the file, or, as a `warning`, that may not be meant."""

    path: Path
    message: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.message}" if self.path else self.message


class ScopeTable(Struct, forbid_unknown_fields=True):
    """A market, a union or a tenant."""

    review: float | None = None
    block: float | None = None
    unlisted: Unlisted | None = None
    shadow: bool | None = None
    shadow_rules: tuple[str, ...] = ()
    moderator_language: str = ""
    groups: dict[str, Limits] = {}


class Ground(Struct, forbid_unknown_fields=True):
    """What the EU's transparency database is told of a group.

    `described_parts` and `described_live`, if not empty, give the group a row of its own in the sheets of Annex I: KEYWORD_OTHER with this
    description in place of the keyword.
    """

    decision_ground: str
    category_parts: str
    keyword_parts: str
    category_live: str
    keyword_live: str
    described_parts: str = ""
    described_live: str = ""


class Publication(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be published: the least count that is shown, and the least sample that a share is told of."""

    smallest_cell: Annotated[int, Meta(ge=1)] = 5
    smallest_sample: Annotated[int, Meta(ge=1)] = 30


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """Days after which `wildgate store prune --by-policy` erases records, by the action that was decided; 0 keeps them."""

    allow_days: Annotated[int, Meta(ge=0)] = 0
    review_days: Annotated[int, Meta(ge=0)] = 0
    block_days: Annotated[int, Meta(ge=0)] = 0

    def days(self) -> dict[Action, int]:
        """Of the actions whose records are erased some day."""
        days = {Action.ALLOW: self.allow_days, Action.REVIEW: self.review_days, Action.BLOCK: self.block_days}
        return {action: count for action, count in days.items() if count}


class ContentTypes(Struct, forbid_unknown_fields=True):
    """The types of content that the database is told, by kind of content; () for what is on no online platform."""

    listing: tuple[str, ...]
    social_post: tuple[str, ...]
    cargo_booking: tuple[str, ...]


class StatementTable(Struct, forbid_unknown_fields=True):
    """What statements of reasons say that no record holds; the meaning of each key stands in the policy that ships."""

    legal_ground: str
    legal_url: str
    legal_explanation: str
    terms_ground: str
    terms_url: str
    terms_explanation: str
    facts: str
    content_types: ContentTypes
    territorial_scope: tuple[str, ...]
    markets: Literal["eea", "all"]
    moderator_after_software: Literal["AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"]
    without_group: Literal["incomplete", "default"]
    live_groups: tuple[str, ...]


class PolicyFile(Struct, forbid_unknown_fields=True):
    """The whole file. `reasons` are by language and name, `notices` by action and language; a table of `SHIPPED` may be left out."""

    version: str
    thresholds: Limits
    reasons: dict[str, dict[str, str]]
    notices: dict[str, dict[str, str]]
    dsa: dict[str, Ground]
    statements: StatementTable
    shadow: bool = False
    shadow_rules: tuple[str, ...] = ()
    moderator_language: str = "en"
    reviewed: tuple[str, ...] = ()
    lone_form_until: Annotated[int, Meta(ge=0)] = LONE_FORM_UNTIL
    routing: Routing = DEFAULT_ROUTING
    sampling: Sampling = NO_SAMPLING
    report: Publication = Publication()
    retention: Retention = Retention()
    groups: dict[str, Limits] = {}
    markets: dict[str, ScopeTable] = {}
    tenants: dict[str, ScopeTable] = {}


def problems_of_form(value: object, kind: Any = PolicyFile, path: Path = ()) -> Iterator[Problem]:  # noqa: ANN401  (a type, or an alias of one)
    """Everything that keeps a value from being of a kind; msgspec alone would stop at the first and leave out the key."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)} if isinstance(kind, type) and issubclass(kind, Struct) else None
    if get_origin(kind) is dict and isinstance(value, dict):
        for key, each in value.items():
            yield from problems_of_form(each, get_args(kind)[1], (*path, key))
    elif fields is not None and isinstance(value, dict):
        for key, each in value.items():
            if key in fields:
                yield from problems_of_form(each, fields[key].type, (*path, key))
            else:
                yield Problem((*path, key), f"unknown key; {_nearest(key, list(fields))}")
        missing = [name for name, field in fields.items() if field.required and name not in value]
        yield from (Problem(path, f"{name} is missing") for name in missing)
    else:
        yield from _problem_of_value(value, kind, path)


def _problem_of_value(value: object, kind: Any, path: Path) -> Iterator[Problem]:  # noqa: ANN401
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield Problem(path, str(error))


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
