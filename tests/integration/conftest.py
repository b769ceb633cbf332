"""Real platforms, each a process of its own, in a real browser, with a real service. `make integration` runs all, and skips nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import pytest
from wildgate_service.settings import load_settings

HERE = Path(__file__).parent
IMAGES = HERE.parents[1] / "docs" / "images"
collect_ignore = [] if all(map(find_spec, ("playwright", "oscar", "spirit"))) else ["test_forum.py", "test_shop.py"]
WAIT = 60_000
"""Milliseconds that a page may take on a busy machine."""


def pytest_collection_modifyitems(items):
    """Mark all that is here."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("integration")


class Platform:
    """A Django site that somebody else wrote, served from a folder beside this file."""

    def __init__(self, name: str, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HERE / name), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "DJANGO_SETTINGS_MODULE": f"{name}_settings",
            "PLATFORM_FOLDER": str(folder),
            **environment,
        }
        self.name = name
        self.address = ""

    def __enter__(self) -> Self:
        with (self.folder / "platform.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "serve_django.py"), f"fill_{self.name}"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            pytest.fail(f"{self.name} did not start:\n{self.log}")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)
        assert self.process.stdout
        self.process.stdout.close()

    @property
    def log(self) -> str:
        """All it logged."""
        return (self.folder / "platform.log").read_text(encoding="utf-8")

    def manage(self, *arguments: str) -> str:
        """Run a management command of the site; returns what it printed."""
        command = [sys.executable, "-m", "django", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


class KillableService:
    """A real service that can be killed, and started again on the same port and store."""

    def __init__(self, make_service, folder: Path) -> None:
        self._make, self._folder = make_service, folder
        self._cache = str(load_settings().settings.cache)
        self._service = make_service(folder, cache=self._cache).__enter__()
        self.target = self._service.target
        self.store = self._service.store

    def kill(self) -> None:
        """End all of its processes with SIGKILL."""
        os.killpg(self._service.process.pid, signal.SIGKILL)
        self._service.__exit__()

    def start(self) -> None:
        """Start it anew where it was."""
        self._service = self._make(self._folder, cache=self._cache, port=int(self.target.rpartition(":")[2])).__enter__()

    def stop(self) -> None:
        """End it."""
        self._service.__exit__()


@pytest.fixture(scope="module")
def service(tmp_path_factory, make_service) -> Iterator[KillableService]:
    """The real service with the real lexicons; one for each platform, whose report counts it alone."""
    started = KillableService(make_service, tmp_path_factory.mktemp("service"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def make_platform():
    """The class itself, for fixtures of platforms."""
    return Platform


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 a part of this run alone

    path = shutil.which("chromium")
    assert path, "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open a page as a visitor of their own, with a language."""
    contexts = []

    def open_page(language: str = "en-GB"):
        contexts.append(chromium.new_context(locale=language, viewport={"width": 1200, "height": 800}))
        contexts[-1].set_default_timeout(WAIT)
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def picture(tmp_path):
    """Take a picture of a page: into docs/images with TAKE_PICTURES=1, else into the test's folder."""
    folder = IMAGES if os.environ.get("TAKE_PICTURES") else tmp_path

    def take(page, name: str) -> None:
        folder.mkdir(exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", scale="css", animations="disabled")

    return take


@pytest.fixture
def open_queue(visit):
    """Open a queue of Django's admin as a moderator: `open_queue(address, "all")`; without a name, what is held."""
    page = visit()

    def open_page(address: str, name: str = ""):
        page.goto(f"{address}/admin/wildgate/screening/{name and f'?queue={name}'}")
        if page.locator("#id_username").count():
            page.fill("#id_username", "moderator")
            page.fill("#id_password", "of-the-tests")
            page.click("[type=submit]")
        return page

    return open_page


@pytest.fixture
def open_screening(open_queue):
    """Open the page of a text in a queue, as a moderator: `open_screening(address, title, "all")`."""

    def open_page(address: str, title: str, queue: str = ""):
        page = open_queue(address, queue)
        page.click(f"#result_list a:has-text('{title}')")
        return page

    return open_page


@pytest.fixture
def report(run_wildgate, service, tmp_path):
    """What the service's own report says of today, read from its store."""

    def read() -> dict[str, dict[str, dict[str, int]]]:
        today = datetime.now(UTC).date().isoformat()
        span = ("--from", today, "--to", today)
        done = run_wildgate("report", *span, "--format", "json", "--exact", "--output", str(tmp_path / "report"), "--store", service.store)
        assert done.returncode == 0, done.stderr
        (file,) = (tmp_path / "report").glob("*.json")
        tables = json.loads(file.read_text(encoding="utf-8"))["tables"]
        return {
            each["name"]: {row["value"]: dict(zip(each["measures"], row["counts"], strict=True)) for row in each["rows"]} for each in tables
        }

    return read
