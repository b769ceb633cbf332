"""What a consumer is told."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class StreamConfig(Struct, frozen=True):
    """Where posts come from and decisions go, which service scores them, how many at once.

    `name` is the durable consumer of JetStream or the group of Kafka: consumers of one name share the posts. `era` is part of every
    request_id that is made of a place: give another when a stream is made anew and counts from 1 again.
    """

    broker: str
    source: str
    decisions: str
    dead: str
    service: str
    stream: str = ""
    name: str = "wildgate"
    era: str = ""
    batch: int = 64
    insecure: bool = False
    api_key: str | None = None
    root_certificates: Path | None = None
