"""A small site: two databases, a user model of its own, two watched models."""

import os

SECRET_KEY = "of-the-tests"  # noqa: S105 protects nothing
USE_TZ = True
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_urls"
AUTH_USER_MODEL = "people.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("zh-hans", "中文")]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "wildgate.contrib.django",
    "bazaar",
    "people",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wildgate.contrib.django.middleware.WildgateMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
_FOLDER, _, _ROLE = os.environ.get("TEST_DJANGO_SERVER", "").partition(":")  # of a PostgreSQL server that the tests started


def _database(name):
    if _FOLDER:
        return {"ENGINE": "django.db.backends.postgresql", "HOST": _FOLDER, "USER": _ROLE, "NAME": name}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


DATABASES = {name: _database(name) for name in ("default", "posts")}
DATABASE_ROUTERS = ["bazaar.routers.PostsRouter"]
WILDGATE = {
    "TARGET": "127.0.0.1:1",  # nobody; tests give it a fake or a real service
    "INSECURE": True,
    "TIMEOUT": 5.0,  # a slow machine fails no test
    "ON_UNAVAILABLE": "review",
    "OUTCOMES": "inline",
    "MODELS": {
        "bazaar.Offer": {
            "title": "title",
            "text": ["body"],
            "attributes": {"Material": "material"},
            "seller": "owner_id",
            "published": {"field": "is_public", "value": True},
        },
        "bazaar.Post": {
            "text": ["text"],
            "kind": "social_post",
            "published": {"field": "status", "value": "live", "hidden": "waiting"},
        },
    },
}
