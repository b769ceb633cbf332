"""What is wrong with a policy's [statements]: values that the EU's database does not know, slots that nothing fills."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wildgate_service.policy.file import PolicyFile, Problem
from wildgate_service.policy.templates import slot_problems
from wildgate_service.statements.check import check_field
from wildgate_service.statements.schema import TERMS, dsa_values, fields

TABLE = "statements"
SLOTS = frozenset({"groups", "goods", "lists", "kind", "market", "source", "decided"})
TEMPLATES = ("legal_explanation", "terms_explanation", "facts")
CALLED = {  # keys whose values are fields of a statement
    "legal_ground": "illegal_content_legal_ground",
    "legal_url": "decision_ground_reference_url",
    "legal_explanation": "illegal_content_explanation",
    "terms_ground": "incompatible_content_ground",
    "terms_url": "decision_ground_reference_url",
    "terms_explanation": "incompatible_content_explanation",
    "facts": "decision_facts",
    "territorial_scope": "territorial_scope",
}
MAY_BE_EMPTY = {"legal_url", "terms_url", "terms_ground"}
NEEDS_TEXT = "CONTENT_TYPE_OTHER"


def problems_of_statements(file: PolicyFile) -> Iterator[Problem]:
    """Everything that would make statements wrong."""
    for key, name in CALLED.items():
        value = getattr(file.statements, key)
        if value:
            said = list(value) if isinstance(value, tuple) else value
            yield from (Problem((TABLE, key), wrong.message) for wrong in check_field(fields()[name], said))
        elif key not in MAY_BE_EMPTY:
            yield Problem((TABLE, key), "says nothing, and no statement is complete without it")
    for key in TEMPLATES:
        yield from slot_problems((TABLE, key), getattr(file.statements, key), SLOTS)
    yield from _content_types(file)
    yield from _terms(file)


def _content_types(file: PolicyFile) -> Iterator[Problem]:
    for kind, types in msgspec.structs.asdict(file.statements.content_types).items():
        for each in types:
            if each == NEEDS_TEXT or each not in dsa_values()["content_type"]:
                yield Problem((TABLE, "content_types", kind), f"{each!r} is no value of the EU's transparency database that needs no words")


def _terms(file: PolicyFile) -> Iterator[Problem]:
    """A group that is restricted by terms that nobody named."""
    by_terms = [group for group, ground in file.dsa.items() if ground.decision_ground == TERMS]
    if by_terms and not file.statements.terms_ground:
        message = f"is empty, so that statements about {', '.join(by_terms)} (see dsa) are incomplete"
        yield Problem((TABLE, "terms_ground"), message, warning=True)
