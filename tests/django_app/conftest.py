"""A small Django site with the app installed. Without Django (`make test`) nothing here is collected: `make test-django` runs it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from wildgate.testing import FakeWildgate

HERE = Path(__file__).parent
POSTGRESQL = None


def start_postgresql():
    """Start a server of the tests' own, for both databases of the site."""
    from postgres import Server  # noqa: PLC0415 it needs a package that `make test` may not have

    server = Server()
    server.make()
    os.environ["TEST_DJANGO_SERVER"] = f"{server.folder}:{server.role}"
    return server


def pytest_configure(config):
    """Let the databases be removed with their server, though a thread of an asynchronous view still holds a connection."""
    if POSTGRESQL is not None:
        config.addinivalue_line("filterwarnings", "ignore:Error when trying to teardown test databases:pytest.PytestWarning")


def pytest_unconfigure():
    """End it."""
    if POSTGRESQL is not None:
        POSTGRESQL.close()


collect_ignore_glob = []

if find_spec("pytest_django") is None:
    collect_ignore_glob.append("*")
else:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
    sys.path[:0] = [str(HERE), str(HERE.parent / "service" / "recording")]
    POSTGRESQL = start_postgresql() if os.environ.get("TEST_DJANGO_ON") == "postgresql" else None
    django.setup()


def pytest_collection_modifyitems(items):
    """Mark all that is here."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("django")


@pytest.fixture
def configure(settings):
    """Change keys of the setting WILDGATE."""

    def change(**keys):
        settings.WILDGATE = {**settings.WILDGATE, **keys}

    return change


@pytest.fixture
def fake(configure):
    """A fake service that the site asks: "ivory" is refused, "tusk" is held."""
    with FakeWildgate() as service:
        service.when("ivory", "block")
        service.when("tusk", "review")
        configure(TARGET=service.target)
        yield service


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Run what waits for a commit, inside a test's own transaction."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def moderator(django_user_model):
    """Somebody who may open the admin."""
    return django_user_model.objects.create_superuser("moderator", password="of-the-tests")  # noqa: S106 protects nothing
