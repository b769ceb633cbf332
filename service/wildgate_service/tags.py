"""Language tags and market codes as callers write them, checked for their form and brought to one spelling."""

from __future__ import annotations

import re

from wildgate_service.errors import InvalidListingError

LANGUAGE = re.compile(r"[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8}){0,8}")
MARKET = re.compile(r"[A-Za-z]{2}")


def language_tag(text: str) -> str:
    """A BCP 47 tag with hyphens and its language in lower case; "" stays. Raises InvalidListingError if it is none."""
    if text and not LANGUAGE.fullmatch(text):
        raise _invalid("language", text, "a BCP 47 tag such as vi or zh-Hant")
    base, *rest = text.replace("_", "-").split("-")
    return "-".join([base.lower(), *rest])


def market_code(text: str) -> str:
    """An ISO 3166-1 alpha-2 code in upper case; "" stays. Raises InvalidListingError if it is none."""
    if text and not MARKET.fullmatch(text):
        raise _invalid("market", text, "an ISO 3166-1 code of two letters such as SG")
    return text.upper()


def _invalid(field: str, text: str, wanted: str) -> InvalidListingError:
    return InvalidListingError(f"{field} {text[:40]!r} is not {wanted}", reason="FIELD_INVALID", field=field)
