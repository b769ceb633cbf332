"""The app: watches the models of settings.WILDGATE and checks what is set."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.core.signals import setting_changed


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
        _watch()


def _watch() -> None:
    from wildgate.contrib.django import conf, receivers  # noqa: PLC0415 models are ready now

    settings = conf.load()
    for label in settings.watches if settings else ():
        receivers.watch(apps.get_model(label))


def _settings_changed(*, setting: str, **_: Any) -> None:
    """Follow `override_settings`, by which tests point the app to a fake."""
    from wildgate.contrib.django import conf, connection  # noqa: PLC0415 models are ready now

    if setting == "WILDGATE":
        conf.load.cache_clear()
        connection.forget_client()
        _watch()
