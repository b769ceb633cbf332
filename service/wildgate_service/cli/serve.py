"""`wildgate serve`: run the service until it is told to end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from wildgate_service.settings import describe, load_settings

# One thread per worker: a pool sized to the host would make the workers slow each other.
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@click.command()
@click.option("--host", metavar="H", help=describe("host"))
@click.option("--port", type=int, metavar="P", help=describe("port"))
@click.option("--workers", type=int, metavar="N", help=describe("workers"))
@click.option("--store", metavar="URL", help=describe("store"))
@click.option("--config", type=click.Path(path_type=Path), help="TOML file of settings.")
def command(host: str | None, port: int | None, workers: int | None, store: str | None, config: Path | None) -> None:
    """Run the scoring service.

    Prints "wildgate: serving on H:P" when every worker is ready. SIGTERM ends it after the calls in
    flight, SIGHUP reloads lexicons and policy.
    """
    options = {"host": host, "port": port, "workers": workers, "store": store}
    settings = load_settings(config, options=options).settings
    for variable in SINGLE_THREADED:
        os.environ.setdefault(variable, "1")
    from wildgate_service.supervisor import serve  # noqa: PLC0415  (after the threads are set)

    sys.exit(serve(settings))
