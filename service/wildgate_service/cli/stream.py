"""`wildgate stream`: posts of a message stream, scored after the fact."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from wildgate_service.errors import WildgateError
from wildgate_service.log import configure

if TYPE_CHECKING:
    from wildgate_service.stream.running import Make

MISSING = "`wildgate stream` needs the extra: pip install 'wildgate-service[stream]'"


@click.command(context_settings={"auto_envvar_prefix": "WILDGATE_STREAM"})
@click.option("--broker", required=True, help="nats://HOST:PORT of a NATS with JetStream, or kafka://HOST:PORT[,HOST:PORT].")
@click.option("--source", required=True, help="Subject or topic of the posts.")
@click.option("--decisions", required=True, help="Subject or topic that decisions are published to.")
@click.option("--dead", required=True, help="Subject or topic for messages that can never be scored, with the reason in their headers.")
@click.option("--service", required=True, help="Name of the Wildgate service, such as dns:///wildgate:50051.")
@click.option("--stream", default="", help="JetStream: name of the stream of the posts. Not for Kafka.")
@click.option(
    "--name", default="wildgate", show_default=True, help="Durable consumer or consumer group; those of one name share the posts."
)
@click.option("--era", default="", help="Another text when a stream is made anew and counts from 1 again.")
@click.option(
    "--batch", type=click.IntRange(1, 256), default=64, show_default=True, help="Posts that are scored at once, and not more are held."
)
@click.option("--api-key-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File that holds the API key.")
@click.option("--ca", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PEM of who signed the service's certificate.")
@click.option("--insecure", is_flag=True, help="Plaintext to the service.")
def command(
    broker: str,
    source: str,
    decisions: str,
    dead: str,
    service: str,
    stream: str,
    name: str,
    era: str,
    batch: int,
    api_key_file: Path | None,
    ca: Path | None,
    *,
    insecure: bool,
) -> None:
    """Score posts of a message stream until SIGTERM; docs/streams.md says what is promised.

    Each option is a variable as well: WILDGATE_STREAM_BROKER and so on. A message is acknowledged after its decision was recorded and
    published.
    """
    scheme, _, rest = broker.partition("://")
    if scheme not in {"nats", "tls", "kafka"} or not urlsplit(broker).netloc:
        raise click.UsageError("--broker is nats://HOST:PORT or kafka://HOST:PORT")
    if (scheme != "kafka") != bool(stream):
        raise click.UsageError("--stream names the stream of JetStream; a broker of Kafka has none")
    make = _maker(scheme)
    from wildgate_service.stream.config import StreamConfig  # noqa: PLC0415  (an extra)
    from wildgate_service.stream.running import run  # noqa: PLC0415

    config = StreamConfig(
        broker=rest if scheme == "kafka" else broker,
        source=source,
        decisions=decisions,
        dead=dead,
        service=service,
        stream=stream,
        name=name,
        era=era,
        batch=batch,
        insecure=insecure,
        api_key=api_key_file.read_text("utf-8").strip() if api_key_file else None,
        root_certificates=ca,
    )
    configure("info")
    asyncio.run(run(config, make))


def _maker(scheme: str) -> Make:
    try:
        if scheme == "kafka":
            from wildgate_service.stream.kafka import make as make_kafka  # noqa: PLC0415

            return make_kafka
        from wildgate_service.stream.nats import make as make_nats  # noqa: PLC0415
    except ImportError as error:
        raise WildgateError(MISSING) from error
    return make_nats
