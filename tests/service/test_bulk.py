"""Files of listings into files of decisions: every format, every broken line, and a file that is whole or not there."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re

import pyarrow as pa
import pytest
from pyarrow import parquet
from wildgate_service.bulk import Run, blocks, csv_rows, rows_of, run, score_file, score_line
from wildgate_service.bulk import jsonl as json_lines
from wildgate_service.bulk import line as one_line
from wildgate_service.bulk.answers import COLUMNS
from wildgate_service.errors import WildgateError

OFFER = "Elephant ivory bangle for sale"
ALONE = Run(lexicons=None, policy=None, workers=1)


@pytest.fixture
def score(tmp_path, monkeypatch, engine):
    """Score a file's bytes; returns the number that failed and the output's path."""
    monkeypatch.setattr(run, "local_engine", lambda *_: engine)

    def scored(content: bytes, form: str = "jsonl", progress=None, ending: str = ""):
        source, output = tmp_path / f"in.{form}{ending}", tmp_path / f"out.{form}"
        source.write_bytes(content)
        return score_file(source, output, form, ALONE, progress), output

    return scored


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few listings."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 3)


def jsonl(*rows: object) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def read(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answer(engine, row: object) -> dict:
    """One line of output."""
    return json.loads(score_line(engine, 7, row if isinstance(row, bytes) else json.dumps(row).encode()))


# --- one line ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": "a", "title": ', {"line": 7, "error": "not a listing: Input data was truncated"}),
        (b"oops", {"line": 7, "error": "not a listing: JSON is malformed: invalid character (byte 0)"}),
        (b'["a"]', {"line": 7, "error": "not a listing: Expected `object`, got `array`"}),
        (b"null", {"line": 7, "error": "not a listing: Expected `object`, got `null`"}),
        (b'{"id": "a", "title": 3}', {"id": "a", "line": 7, "error": "not a listing: Expected `str | null`, got `int` - at `$.title`"}),
        (b'{"id": 5, "title": "x", "kind": "ad"}', {"id": 5, "line": 7, "error": "not a listing: Invalid enum value 'ad' - at `$.kind`"}),
        (b'{"id": true, "title": "x"}', {"line": 7, "error": "not a listing: Expected `int | str | null`, got `bool` - at `$.id`"}),
        (b'{"title": "\xff"}', {"line": 7, "error": "not UTF-8"}),
        (b'{"id": "a", "x": ' + b"[" * 100_000, {"line": 7, "error": "not a listing: nested too deeply"}),
        (b'{"id": "a"}', {"id": "a", "line": 7, "error": "the listing has no text: title, description and attributes are all empty"}),
        (
            b'{"id": "a", "title": "", "attributes": {}}',
            {"id": "a", "line": 7, "error": "the listing has no text: title, description and attributes are all empty"},
        ),
    ],
    ids=[
        "cut short",
        "no JSON",
        "an array",
        "null",
        "a number for a title",
        "unknown kind",
        "id is a truth",
        "not UTF-8",
        "nested",
        "no text",
        "empty text",
    ],
)
def test_a_line_that_is_no_listing_says_what_is_wrong(engine, line, expected):
    """With its number, and its id where that can still be read."""
    assert answer(engine, line) == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"title": "x" * 1_001}, "title has 1001 code points, the limit is 1000"),
        ({"title": "🐘" * 1_000_000}, "title has 1000000 code points, the limit is 1000"),
        ({"title": "x", "description": "x" * 20_001}, "description has 20001 code points, the limit is 20000"),
        ({"title": "x", "attributes": ["x" * 257]}, "attributes[0].value has 257 code points, the limit is 256"),
        ({"title": "x", "attributes": ["x"] * 65}, "attributes has 65 items, the limit is 64"),
        ({"title": "x", "market": "x" * 257}, f"market {'x' * 40!r} is not an ISO 3166-1 code of two letters such as SG"),
    ],
)
def test_a_listing_over_a_limit_says_which(engine, row, message):
    """A million emoji are refused, not truncated and not scored."""
    assert answer(engine, {"id": "a"} | row) == {"id": "a", "line": 7, "error": message}


@pytest.mark.parametrize(
    ("posted", "appendices"),
    [("2015-03-01", [""]), ("2024-03-01T23:30:00-05:00", ["II"]), ("2024-03-01", ["II"]), (None, ["II"]), ("", ["II"])],
)
def test_the_day_of_posting_says_which_lists_are_in_force(engine, posted, appendices):
    """The shortfin mako has been on CITES since 2019; without a day it is today."""
    found = answer(engine, {"title": "Isurus oxyrinchus fins for sale, 5 kg", "market": "SG", "posted_time": posted})
    assert [taxon["appendix"] for taxon in found["taxa"]] == appendices


def test_a_day_of_posting_that_is_none_is_said(engine):
    """With what one looks like."""
    assert answer(engine, {"title": "x", "posted_time": "1 March"})["error"] == (
        "posted_time '1 March' is no ISO 8601 time such as 2026-03-31 or 2026-03-31T12:00:00Z"
    )


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"x\ud83d"])
def test_a_surrogate_without_its_other_half_is_no_text(engine, escape):
    """In a text or in the id itself."""
    for line in (b'{"title": "%s"}' % escape, b'{"id": "%s", "title": 3}' % escape):
        assert set(answer(engine, line)) == {"line", "error"}


def test_both_halves_of_a_surrogate_pair_are_one_character(engine):
    """🐘 as JSON writers of Java and JavaScript escape it; the span counts it once."""
    found = answer(engine, rb'{"title": "\ud83c\udf81 Elephant ivory for sale"}')
    assert (found["matches"][0]["surface"], found["matches"][0]["start"]) == ("Elephant ivory", 2)


@pytest.mark.parametrize("listing_id", ["a", "", 42, 2**70, None, "象牙", "x" * 256])
def test_an_id_comes_back_as_it_was_sent(engine, listing_id):
    """Text or number, or null if there was none."""
    assert answer(engine, {"id": listing_id, "title": "Blue bicycle"})["id"] == listing_id
    assert answer(engine, {"title": "Blue bicycle"})["id"] is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"Material": "Elephant ivory"},
        [{"name": "Material", "value": "Elephant ivory"}],
        ["Elephant ivory"],
        {"Color": None, "Material": "Elephant ivory"},
    ],
    ids=["mapping", "list of objects", "list of texts", "mapping with null"],
)
def test_attributes_are_a_mapping_or_a_list(engine, attributes):
    """Of names and values, or of texts; null is no attribute."""
    found = answer(engine, {"title": "Bangle for sale", "attributes": attributes})
    assert [(each["surface"], each["field"]) for each in found["matches"] if each["kind"] == "product"] == [
        ("Elephant ivory", "attributes[0].value")
    ]


def test_kind_language_and_market_are_heeded(engine):
    """A post is no more of an offer than a listing, a language hint is believed, an appendix is the market's."""
    words = {"title": "African grey parrot, hand reared"}
    listing, post, booking = (answer(engine, words | {"kind": kind}) for kind in ("listing", "social_post", "cargo_booking"))
    assert listing == answer(engine, words)
    assert 0 < post["score"] <= listing["score"]
    assert 0 < booking["score"] <= 1
    found = answer(engine, {"title": OFFER, "language": "fr", "market": "SG"})
    assert (found["language"], found["taxa"][0]["appendix"]) == ("fr", "I/II")


