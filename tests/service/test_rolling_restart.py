"""Services that are replaced while the SDK calls: nobody is to notice."""

from __future__ import annotations

import signal
from collections import Counter
from threading import Event, Thread

import pytest
from wildgate import Client, Listing, WildgateError
from wildgate_service.port import keeps_waiting_connections


class Calls(Thread):
    """Calls in turn until it is told to end, and counts how each ended."""

    def __init__(self, client):
        super().__init__()
        self.ends = Counter()
        self.ending = Event()
        self._client = client

    def run(self):
        """Be the thread."""
        while not self.ending.wait(0.002):
            try:
                decision = self._client.score(Listing(title="brass lamp"))
                self.ends["answered" if decision.answered else decision.degraded_reasons] += 1
            except WildgateError as error:
                self.ends[error.reason] += 1


@pytest.mark.slow
def test_two_services_restarted_in_turn_cost_no_call(start_small, until):
    """Each is ended by SIGTERM and started again at its port; no call fails, and none is degraded."""
    services = [start_small(), start_small()]
    target = "ipv4:" + ",".join(service.target for service in services)
    with Client(target, insecure=True, on_unavailable="review", timeout=20.0) as client:
        threads = [Calls(client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for service in services:
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(60)
            answered = sum(thread.ends["answered"] for thread in threads)
            until(lambda before=answered: sum(thread.ends["answered"] for thread in threads) > before + 20, "answers of the other")
            renewed = start_small(port=int(service.target.rpartition(":")[2]))
            with Client(renewed.target, insecure=True, on_unavailable="raise") as direct:
                direct.wait_ready(60)
            seen = threads[0].ends["answered"]
            until(lambda before=seen: threads[0].ends["answered"] > before + 500, "time for the client to find it again")
        for thread in threads:
            thread.ending.set()
            thread.join()
    assert {end for thread in threads for end in thread.ends} == {"answered"}


@pytest.mark.parametrize(("content", "kept"), [("1\n", True), ("0\n", False), (None, False)], ids=["on", "off", "old kernel"])
def test_the_kernels_switch_is_read(tmp_path, content, kept):
    """Where it is off, connections that wait for a worker die with it, and the log says what to do."""
    switch = tmp_path / "tcp_migrate_req"
    if content:
        switch.write_text(content, encoding="ascii")
    assert keeps_waiting_connections(switch) == kept
