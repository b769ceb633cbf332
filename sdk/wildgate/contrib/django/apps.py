"""The app: watches the models of settings.WILDGATE and checks what is set."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.core.signals import request_started, setting_changed


class WildgateConfig(AppConfig):
    """Wildgate in INSTALLED_APPS."""

    name = "wildgate.contrib.django"
    label = "wildgate"
    verbose_name = "Wildgate"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks and watch the models; wrong settings watch nothing, and the checks say so."""
        from wildgate.contrib.django.checks import check_database, check_settings  # noqa: PLC0415 models are ready now

        checks.register(check_settings, "wildgate")
        checks.register(check_database, checks.Tags.database)
        setting_changed.connect(_settings_changed, dispatch_uid="wildgate")
        request_started.connect(_connect, dispatch_uid="wildgate")
        _watch()


def _watch() -> None:
    from wildgate.contrib.django import conf, receivers  # noqa: PLC0415 models are ready now

    settings = conf.load()
    for label in settings.watches if settings else ():
        receivers.watch(apps.get_model(label))


def _connect(**_: Any) -> None:
    """Begin to connect at a process's first request, so that no seller's save waits for it. Not before: a server may fork."""
    from wildgate.contrib.django import conf, connection  # noqa: PLC0415 models are ready now

    request_started.disconnect(dispatch_uid="wildgate")
    if conf.load() is not None:
        connection.client()


def _settings_changed(*, setting: str, **_: Any) -> None:
    """Follow `override_settings`, by which tests point the app to a fake."""
    from wildgate.contrib.django import conf, connection  # noqa: PLC0415 models are ready now

    if setting == "WILDGATE":
        conf.load.cache_clear()
        connection.forget_client()
        _watch()
