"""A watched model: where in it the texts are, whether it is published, and the listing made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.utils import timezone
from django.utils.module_loading import import_string

from wildgate._types import ContentKind, Listing

KEYS: dict[str, str] = {
    "title": "Field of the title",
    "text": "List of fields that make the description, in their order",
    "attributes": "List of fields, dictionary of label → field, or dotted path of a function from the object to a dictionary",
    "published": "`{'field': …, 'value': …, 'hidden': …}`: what makes it public, and what hides it (of a boolean: the other value); "
    "`'touch'` may name a field that gets the time of it",
    "seller": "Field that names the seller, such as `owner_id`; only its keyed hash is stored by the service",
    "market": "Field with the country of the object",
    "category": "Field with the category, as text",
    "language": "Field with the BCP 47 language of the text, if the object has one",
    "kind": "`listing` (the default), `social_post` or `cargo_booking`",
    "only": "Dotted path of a function from the object to whether it is scored at all, such as posts that everybody can read",
    "held_page": "Path or name of the page where who posted goes when the object's own (`get_absolute_url`) is hidden with it",
}
"""What an entry of MODELS may hold. Fields may be paths such as `owner.country`, and methods."""
PATHS = ("title", "seller", "market", "category", "language")
PUBLISHED_KEYS = {"field", "value", "hidden", "touch"}


@dataclass(frozen=True, slots=True)
class Published:
    """The field that decides whether an object is public, and its two values."""

    field: str
    value: object
    hidden: object
    touch: str = ""
    """Field that gets the time at which this changed, such as one that a search index goes by."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is written when this changes."""
        return tuple(filter(None, (self.field, self.touch)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How one model becomes a listing."""

    label: str
    title: str = ""
    text: tuple[str, ...] = ()
    attributes: Mapping[str, str] | str = ""
    published: Published | None = None
    seller: str = ""
    market: str = ""
    category: str = ""
    language: str = ""
    kind: str = ContentKind.LISTING
    only: str = ""
    held_page: str = ""

    @property
    def model(self) -> type[Model]:
        """The model itself."""
        return apps.get_model(self.label)

    def listing_of(self, instance: object, *, market: str = "", posted_time: datetime | None = None) -> Listing:
        """Return the object's texts as a listing; `market` where the model says none."""
        read = cast("Callable[[str], str]", lambda path: text_at(instance, path))
        key = getattr(instance, "pk", None)
        return Listing(
            id="" if key is None else f"{self.label}:{key}",
            title=read(self.title),
            description="\n\n".join(filter(None, map(read, self.text))),
            attributes=self._attributes_of(instance),
            content_kind=self.kind,
            category=read(self.category),
            language=read(self.language),
            market=read(self.market) or market,
            seller_ref=read(self.seller),
            posted_time=posted_time,
        )

    def concerned(self, update_fields: Collection[str] | None) -> bool:
        """Tell whether saving these fields alone can change what is shown; None: all fields."""
        if update_fields is None or isinstance(self.attributes, str):
            return True
        paths = (self.title, self.market, *self.text, *self.attributes.values(), self.published.field if self.published else "")
        return not {path.partition(".")[0] for path in paths}.isdisjoint(update_fields)

    def covers(self, instance: object) -> bool:
        """Tell whether an object is one of those that are scored."""
        return not self.only or bool(import_string(self.only)(instance))

    def is_published(self, instance: object) -> bool:
        """Tell whether the object is public now; one that cannot be hidden is."""
        return self.published is None or getattr(instance, self.published.field) == self.published.value

    def set_published(self, instance: object, *, public: bool) -> None:
        """Publish or hide the object, unsaved."""
        if self.published is None:
            return
        setattr(instance, self.published.field, self.published.value if public else self.published.hidden)
        if self.published.touch:
            setattr(instance, self.published.touch, timezone.now())

    def _attributes_of(self, instance: object) -> list[tuple[str, str]]:
        if isinstance(self.attributes, str):
            given = import_string(self.attributes)(instance).items() if self.attributes else ()
            pairs = ((str(name), str(value)) for name, value in given)
        else:
            pairs = ((name, text_at(instance, path)) for name, path in self.attributes.items())
        return [(name, value) for name, value in pairs if value]


def text_at(instance: object, path: str) -> str:
    """Follow a path of fields, keys and methods; what is not there is empty."""
    value: object = instance if path else None
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        value = value() if callable(value) else value
    return "" if value is None else str(value)


def digest_of(listing: Listing) -> str:
    """SHA-256 of all that is scored, by which a change is known."""
    attributes = [[each.name, each.value] for each in listing.attributes]
    scored = [listing.title, listing.description, attributes, listing.content_kind, listing.market, listing.language]
    return hashlib.sha256(json.dumps(scored).encode()).hexdigest()


def read_watch(label: str, entry: Mapping[str, Any]) -> Watch:
    """Make the watch of an entry that has no problems."""
    given = dict(entry)
    attributes = given.pop("attributes", "")
    if not isinstance(attributes, str | Mapping):
        attributes = {name: name for name in attributes}
    published = given.pop("published", None)
    if published is not None:
        published = Published(**{"hidden": not published["value"], **published})
    return Watch(label=label, text=tuple(given.pop("text", ())), attributes=attributes, published=published, **given)


def watch_problems(label: str, entry: object) -> Iterator[tuple[str, str, str]]:
    """Tell what is wrong with one entry of MODELS."""
    where = f"WILDGATE['MODELS'][{label!r}]"
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        yield "wildgate.E007", f"{where} names no model that is installed.", "Use the form 'app_label.Model'."
        return
    if not isinstance(entry, Mapping):
        yield "wildgate.E008", f"{where} is no dictionary.", f"It may hold {', '.join(KEYS)}."
        return
    for name in sorted(set(entry) - set(KEYS)):
        yield "wildgate.E008", f"{where} has an unknown key {name!r}.", f"Known are {', '.join(KEYS)}."
    if not entry.get("title") and not entry.get("text"):
        yield "wildgate.E008", f"{where} has neither title nor text.", "Name the fields that hold what the seller wrote."
    if entry.get("kind", ContentKind.LISTING) not in set(ContentKind):
        yield "wildgate.E008", f"{where} has the kind {entry['kind']!r}.", f"Choose one of {', '.join(ContentKind)}."
    for path in _paths(entry):
        if not _exists(model, path):
            yield "wildgate.E008", f"{where} names {path!r}, which {model.__name__} does not have.", "Name a field, property or method."
    for name in ("attributes", "only"):
        yield from _function_problems(where, name, entry.get(name))
    yield from _published_problems(where, model, entry.get("published"))


def _paths(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from (entry[name] for name in PATHS if entry.get(name))
    yield from entry.get("text", ())
    attributes = entry.get("attributes", ())
    if not isinstance(attributes, str):
        yield from attributes.values() if isinstance(attributes, Mapping) else attributes


def _exists(model: type[Model], path: object) -> bool:
    if not isinstance(path, str):
        return False
    name = path.partition(".")[0]
    return hasattr(model, name) or name in {each.name for each in model._meta.get_fields()}


def _function_problems(where: str, name: str, given: object) -> Iterator[tuple[str, str, str]]:
    if not isinstance(given, str) or not given:
        return
    try:
        import_string(given)
    except ImportError:
        yield "wildgate.E008", f"{where} has {name} {given!r}, which cannot be imported.", "Give the dotted path of a function."


def _published_problems(where: str, model: type[Model], given: object) -> Iterator[tuple[str, str, str]]:
    if given is None:
        yield "wildgate.W010", f"{where} does not say what makes it public, so nothing can be held back.", "Add 'published'."
        return
    if not isinstance(given, Mapping) or not {"field", "value"} <= set(given) <= PUBLISHED_KEYS:
        yield "wildgate.E009", f"{where}['published'] must have field and value.", "Such as {'field': 'is_public', 'value': True}."
        return
    wrong = [name for name in (given["field"], given.get("touch")) if name and not _is_column(model, name)]
    if wrong:
        yield "wildgate.E009", f"{where}['published'] names {wrong[0]!r}, which is no field of {model.__name__}.", "Name a column."
    elif "hidden" not in given and not isinstance(given["value"], bool):
        yield "wildgate.E009", f"{where}['published'] does not say what hides it.", "Add 'hidden', such as 'pending'."


def _is_column(model: type[Model], name: str) -> bool:
    try:
        return isinstance(model._meta.get_field(name), Field)
    except FieldDoesNotExist:
        return False
