"""What a seller is told, in the language of the page they are on.

The service answers in the language of the text. Where that is a sentence of the policy that
ships, `notices.json` (made by `tools/make_notices.py` from that policy) has it in the language of
the page; a sentence of a platform's own policy is shown as it is.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from django.utils.translation import get_language, gettext

from wildgate._types import Action, Decision

LAST_RESORT = "en"
SPOKEN_AS = {"zh-tw": "zh-hant", "zh-hk": "zh-hant", "zh-mo": "zh-hant", "zh": "zh-hans", "fil": "tl"}
"""Languages of Django under the tags of the policy."""


def notice_for(decision: Decision, language: str | None = None) -> str:
    """Return what to tell the seller in `language` (None: the page's); empty for what is allowed."""
    if decision.action is Action.ALLOW:
        return ""
    if decision.blocked and not decision.answered:
        return gettext("This cannot be checked right now. Please save it again in a few minutes.")
    notices = _shipped()[decision.action.value]
    if decision.notice and decision.notice not in notices.values():
        return decision.notice
    return _in_language(notices, language or get_language() or LAST_RESORT)


def _in_language(notices: dict[str, str], language: str) -> str:
    by_tag = {tag.lower(): text for tag, text in notices.items()}
    parts = language.lower().split("-")
    for count in range(len(parts), 0, -1):
        tag = "-".join(parts[:count])
        for each in (tag, SPOKEN_AS.get(tag, "")):
            if each in by_tag:
                return by_tag[each]
    return notices[LAST_RESORT]


@cache
def _shipped() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "notices.json").read_text(encoding="utf-8"))
    return read
