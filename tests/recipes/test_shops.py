"""The shops of examples/, under the servers that people run them on, with several workers and a service that is killed and restarted."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from wildgate import Client
from wildgate_service.settings import load_settings

pytestmark = [pytest.mark.recipes, pytest.mark.filterwarnings("ignore::ResourceWarning")]

EXAMPLES = Path(__file__).parents[2] / "examples"
CACHE = str(load_settings().settings.cache)  # of compiled lexicons
WORKERS = 3
POSTS = 60
WAIT_SECONDS = 60
GUNICORN = ["gunicorn", "--workers", str(WORKERS), "--chdir", str(EXAMPLES), "--bind", "127.0.0.1:{port}"]
GUNICORN += ["--access-logfile", "-", "--access-logformat", "answered by %(p)s", "flask_shop:app"]
UVICORN = ["uvicorn", "--workers", str(WORKERS), "--app-dir", str(EXAMPLES), "--port", "{port}", "fastapi_shop:app"]
SERVERS = {"gunicorn": GUNICORN, "gunicorn --preload": [GUNICORN[0], "--preload", *GUNICORN[1:]], "uvicorn": UVICORN}

LAMP = "Desk lamp, brass, 40 cm"
IVORY = "出售象牙手镯,纯天然,微信联系"
MAMMOTH = "Mammoth ivory knife handle for sale"


class Shop:
    """A shop that runs on a server with several workers."""

    def __init__(self, server, folder, target):
        self.log = folder / "shop.log"
        self.environment = os.environ | {
            "WILDGATE_CLIENT_TARGET": target,
            "WILDGATE_CLIENT_INSECURE": "true",
            "WILDGATE_CLIENT_ON_UNAVAILABLE": "review",
            # Workers on a machine that does other things as well; what is tested is not how fast it is.
            "WILDGATE_CLIENT_TIMEOUT_SECONDS": "5",
            "SHOP_DATABASE": str(folder / "shop.db"),
        }
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", *(word.format(port=self.port) for word in SERVERS[server])]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)

    def stop(self):
        """End it as its operators do; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_SECONDS)

    def wait(self):
        """Wait until it answers."""
        ends = time.monotonic() + WAIT_SECONDS
        while not self.is_up():
            assert time.monotonic() < ends, f"the shop did not start:\n{self.log.read_text(encoding='utf-8')}"
            time.sleep(0.05)

    def post(self, title):
        """Post a listing; returns status, state and notice."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/", urlencode({"title": title}).encode(), WAIT_SECONDS) as answer:
                return read(answer.status, answer.read().decode())
        except HTTPError as error:
            with error:
                return read(error.code, error.read().decode())

    def is_up(self):
        """Whether it answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/", timeout=WAIT_SECONDS) as answer:
                return answer.status == 200
        except OSError:
            return False

    def run(self, *words):
        """Run a command of the shop; returns what it printed."""
        command = [sys.executable, "-m", "flask", "--app", str(EXAMPLES / "flask_shop"), *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout


def read(status, html):
    """What a page says."""
    state, notice = re.search(r'data-state="(\w+)"', html), re.search(r'id="notice"[^>]*>([^<]*)<', html)
    return status, state and state.group(1), notice and notice.group(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory, make_service):
    """A service that can be killed and comes back at its port."""
    with make_service(tmp_path_factory.mktemp("service"), cache=CACHE) as running:
        settings = running.config.read_text(encoding="utf-8")
        running.config.write_text(settings.replace("port = 0", f"port = {running.target.rpartition(':')[2]}"), encoding="utf-8")
        yield running


@pytest.fixture(scope="module", params=SERVERS)
def shop(request, tmp_path_factory, service):
    """A shop on each server; it ends without a word of complaint."""
    running = Shop(request.param, tmp_path_factory.mktemp("shop"), service.target)
    try:
        running.wait()
        yield running
    finally:
        status = running.stop()
    assert status in {0, -signal.SIGTERM}
    assert "Traceback" not in running.log.read_text(encoding="utf-8")


@contextmanager
def killed(service):
    """End a service and its workers at once, and start it again afterwards."""
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait()
    service.process.stdout.close()
    try:
        yield
    finally:
        service.__enter__()


def test_listings_are_published_held_and_refused(shop):
    """The seller reads the notice in the language of the listing."""
    assert shop.post(LAMP) == (201, "published", None)
    status, state, _ = shop.post(MAMMOTH)
    assert (status, state) == (201, "held")
    status, state, notice = shop.post(IVORY)
    assert (status, state) == (422, "removed")
    assert re.search("[一-鿿]", notice)


def test_a_listing_over_the_limit_is_the_sellers_to_mend(shop):
    """The page says what is wrong; nothing is kept."""
    assert shop.post("x" * 1001) == (400, None, "title has 1,001 code points; at most 1,000 are allowed")


def test_every_worker_asks_with_a_client_of_its_own(shop):
    """Many posts at once, from many sellers."""
    with ThreadPoolExecutor(12) as sellers:
        answers = list(sellers.map(shop.post, [f"{LAMP} {number}" for number in range(POSTS)]))
    assert {(status, state) for status, state, _ in answers} == {(201, "published")}
    workers = set(re.findall(r"answered by <?(\d+)", shop.log.read_text(encoding="utf-8")))
    assert not workers or len(workers) == WORKERS


def test_a_service_that_is_killed_holds_listings_and_breaks_nothing(shop, service, until):
    """While sellers post: each is answered, during and after."""
    assert shop.post(LAMP)[1] == "published"
    with killed(service), ThreadPoolExecutor(12) as sellers:
        answers = list(sellers.map(shop.post, [f"{LAMP} {number}" for number in range(POSTS)]))
    assert {(status, state) for status, state, _ in answers} == {(201, "held")}
    until(lambda: shop.post(LAMP)[1] == "published", "a listing that is published again")


@pytest.mark.parametrize("shop", ["gunicorn"], indirect=True)
def test_what_was_held_alone_is_scored_again_and_reported(shop, service):
    """The job of the Flask shop catches up, and the report counts what nothing answered."""
    shop.run("catch-up")
    before = counted(service)
    with killed(service):
        assert [shop.post(title)[1] for title in (LAMP, IVORY)] == ["held", "held"]
    assert shop.run("catch-up") == "2 scored again, 4 outcomes told\n"
    assert shop.run("catch-up") == "0 scored again, 0 outcomes told\n"
    assert counted(service) - before == Counter(degraded=2, held=2, published=1, removed=1)


def counted(service):
    """What the report of the day counts."""
    day = datetime.now(UTC).date()
    with Client(service.target, insecure=True, on_unavailable="raise") as client:
        report = client.transparency_report(day, day)
    return Counter(report.outcomes) + Counter(degraded=sum(report.degraded_answers.values()))