def test_fields_that_nobody_asked_for_are_passed_over(engine):
    """A platform's own export may hold more."""
    assert answer(engine, {"id": "a", "title": "Blue bicycle", "price": 5, "photos": [{"url": None}]})["action"] == "allow"


def test_a_missing_encoder_is_said_of_a_line_that_wanted_it(engine_without_encoder):
    """And of no other."""
    assert answer(engine_without_encoder, {"title": OFFER})["degraded"] == ["encoder_missing"]
    assert "degraded" not in answer(engine_without_encoder, {"title": "Blue bicycle"})


# --- JSON Lines ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
def test_answers_stand_in_the_order_of_the_lines(score):
    """Over many blocks."""
    failed, output = score(jsonl(*({"id": n, "title": OFFER if n % 7 == 0 else "Blue bicycle"} for n in range(1_203))))
    assert failed == 0
    assert [row["id"] for row in read(output)] == list(range(1_203))
    assert {row["id"] % 7 == 0 for row in read(output) if row["action"] == "block"} == {True}


def test_a_broken_line_does_not_stop_the_rest(score):
    """It stands in its place, and is counted."""
    failed, output = score(jsonl({"id": 1, "title": "x"}) + b"{broken\n" + jsonl({"id": 3, "title": 3}, {"id": 4, "title": "x"}))
    assert failed == 2
    assert [(row.get("id"), row.get("line"), "error" in row) for row in read(output)] == [
        (1, None, False),
        (None, 2, True),
        (3, 3, True),
        (4, None, False),
    ]


