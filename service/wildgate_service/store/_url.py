"""What a store's URL names, and how it is shown."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from wildgate_service.errors import StoreError

SCHEME = "sqlite:///"
SUPPORTED = "supported is sqlite:///PATH (sqlite:////PATH for an absolute path) and postgresql://USER@HOST/DATABASE"
PASSWORD_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&#]*", re.IGNORECASE)
MALFORMED_PASSWORD = re.compile(r"(://[^:@]*:).*(?=@)", re.DOTALL)  # one with a slash that was not escaped
PASSWORD_MASK = "***"  # noqa: S105  (what stands for a password)


def is_postgresql(url: str) -> bool:
    """Whether the URL is one of PostgreSQL's."""
    return url.partition("://")[0] in {"postgresql", "postgres"}


def path_of(url: str) -> Path:
    """The file that a URL of SQLite names. Raises StoreError if it names none."""
    if not url.startswith(SCHEME) or url == SCHEME:
        message = f"store {mask(url)!r} names no store: {SUPPORTED}"
        raise StoreError(message)
    return Path(unquote(url.removeprefix(SCHEME)))


def mask(text: str) -> str:
    """Mask the passwords of a URL; other text stays as it is.

    >>> mask("postgresql://gate:secret@db/gate?password=secret")
    'postgresql://gate:***@db/gate?password=***'
    """
    if "://" not in text:
        return text
    text = PASSWORD_PARAMETER.sub(rf"\g<1>{PASSWORD_MASK}", text)
    parts = urlsplit(text)
    if not parts.password:
        return MALFORMED_PASSWORD.sub(rf"\g<1>{PASSWORD_MASK}", text) if "@" in text and "@" not in parts.netloc else text
    hidden = parts.netloc.replace(f":{parts.password}@", f":{PASSWORD_MASK}@", 1)
    return urlunsplit(parts._replace(netloc=hidden))
