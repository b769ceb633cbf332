"""Files of listings into files of decisions, in the same order, on all cores, and on from where a run was ended.

    blocks ── a file cut where listings end, never held whole       jsonl.py, csv_rows.py, parquet_rows.py
    pool   ── forked processes that score them, in order            pool.py
    journal ─ answers and how far they are, on disk together        journal.py

`run.score_file` is the whole of it. A line that cannot be read becomes `{"id"?, "line", "error"}` and the rest go on.
"""

from wildgate_service.bulk.blocks import Block, Done, Place, Source
from wildgate_service.bulk.line import InputRow, Score, decision_json, failure_of, listing_of, score_line
from wildgate_service.bulk.pool import in_order
from wildgate_service.bulk.run import Run, answered, carry_out, identity_of, say, score_file, versions_of
from wildgate_service.bulk.shown import shown_on
from wildgate_service.bulk.sources import FORMATS, format_of, rows_of, source_of

__all__ = [
    "FORMATS",
    "Block",
    "Done",
    "InputRow",
    "Place",
    "Run",
    "Score",
    "Source",
    "answered",
    "carry_out",
    "decision_json",
    "failure_of",
    "format_of",
    "identity_of",
    "in_order",
    "listing_of",
    "rows_of",
    "say",
    "score_file",
    "score_line",
    "shown_on",
    "source_of",
    "versions_of",
]