def test_a_failure_is_counted_whatever_stands_before_its_error(score):
    """An id longer than its limit is echoed, and longer than any look at the beginning of the line."""
    failed, output = score(jsonl({"id": "x" * 10_000, "title": "x"}))
    assert failed == 1
    assert "has 10000 code points, the limit is 256" in read(output)[0]["error"]


def test_a_text_that_speaks_of_errors_is_none(score):
    """Quotes inside a text are escaped."""
    failed, _ = score(jsonl({"id": '"error":', "title": f'{OFFER} "error": 1'}))
    assert failed == 0


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b'\n  \n{"id": 1, "title": "x"}\n\n{"id": 2}\n', [None, 5]),
        (b'{"id": 1, "title": "x"}\r\n{"id": 2}\r\n', [None, 2]),
        (b'\xef\xbb\xbf{"id": 1, "title": "x"}\n{"id": 2}', [None, 2]),
        (b"", []),
        (b"\n\n", []),
    ],
    ids=["blank lines", "CRLF", "byte order mark, no last line end", "empty", "nothing but blank lines"],
)
def test_blank_lines_have_no_answer_but_are_counted_in_line_numbers(score, content, lines):
    """An editor shows the same number."""
    _, output = score(content)
    assert [row.get("line") for row in read(output)] == lines


# --- CSV -----------------------------------------------------------------------------------------


def score_csv(score, content: bytes) -> tuple[int, list[dict[str, str]]]:
    failed, output = score(content, "csv")
    with output.open(encoding="utf-8", newline="") as file:
        return failed, list(csv.DictReader(file))


def test_csv_comes_out_as_csv(score):
    """All columns, what is nested as JSON in its cell."""
    failed, (row,) = score_csv(score, f"id,title,market\n42,{OFFER},SG\n".encode())
    assert (failed, tuple(row), row["id"], row["action"], float(row["score"]) > 0.9) == (0, COLUMNS, "42", "block", True)
    assert json.loads(row["taxa"])[0]["group"] == "elephant"
    assert json.loads(row["matches"])[0]["surface"] == "Elephant ivory"
    assert {each["name"] for each in json.loads(row["evidence"])} >= {"form_alone"}


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        ('{"Material": "Elephant ivory"}', "attributes[0].value"),
        ('[{"name": "Material", "value": "Elephant ivory"}]', "attributes[0].value"),
        ('["old", "Elephant ivory"]', "attributes[1].value"),
        ("Elephant ivory", "attributes[0].value"),
        ("[Elephant ivory", "attributes[0].value"),
        ("3", None),
    ],
)
def test_a_csv_cell_of_attributes_is_json_or_one_text(score, cell, field):
    """Broken JSON is a text like another."""
    text = io.StringIO()
    csv.writer(text).writerows([["id", "title", "attributes"], ["1", "Bangle for sale", cell]])
    failed, (row,) = score_csv(score, text.getvalue().encode())
    assert (failed, next((each["field"] for each in json.loads(row["matches"]) if each["kind"] == "product"), None)) == (0, field)


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        (b"1,\xff,", "not UTF-8"),
        (b"1," + "🐘".encode() * 1_000_000 + b",", "title has 1000000 code points, the limit is 1000"),
        (b'1,x,"[""\\ud800""]"', "not UTF-8"),
        (b"1,x," + b"[" * 100_000, "attributes[0].value has 100000 code points, the limit is 256"),
        (b'1,x,"{""a"": 3}"', "not a listing: Expected `str | null`, got `int` - at `$.attributes[...]`"),
        (b"1,,", "the listing has no text: title, description and attributes are all empty"),
    ],
    ids=["bytes", "a million emoji", "surrogate", "nested", "wrong type", "empty"],
)
def test_a_broken_csv_row_does_not_stop_the_rest(score, cells, error):
    """It says the line at which it ends."""
    failed, rows = score_csv(score, b"id,title,attributes\n" + cells + b"\n2,Blue bicycle,\n")
    assert (failed, rows[0]["line"], rows[0]["error"]) == (1, "2", error)
    assert (rows[1]["id"], rows[1]["action"]) == ("2", "allow")


def test_csv_rows_may_be_ragged_and_begin_with_a_byte_order_mark(score):
    """As spreadsheets write them."""
    failed, rows = score_csv(score, b"\xef\xbb\xbfid,title,market\n1,x\n\n2,y,SG,more,still more\n")
    assert (failed, [row["id"] for row in rows]) == (0, ["1", "2"])


