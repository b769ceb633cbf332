"""What `manage.py check` says of the setting WILDGATE, the middleware and, with --database, the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.db import connections, router
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch

from wildgate.contrib.django import conf
from wildgate.contrib.django.models import Screening

MIDDLEWARE = "wildgate.contrib.django.middleware.WildgateMiddleware"
BEFORE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)


def check_settings(**_: Any) -> list[CheckMessage]:
    """Check settings that need no database."""
    found = [*conf.problems(getattr(settings, "WILDGATE", None)), *_middleware_problems(settings.MIDDLEWARE), *_page_problems()]
    return [_message(*problem) for problem in found]


def check_database(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Check that the tables are there."""
    alias = router.db_for_write(Screening)
    if alias not in (databases or ()):
        return []
    if Screening._meta.db_table in connections[alias].introspection.table_names():
        return []
    # A warning, for `migrate` asks as well, before it makes them.
    return [_message("wildgate.W013", f"The tables of Wildgate are not in the database {alias!r} yet.", "manage.py migrate makes them.")]


def _middleware_problems(middleware: Sequence[str]) -> Iterator[conf.Problem]:
    if MIDDLEWARE not in middleware:
        yield "wildgate.W011", "The middleware of Wildgate is missing, so sellers are not told of holds.", f"Add {MIDDLEWARE!r} at the end."
        return
    late = set(middleware[middleware.index(MIDDLEWARE) :]) & set(BEFORE)
    for name in sorted(late):
        yield "wildgate.E012", f"The middleware of Wildgate stands before {name}.", "Put it after, best at the end."


def _page_problems() -> Iterator[conf.Problem]:
    """Not among those of `conf`, for addresses are not there when the app begins."""
    loaded = conf.load()
    for watch in loaded.watches.values() if loaded else ():
        try:
            resolve_url(watch.held_page or "/")
        except NoReverseMatch:
            where = f"WILDGATE['MODELS'][{watch.label!r}]"
            yield (
                "wildgate.E014",
                f"{where} names the held_page {watch.held_page!r}, which is no address.",
                "Give a path or the name of a URL.",
            )


def _message(identity: str, text: str, hint: str) -> CheckMessage:
    kind = Error if identity.startswith("wildgate.E") else CheckWarning
    return kind(text, hint=hint, id=identity)
