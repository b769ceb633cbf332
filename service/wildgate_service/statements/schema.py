"""What a statement of reasons may say: fields, their values and rules, read from `fields.toml` and `policies/dsa_values.json`."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

RESTRICTIONS = ("decision_visibility", "decision_monetary", "decision_provision", "decision_account")
END_DATES = (
    "end_date_visibility_restriction",
    "end_date_monetary_restriction",
    "end_date_service_restriction",
    "end_date_account_restriction",
)
ILLEGAL = "DECISION_GROUND_ILLEGAL_CONTENT"
TERMS = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
EAN = "EAN-13"


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field and its rules; what they mean stands at the top of `fields.toml`."""

    name: str
    kind: Literal["value", "values", "text", "link", "day", "content_id"]
    values: str = ""
    required: Literal["", "always", "restriction", "with"] = ""
    only_with: dict[str, str] = {}
    not_with: dict[str, str] = {}
    nullable: bool = False
    null_text: bool = False
    longest: int | None = None
    earliest: str = ""
    latest: str = ""
    pattern: str = ""

    @property
    def allowed(self) -> frozenset[str]:
        """The values that an enumerated field may have."""
        return _allowed(self.values)


@cache
def fields() -> dict[str, Field]:
    """All fields by name, in the database's order."""
    text = (resources.files("wildgate_service") / "statements" / "fields.toml").read_text(encoding="utf-8")
    return {field.name: field for field in msgspec.convert(tomllib.loads(text)["field"], list[Field])}


@cache
def dsa_values() -> dict[str, list[str]]:
    """The values that the EU's transparency database takes, by the name that `fields.toml` gives them."""
    file = resources.files("wildgate_service") / "policies" / "dsa_values.json"
    values: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    return values


@cache
def _allowed(values: str) -> frozenset[str]:
    return frozenset(dsa_values()[values])
