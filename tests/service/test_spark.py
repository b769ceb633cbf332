"""A DataFrame scored on a real local Spark: to the bit what `wildgate score` makes of the same file."""

from __future__ import annotations

import os
import shutil
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet
from wildgate_service.bulk import Run, score_file
from wildgate_service.errors import WildgateError
from wildgate_service.policy import default_policy

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java: apt-get install default-jre-headless"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its sockets
]

OFFERS = ("Elephant ivory bangle for sale", "象牙手镯 出售 加微信", "ขายงาช้างแท้", "p4ng0l1n scales, DM me")
ROWS = [
    {"id": n, "title": OFFERS[n % 40 // 10] if n % 10 == 0 else f"Blue bicycle {n}", "market": "SG" if n % 3 else None, "price": n}
    for n in range(1_200)
]
ROWS[7] |= {"title": "x" * 1_001}
ATTRIBUTES = pa.map_(pa.string(), pa.string())


@pytest.fixture(scope="module")
def spark():
    """A session on two cores with two partitions at a time."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  (an extra)

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
    session = builder.config("spark.log.level", "ERROR").getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def source(tmp_path_factory, encoder_path):
    """A Parquet file of ordinary listings, offers, and one that is over a limit."""
    assert encoder_path.exists()
    path = tmp_path_factory.mktemp("spark") / "in.parquet"
    colors = pa.array([[("Color", f"white {n}")] for n in range(len(ROWS))], ATTRIBUTES)
    table = pa.Table.from_pylist(ROWS).append_column("attributes", colors)
    parquet.write_table(table, path, row_group_size=500)
    return path


def test_spark_answers_as_the_command_does(spark, source, tmp_path):
    """Every row and column, but for the number of the line of a failed row, which a DataFrame does not have."""
    from wildgate_service.spark import score  # noqa: PLC0415  (after the skip)

    score_file(source, tmp_path / "out.parquet", "parquet", Run(lexicons=None, policy=None, workers=2))
    expected = parquet.read_table(tmp_path / "out.parquet")
    found = score(spark.read.parquet(str(source)).repartition(5)).toArrow()
    assert found.schema.types == expected.schema.types
    by_id = {row["id"]: row for row in found.to_pylist()}
    assert [by_id[row["id"]] for row in expected.to_pylist()] == [row | {"line": None} for row in expected.to_pylist()]
    assert sum(row["error"] is not None for row in by_id.values()) == 1
    assert {row["action"] for row in by_id.values()} >= {"allow", "block"}


def test_a_policy_of_ones_own_is_heeded_on_every_executor(spark, source, tmp_path):
    """Its version is in every answer."""
    from wildgate_service.spark import score  # noqa: PLC0415

    mine = tmp_path / "mine.toml"
    mine.write_text(default_policy().read_text(encoding="utf-8").replace('version = "', 'version = "7.7.7-', 1), encoding="utf-8")
    found = score(spark.read.parquet(str(source)).limit(20), policy=mine).select("policy_version").distinct().toArrow().to_pylist()
    assert [row["policy_version"][:6] for row in found if row["policy_version"]] == ["7.7.7-"]


def test_a_data_frame_without_any_known_column_is_refused(spark):
    """Before anything is run."""
    from wildgate_service.spark import score  # noqa: PLC0415

    with pytest.raises(WildgateError, match="the DataFrame has none of the columns id, title, description"):
        score(spark.range(3).withColumnRenamed("id", "number"))
