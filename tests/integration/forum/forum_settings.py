"""A forum of django-spirit with the settings that spirit gives a new project, and Wildgate by the lines at the end."""

import os
from pathlib import Path

from spirit.extra.project_template.project_name.settings.base import *  # noqa: F403 as `spirit startproject` writes it
from spirit.extra.project_template.project_name.settings.base import INSTALLED_APPS, MIDDLEWARE

FOLDER = Path(os.environ["PLATFORM_FOLDER"])
SECRET_KEY = "of-the-tests"  # noqa: S105 protects nothing
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "forum_urls"
WSGI_APPLICATION = None
MEDIA_ROOT = FOLDER / "media"
STATIC_ROOT = FOLDER / "static"
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.whoosh_backend.WhooshEngine", "PATH": FOLDER / "index"}}
CACHES = {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name, "TIMEOUT": None}
    for name in ("default", "st_rate_limit")
}
ST_RATELIMIT_ENABLE = False  # members of the tests type faster
ST_SITE_URL = "http://127.0.0.1/"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "forum.sqlite3",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"},
    }
}

# What a forum writes begins here,
from wildgate.contrib.django import spirit  # noqa: E402 what a forum writes stands together

INSTALLED_APPS += ["wildgate.contrib.django"]
MIDDLEWARE += ["wildgate.contrib.django.middleware.WildgateMiddleware"]
WILDGATE = {
    "TARGET": os.environ["WILDGATE_TARGET"],
    "INSECURE": True,
    "ON_UNAVAILABLE": "review",
    "TIMEOUT": 2.0,  # a busy machine fails no test
    "MODELS": spirit.MODELS,
}
# and ends here.
