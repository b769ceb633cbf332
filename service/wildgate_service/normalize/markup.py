"""Markup: tags, character references and percent-encoding that a listing's text was sent with, read as what a browser would show.

Every piece is replaced by as many code points, filled up with ones that the fold drops, so that what is found stays at its place in the
text as sent.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote_to_bytes

# What fills up the place of a tag, and that of a reference behind what it stands for, which belongs to it; the fold drops both.
FILLER, CONTINUED = "\u2060", "\u2064"
LONGEST_TAG = 300  # code points
INLINE = "a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr"
BLOCK = (
    "address|article|aside|blockquote|body|br|button|caption|center|col|colgroup|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|"
    "form|h[1-6]|head|header|hr|html|iframe|img|input|legend|li|link|main|meta|nav|ol|option|p|picture|pre|script|section|select|style|"
    "summary|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|ul|video"
)
# Tags that leave a word whole, and those that part words as a line end does; only names of HTML, so that "a <b and c> d" stays.
TAG = re.compile(
    rf"<(?:!--[^<>]{{0,{LONGEST_TAG}}}-->|/?(?:(?P<inline>{INLINE})|{BLOCK})(?:[\s/][^<>]{{0,{LONGEST_TAG}}})?>)", re.IGNORECASE
)
REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
BLANK_ENCODED = re.compile(r"(?<=[^\W\d_])(?:%20)+(?=[^\W\d_]|%[c-fC-F])|(?<=%[89abAB][0-9a-fA-F])(?:%20)+")
ENCODED = re.compile(r"(?:%[c-fC-F][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){1,3})+")


def without_markup(text: str) -> str:
    """The text as a browser would show it, of the same length; the text itself if it holds no markup."""
    if "<" in text:
        text = TAG.sub(_shown_tag, text)
    if "&" in text:
        text = REFERENCE.sub(lambda found: _filled(unescape(found[0]), found[0]), text)
    if "%" in text:
        text = ENCODED.sub(_decoded, BLANK_ENCODED.sub(lambda found: _filled(" ", found[0]), text))
    return text


def _shown_tag(tag: re.Match[str]) -> str:
    whole = tag["inline"] is not None or tag[0].startswith("<!")
    return ("" if whole else " ").ljust(len(tag[0]), FILLER)


def _decoded(encoded: re.Match[str]) -> str:
    try:
        return _filled(unquote_to_bytes(encoded[0]).decode(), encoded[0])
    except UnicodeDecodeError:
        return encoded[0]


def _filled(shown: str, source: str) -> str:
    """What is shown, as long as its source; the source if a reference stands for nothing that can be shown."""
    if len(shown) > len(source) or "\x1f" in shown or shown == source:
        return source
    return shown.ljust(len(source), CONTINUED)
