"""What a platform says of itself for Annex I: a TOML file of what no decision or outcome can tell. What is not said stays blank."""

from __future__ import annotations

import tomllib
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from wildgate_service.annex1.template import CATEGORIES, places, template
from wildgate_service.errors import WildgateError
from wildgate_service.outcomes import Restriction

LONGEST = 5_000  # characters of a text in sheet 11 (Annex II, part II, section 2)

Text = Annotated[str, Meta(max_length=LONGEST)]
Count = Annotated[int, Meta(ge=0)]


class AboutError(WildgateError):
    """The file about the platform cannot be used."""


class Kind(StrEnum):
    """What kind of service it is, which decides what rows apply to it (Regulation (EU) 2022/2065, Articles 3 and 33)."""

    INTERMEDIARY = "intermediary"
    HOSTING = "hosting"
    ONLINE_PLATFORM = "online_platform"
    VLOP = "vlop"
    VLOSE = "vlose"


class Family(StrEnum):
    """What a platform may report to Wildgate. Where it reports, nothing is 0; where it does not, nothing is blank."""

    MEASURES = "measures"
    ORDERS = "orders"
    NOTICES = "notices"
    COMPLAINTS = "complaints"
    DISPUTES = "disputes"
    SUSPENSIONS = "suspensions"


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of sheet 11, in order."""

    summary: Text = ""
    information: Text = ""
    automated_means: Text = ""
    accuracy: Text = ""
    purposes: Text = ""
    safeguards: Text = ""
    governance: Text = ""
    qualifications: Text = ""
    training: Text = ""
    support: Text = ""
    methodology: Text = ""


class Moderators(Struct, frozen=True, forbid_unknown_fields=True):
    """Sheet 9, in full-time equivalents: employed, contracted, and with enough of a language (CEFR B2), in all and by language."""

    internal: Count | None = None
    external: Count | None = None
    expertise: Count | None = None
    languages: dict[str, Count] = {}


class Recipients(Struct, frozen=True, forbid_unknown_fields=True):
    """Sheet 10: average monthly active recipients, in all and by Member State."""

    total: Count | None = None
    member_states: dict[str, Count] = {}


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    `records` are the families that the platform reports to Wildgate, `can_restrict` the restrictions that the service can impose.
    `languages` breaks measures and accuracy down by language where the law does not ask for it, too. `categories` is contextual
    information for sheet 2, by category or keyword.
    """

    provider: str = ""
    service: str = ""
    kind: Kind = Kind.ONLINE_PLATFORM
    published: date | None = None
    previous: date | None = None
    languages: bool = True
    records: frozenset[Family] = frozenset()
    can_restrict: frozenset[Restriction] = frozenset()
    categories: dict[str, str] = {}
    texts: Texts = Texts()
    moderators: Moderators = Moderators()
    recipients: Recipients = Recipients()


def load_about(path: Path) -> About:
    """Read the file. Raises AboutError that says what is wrong, where, and what may stand there."""
    try:
        about = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), About)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise AboutError(f"{path}: {error}") from error
    for name, unknown, known in _codes(about):
        if unknown:
            raise AboutError(f"{path}: {name}: {', '.join(unknown)} is none of {', '.join(known)}")
    return about


def _codes(about: About) -> list[tuple[str, list[str], tuple[str, ...]]]:
    """(table, its keys that nobody knows, those that may stand there)."""
    sheet = template()[CATEGORIES]
    categories = tuple(dict.fromkeys(str(row[2]) for row in sheet.rows))
    tables = (
        ("categories", about.categories, categories),
        ("moderators.languages", about.moderators.languages, places().languages),
        ("recipients.member_states", about.recipients.member_states, places().member_states),
    )
    return [(name, [key for key in table if key not in known], known) for name, table, known in tables]
