"""What happens when an object of a watched model is validated, saved or deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial, wraps
from typing import Any

from django.db import models, router, transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch

from wildgate.contrib.django import conf
from wildgate.contrib.django.middleware import send_instead, tell_seller
from wildgate.contrib.django.models import Screening, State
from wildgate.contrib.django.notices import notice_for
from wildgate.contrib.django.screening import Examined, examine, keep, of_object, refuse
from wildgate.contrib.django.watched import Watch

STASH = "_wildgate_examined"
"""Where an object carries what was found out about it until it is saved."""
Validate = Callable[..., None]


def watch(model: type[models.Model]) -> None:
    """Score objects of a model from now on. Doing it twice is doing it once."""
    pre_save.connect(before_save, sender=model, dispatch_uid="wildgate")
    post_save.connect(after_save, sender=model, dispatch_uid="wildgate")
    post_delete.connect(after_delete, sender=model, dispatch_uid="wildgate")
    if not hasattr(model.validate_constraints, "wildgate"):
        model.add_to_class("validate_constraints", _validating(model.validate_constraints))


def watch_of(model: type[models.Model]) -> Watch | None:
    """Return how a model is watched, or None."""
    settings = conf.load()
    return settings.watches.get(model._meta.label_lower) if settings else None


def validate(instance: models.Model) -> None:
    """Raise ListingRefusedError, a ValidationError, if the service asks to refuse an object as it is now."""
    watched = watch_of(type(instance))
    if watched is not None and watched.covers(instance):
        _examined(instance, watched)


def before_save(
    sender: type[models.Model], instance: models.Model, *, raw: bool = False, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Score what is saved, and hide what must not be public; raise ListingRefusedError for what must not be saved."""
    watched = watch_of(sender)
    if raw or watched is None or not watched.concerned(update_fields) or not watched.covers(instance):
        instance.__dict__.pop(STASH, None)  # what was validated is not what is saved
        return
    examined = _examined(instance, watched)
    examined.publish_wanted = watched.is_published(instance) or examined.was_waiting
    if examined.hides:
        watched.set_published(instance, public=False)
    elif examined.decision is not None and examined.was_waiting:
        watched.set_published(instance, public=True)


def after_save(
    sender: type[models.Model], instance: models.Model, *, using: str, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Keep what was decided: in the same transaction, or after its commit if screenings live in another database."""
    watched, examined = watch_of(sender), instance.__dict__.pop(STASH, None)
    if watched is None or examined is None:
        return
    if update_fields is not None:
        _save_published(instance, watched, using, update_fields)
    _with_commit(partial(_keep, instance, examined), using)


def after_delete(sender: type[models.Model], instance: models.Model, *, using: str, **_: Any) -> None:
    """Empty the texts that were kept of an object that is no more."""
    _with_commit(partial(_empty, sender, instance.pk), using)


def _examined(instance: models.Model, watched: Watch) -> Examined:
    """Ask once for a validation and the save that follows it; refuse at the first of them."""
    examined = examine(instance, watched, instance.__dict__.pop(STASH, None))
    if examined.state is State.REFUSED:
        raise refuse(instance, examined)
    instance.__dict__[STASH] = examined
    return examined


def _save_published(instance: models.Model, watched: Watch, using: str, update_fields: Collection[str]) -> None:
    """Write what `before_save` set, where the save wrote other columns only."""
    if watched.published is not None and watched.published.field not in update_fields:
        written = {name: getattr(instance, name) for name in watched.published.columns}
        type(instance)._base_manager.using(using).filter(pk=instance.pk).update(**written)


def _keep(instance: models.Model, examined: Examined) -> None:
    if examined.decision is not None:
        keep(instance, examined)
        if examined.state is State.HELD:
            tell_seller(notice_for(examined.decision))
            _lead_away(instance)
    elif examined.last is not None and examined.publish_wanted and not examined.last.publish_wanted:
        Screening.objects.filter(pk=examined.last.pk).update(publish_wanted=True)


def _lead_away(instance: models.Model) -> None:
    watched, own_page = watch_of(type(instance)), getattr(instance, "get_absolute_url", None)
    if watched is not None and watched.held_page and own_page is not None:
        with suppress(NoReverseMatch):  # `manage.py check` tells; a save must not fail of it
            send_instead(own_page(), resolve_url(watched.held_page))


def _empty(model: type[models.Model], key: object) -> None:
    kept = of_object(model, key)
    kept.filter(state=State.HELD).update(state=State.DELETED)
    kept.update(texts={}, matches=[], reason="")


def _with_commit(action: Callable[[], None], using: str) -> None:
    if router.db_for_write(Screening) == using:
        action()
    else:
        transaction.on_commit(action, using=using)


def _validating(original: Validate) -> Validate:
    """Extend `Model.validate_constraints`, the last step of every validation, of forms as well."""

    @wraps(original)
    def validate_constraints(self: models.Model, exclude: Collection[str] | None = None) -> None:
        original(self, exclude=exclude)
        validate(self)

    validate_constraints.wildgate = True  # type: ignore[attr-defined]
    return validate_constraints