def test_the_delimiter_of_csv_is_that_of_its_header(score):
    """Spreadsheets write semicolons where the comma is a decimal sign."""
    for delimiter in ";\t":
        failed, (row,) = score_csv(score, f'id{delimiter}title{delimiter}market\n1{delimiter}"{OFFER}, old; \t"{delimiter}SG\n'.encode())
        assert (failed, row["id"], row["action"]) == (0, "1", "block")


def test_csv_in_utf_16_is_refused_with_what_to_do(score):
    """As "Unicode text" is saved."""
    with pytest.raises(WildgateError, match=r"in\.csv is UTF-16; save it as CSV in UTF-8"):
        score("id,title\n1,x\n".encode("utf-16"), "csv")


# --- blocks --------------------------------------------------------------------------------------

CSV = 'id,title\r\n1,"a, ""b""\nc"\r\n\n2,5" screen\r3,"\r\n"\n4,\xe9"\n'


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("size", [1, 2, 7, 30, 1_000])
@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("jsonl", b'\xef\xbb\xbf{"id": 1}\r\n\n{"id": 2, "title": "' + b"x" * 50 + b'"}\n{"id": 3}', [1, 3, 4]),
        ("csv", CSV.encode(), [3, 5, 7, 8]),
        ("csv", b"\xef\xbb\xbf" + CSV.encode("latin-1"), [3, 5, 7, 8]),
    ],
    ids=["jsonl", "csv", "csv, not UTF-8"],
)
def test_a_file_gives_the_same_rows_wherever_it_is_cut(tmp_path, monkeypatch, form, content, expected, size, ending):
    """With the same numbers of lines; quotes, line ends of three kinds and compression do not matter."""
    (tmp_path / "whole").write_bytes(content)
    whole = list(rows_of(tmp_path / "whole", form))
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    (tmp_path / f"in{ending}").write_bytes(COMPRESS[ending](content))
    assert list(rows_of(tmp_path / f"in{ending}", form)) == whole
    assert [number for number, _ in whole] == expected


COMPRESS = {"": bytes, ".gz": gzip.compress, ".zst": lambda content: pa.compress(content, codec="zstd", asbytes=True)}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("group", [1, 4, 10])
def test_parquet_gives_the_same_rows_wherever_it_is_cut(tmp_path, monkeypatch, size, group):
    """Row groups larger and smaller than a block."""
    monkeypatch.setattr(blocks, "BLOCK_ROWS", size)
    parquet.write_table(pa.table({"id": range(10), "price": range(10)}), tmp_path / "in", row_group_size=group)
    assert list(rows_of(tmp_path / "in", "parquet")) == [(number + 1, b'{"id":%d}' % number) for number in range(10)]


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_line_longer_than_any_listing_is_not_read_to_its_end(score, monkeypatch, ending):
    """The rest go on."""
    for module in (one_line, json_lines):
        monkeypatch.setattr(module, "MOST_LINE", 1 << 20)
    content = b'{"id": 1, "title": "%s"}\n{"id": 2, "title": "x"}\n' % (b"x" * (3 << 20))
    failed, output = score(COMPRESS[ending](content), ending=ending)
    assert (failed, read(output)[0], read(output)[1]["id"]) == (1, {"line": 1, "error": "the line is longer than 1 MiB"}, 2)


def test_a_csv_cell_without_end_is_an_error_of_the_file(score, monkeypatch):
    """An open quote would have the rest of the file read into memory."""
    monkeypatch.setattr(csv_rows, "MOST_CELL", 1_000)
    with pytest.raises(WildgateError, match=r"in\.csv cannot be read as csv: field larger than field limit \(1000\)"):
        score(b'id,title\n1,"' + b"x\n" * 1_000, "csv")
    csv.field_size_limit(64 << 20)  # it is the interpreter's, not the file's


def test_a_compressed_file_that_is_cut_short_is_an_error_that_names_it(score):
    """What stands before the cut is not given out as the whole."""
    with pytest.raises(WildgateError, match=r"in\.jsonl\.gz cannot be read as jsonl: Compressed file ended"):
        score(gzip.compress(jsonl({"id": 1, "title": "x"}))[:-9], ending=".gz")


# --- Parquet -------------------------------------------------------------------------------------


def parquet_bytes(rows: list[dict], schema=None) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue()


