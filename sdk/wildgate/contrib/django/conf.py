"""The setting WILDGATE: what it may hold, what is wrong with it, and the frozen object made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from django.conf import settings as django_settings

from wildgate._config import DEFAULT_TIMEOUT, is_loopback
from wildgate.contrib.django.watched import Watch, read_watch, watch_problems

FIELDS: dict[str, tuple[object, str]] = {
    "TARGET": (None, "Address of the service, such as `dns:///wildgate:50051`"),
    "ON_UNAVAILABLE": (None, "What a listing gets that the service did not answer: `allow`, `review` or `block`"),
    "MODELS": (None, "Which models are watched, and where their texts are: see below"),
    "API_KEY": (None, "Key of the service; read it from the environment"),
    "INSECURE": (False, "Plaintext instead of TLS; with a key only to this machine"),
    "ROOT_CERTIFICATES": (None, "File (PEM) of the authorities to trust instead of the system's"),
    "TIMEOUT": (DEFAULT_TIMEOUT, "Seconds that a save may wait for the service, in all"),
    "MARKET": ("", "ISO 3166-1 alpha-2 country of the shop, where a model says none"),
    "OUTCOMES": (
        "background",
        "Who sends outcomes: a thread after the commit (`background`), the request (`inline`) or `wildgate_sync` (`command`)",
    ),
}
"""Name → (default, what it is); None: no default."""
REQUIRED = ("TARGET", "ON_UNAVAILABLE", "MODELS")
POLICIES = ("allow", "review", "block")
DELIVERIES = ("background", "inline", "command")
MARKET_LENGTH = 2

Problem = tuple[str, str, str]
"""Id of the check, what is wrong, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The setting WILDGATE, checked."""

    target: str
    on_unavailable: Literal["allow", "review", "block"]
    api_key: str | None
    insecure: bool
    root_certificates: str | None
    timeout: float
    market: str
    outcomes: Literal["background", "inline", "command"]
    watches: Mapping[str, Watch]
    """By label in lower case, such as `catalogue.product`."""


@lru_cache(maxsize=1)
def load() -> Settings | None:
    """Return the settings, or None while something is wrong with them, which `manage.py check` tells."""
    given = getattr(django_settings, "WILDGATE", None) or {}
    if any(problem[0].startswith("wildgate.E") for problem in problems(given)):
        return None
    chosen = {name: given.get(name, default) for name, (default, _) in FIELDS.items()}
    models = cast("dict[str, dict[str, Any]]", chosen.pop("MODELS"))
    watches = {label.lower(): read_watch(label, entry) for label, entry in models.items()}
    return Settings(**{name.lower(): value for name, value in chosen.items()}, watches=watches)


def problems(given: object) -> Iterator[Problem]:
    """Tell everything that is wrong with a value of WILDGATE."""
    if not isinstance(given, Mapping):
        yield "wildgate.E001", "settings.WILDGATE is missing or no dictionary.", f"Give it {', '.join(REQUIRED)}."
        return
    for name in sorted(set(given) - set(FIELDS)):
        yield "wildgate.E002", f"WILDGATE has an unknown key {name!r}.", f"Known are {', '.join(FIELDS)}."
    for name in REQUIRED:
        if not given.get(name) and not (name == "MODELS" and given.get(name) == {}):
            yield "wildgate.E003", f"WILDGATE has no {name}.", f"{FIELDS[name][1]}."
    yield from _bad_values(given)
    yield from _insecure(given)
    models = given.get("MODELS") or {}
    if not isinstance(models, Mapping):
        yield "wildgate.E007", "WILDGATE['MODELS'] is no dictionary.", "Give a dictionary for each model, by its label."
        return
    for label, entry in models.items():
        yield from watch_problems(label, entry)


def _bad_values(given: Mapping[str, Any]) -> Iterator[Problem]:
    for name, choices in (("ON_UNAVAILABLE", POLICIES), ("OUTCOMES", DELIVERIES)):
        if given.get(name) and given[name] not in choices:
            yield "wildgate.E004", f"WILDGATE[{name!r}] is {given[name]!r}.", f"Choose one of {', '.join(choices)}."
    timeout = given.get("TIMEOUT", DEFAULT_TIMEOUT)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
        yield "wildgate.E005", f"WILDGATE['TIMEOUT'] is {timeout!r}.", "Give seconds, more than 0; a seller waits for them."
    market = given.get("MARKET", "")
    if not isinstance(market, str) or (market and len(market) != MARKET_LENGTH):
        yield "wildgate.E005", f"WILDGATE['MARKET'] is {market!r}.", "Give two letters of ISO 3166-1, such as 'DE', or leave it out."
    certificates = given.get("ROOT_CERTIFICATES")
    if certificates and not Path(certificates).is_file():
        yield "wildgate.E005", f"WILDGATE['ROOT_CERTIFICATES'] names no file: {certificates}.", "Give the path of a PEM file."


def _insecure(given: Mapping[str, Any]) -> Iterator[Problem]:
    target, key = given.get("TARGET"), given.get("API_KEY")
    if not isinstance(target, str) or not target or is_loopback(target):
        return
    if not key:
        yield "wildgate.W006", f"WILDGATE has no API_KEY, and {target} is not on this machine.", "Such a service asks for one."
    elif given.get("INSECURE"):
        yield (
            "wildgate.E006",
            f"WILDGATE sends its API_KEY in plaintext to {target}.",
            "Leave out INSECURE, or use a target on this machine.",
        )
