"""Scores a DataFrame on an existing Spark, as `wildgate score` scores a Parquet file, and to the bit alike (extra `spark`).

    from wildgate_service.spark import score
    decisions = score(spark.read.parquet("s3://…/listings"))

Each Python worker of an executor loads the engine once, from the wildgate-service that is installed there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.bulk import Run, score_line
from wildgate_service.bulk.answers import COLUMNS, NUMBERS, answers_batch
from wildgate_service.bulk.parquet_rows import json_rows
from wildgate_service.bulk.sources import FIELDS
from wildgate_service.errors import WildgateError

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame

    from wildgate_service.pipeline import Engine

TYPES = {"float64": "double", "int64": "long"}
ANSWERS = ", ".join(f"{name} {TYPES[NUMBERS[name]] if name in NUMBERS else 'string'}" for name in COLUMNS)

_engine = lru_cache(1)(Run.engine)  # of a Python worker, which scores partition after partition


class _Job(Struct, frozen=True):
    """What every executor must do alike."""

    run: Run
    versions: tuple[str, str, str]
    today: datetime


def score(
    listings: DataFrame, *, lexicons: Path | None = None, policy: Path | None = None, packs: tuple[Path, ...] | None = None
) -> DataFrame:
    """The decisions on listings, one a row, in the columns of `wildgate score --format parquet`; `line` is null, for rows have no number.

    `listings` has any of the columns id, title, description, kind, language, market, category, attributes (a map, a struct or an array) and
    posted_time; others are passed over. Files named here, or in the settings, are read on every executor. Raises WildgateError if the
    engine cannot be loaded here; if an executor has other lexicons, models or another policy than the driver, the Spark job fails.
    """
    run = Run(lexicons=lexicons, policy=policy, workers=1, packs=packs)
    job = _Job(run, _versions(run.engine()), datetime.now(UTC))
    known = [name for name in FIELDS if name in listings.columns]
    if not known:
        raise WildgateError(f"the DataFrame has none of the columns {', '.join(FIELDS)}")
    return listings.select(*known).mapInArrow(partial(_scored, job), ANSWERS)


def _scored(job: _Job, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
    """On an executor: record batches of listings in, of answers out."""
    engine = _engine(job.run)
    if _versions(engine) != job.versions:
        raise WildgateError(f"this executor has {_versions(engine)}, the driver {job.versions}: install the same everywhere")
    for batch in batches:
        yield answers_batch([score_line(engine, None, row, job.today) for row in json_rows(batch)])


def _versions(engine: Engine) -> tuple[str, str, str]:
    versions = engine.versions
    return versions.lexicon, versions.model, versions.policy