def test_parquet_comes_out_as_parquet(score):
    """With columns of their own types, whatever the rows hold."""
    failed, output = score(
        parquet_bytes([{"id": "a", "title": f"{OFFER}, DM me", "attributes": {"Color": "white"}}, {"id": "b", "title": None}]), "parquet"
    )
    table = parquet.read_table(output)
    assert failed == 1
    assert (table.column_names, str(table.schema.field("score").type), str(table.schema.field("line").type)) == (
        list(COLUMNS),
        "double",
        "int64",
    )
    assert table.column("id").to_pylist() == ["a", "b"]
    assert table.column("action").to_pylist() == ["block", None]
    assert table.column("line").to_pylist() == [None, 2]
    assert json.loads(table.column("taxa")[0].as_py())[0]["group"] == "elephant"


@pytest.mark.parametrize(
    "kind",
    [
        pa.struct([("Color", pa.string()), ("Material", pa.string())]),
        pa.map_(pa.string(), pa.string()),
    ],
    ids=["struct", "map"],
)
def test_attributes_of_parquet_may_be_a_struct_or_a_map(score, kind):
    """A struct's missing fields are null in it."""
    schema = pa.schema([("id", pa.int64()), ("title", pa.string()), ("attributes", kind)])
    value = {"Material": "Elephant ivory"} if pa.types.is_struct(kind) else [("Material", "Elephant ivory")]
    failed, output = score(parquet_bytes([{"id": 1, "title": "Bangle", "attributes": value}], schema), "parquet")
    assert failed == 0
    assert json.loads(parquet.read_table(output).column("matches")[0].as_py())[0]["surface"] == "Elephant ivory"


def test_a_parquet_file_without_rows_gives_one_with_the_same_columns(score):
    """A job that had nothing to do does not break the next one."""
    schema = pa.schema([("id", pa.string()), ("title", pa.string())])
    _, output = score(parquet_bytes([], schema), "parquet")
    assert (parquet.read_table(output).num_rows, parquet.read_table(output).column_names) == (0, list(COLUMNS))


# --- the output ----------------------------------------------------------------------------------


def test_a_file_of_another_format_is_one_error_and_no_output(score, tmp_path):
    """That names the file."""
    with pytest.raises(WildgateError, match=r"in\.parquet cannot be read as parquet"):
        score(b"not parquet", "parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


@pytest.mark.parametrize("content", [b'id,title\n1,"never closed', b"id,title\n1,x\x00y\n", b"id,title\r1,x\r"])
def test_odd_csv_is_read_as_far_as_it_can_be(score, content):
    """An open quote, a NUL, the line ends of another age."""
    failed, rows = score_csv(score, content)
    assert (failed, [row["id"] for row in rows]) == (0, ["1"])


def test_an_output_that_is_no_file_is_refused(tmp_path, score):
    """Renaming onto a device or a pipe would replace it."""
    os.mkfifo(tmp_path / "out.jsonl")
    with pytest.raises(WildgateError, match="is no regular file"):
        score(jsonl({"id": 1, "title": "x"}))
    assert (tmp_path / "out.jsonl").is_fifo()


def test_an_output_that_is_a_link_is_written_where_it_points(tmp_path, score):
    """The link stays."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out.jsonl").symlink_to(tmp_path / "elsewhere" / "real.jsonl")
    score(jsonl({"id": 1, "title": "x"}))
    assert (tmp_path / "out.jsonl").is_symlink()
    assert read(tmp_path / "elsewhere" / "real.jsonl")[0]["id"] == 1


def test_an_output_in_no_folder_is_an_error_that_names_it(tmp_path, engine, monkeypatch):
    """Before anything is scored."""
    monkeypatch.setattr(run, "local_engine", lambda *_: engine)
    (tmp_path / "in.jsonl").write_bytes(jsonl({"id": 1, "title": "x"}))
    with pytest.raises(WildgateError, match=r"nowhere/out\.jsonl cannot be written: No such file"):
        score_file(tmp_path / "in.jsonl", tmp_path / "nowhere" / "out.jsonl", "jsonl", ALONE)


def test_progress_says_how_many_and_how_many_failed(score):
    """With rate and time left, on one line that is written over."""
    shown = io.StringIO()
    score(jsonl(*({"id": n, "title": "x" if n else ""} for n in range(1_203))), progress=shown)
    last = shown.getvalue().split("\r")[-1]
    assert re.fullmatch(r"100%\|.*\| 1,203 listings, 1 failed, [\d,]+/s, \S+ passed, 00:00 left\n", last)
