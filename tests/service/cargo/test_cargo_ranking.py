"""`wildgate cargo rank`: a CSV of bookings in, the same bookings in the order of risk out, whatever stands in them."""

from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from wildgate_service.bulk import Run
from wildgate_service.cargo import ranking, sorting
from wildgate_service.cargo.columns import columns_of
from wildgate_service.cargo.ranking import Reading, Total, rank_file
from wildgate_service.cli.cargo import command
from wildgate_service.errors import WildgateError

BENCHMARKS = Path(__file__).parents[3] / "benchmarks" / "quality"
HEADER = "Booking No,Goods Description,POL,POD,HS Code,Gross Weight"
ROWS = [
    "1,GARMENTS,BDCGP,DEHAM,6109,9000",
    "2,STC RAW CASHEW NUTS,CDMAT,VNHPH,0801.31,16000",
    "3,PANGOLIN SCALES 20 BGS,NGLOS,HKHKG,,500",
    '4,"PLASTIC SCRAP, BALED",NGAPP,MYPKG,3915,20000',
]


@pytest.fixture
def ranked(tmp_path, engine, monkeypatch):
    """Rank the bytes of a file; returns its rows as mappings, and the total."""
    monkeypatch.setattr(Run, "engine", lambda _: engine)

    def rank(content: bytes | str, share: float = 0.003, **reading: object) -> tuple[list[dict[str, str]], Total]:
        source, output = tmp_path / "bookings.csv", tmp_path / "ranked.csv"
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        total = rank_file(source, output, share, Run(None, None, 1), Reading(**reading))
        return read(output.read_bytes()), total

    return rank


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def test_bookings_stand_in_the_order_of_risk_with_reasons(ranked):
    """Named wildlife first, then ways and goods, then what is ordinary; the columns of the file stay."""
    rows, total = ranked(lines(HEADER, *ROWS), share=0.5)
    assert [row["Booking No"] for row in rows] == ["3", "2", "4", "1"]
    assert [row["risk_rank"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["high_risk"] for row in rows] == ["yes", "yes", "no", "no"]
    assert [row["line"] for row in rows] == ["4", "3", "5", "2"]
    assert rows[1]["why"] == (
        "Goods that have covered wildlife, on a way that it took (raw cashew, CDMAT → VNHPH); "
        "Goods that their origin hardly ships (raw cashew from CDMAT, CDMAT → VNHPH)"
    )
    assert rows[2]["Goods Description"] == "PLASTIC SCRAP, BALED"
    assert total == Total(ranked=4, high=2, least=5.0, beside=1, failed=0)


def test_the_share_is_of_the_bookings_and_rounded_up(ranked):
    """One of four at 0.3 %, and none at 0; what has no risk is never of high risk."""
    assert ranked(lines(HEADER, *ROWS))[1].high == 1
    assert ranked(lines(HEADER, *ROWS), share=0)[1].high == 0
    assert ranked(lines(HEADER, *ROWS), share=1)[1].high == 3


def test_no_row_is_lost_however_broken(ranked):
    """Cells too few, too many, bytes of no encoding, too long a text: at the end, with the line, what is wrong, and all that was there."""
    broken = [b"5,x\n", b"6,GARMENTS,A,B,,,more,and more\n", b"7,CAF\xc9 VERT,CIABJ,BEANR,,\n", b"8," + b"X" * 20_001 + b",,,,\n"]
    rows, total = ranked(lines(HEADER, *ROWS).encode() + b"".join(broken), share=0.5)
    assert total.failed == 4
    assert [(row["line"], row["Booking No"], row["error"]) for row in rows[4:]] == [
        ("6", "5", "the row has 2 cells, the header 6"),
        ("7", "6", "the row has 8 cells, the header 6; behind them: more | and more"),
        ("8", "7", "not UTF-8; say what it is with --encoding"),
        ("9", "8", "description has 20001 code points, the limit is 20000"),
    ]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "gb18030", "utf-8-sig"])
def test_exports_in_other_encodings_are_read(ranked, encoding):
    """As customs systems write them."""
    text = lines("No;Désignation des marchandises;Origine;Destination", "1;NOIX DE CAJOU;LOMÉ;HAIPHONG")
    rows, _ = ranked(text.encode(encoding), encoding=encoding, columns={"id": "No"})
    assert (rows[0]["Origine"], rows[0]["risk"]) == ("LOMÉ", "1")


def test_an_open_quote_is_a_sign_where_there_are_no_quotes(ranked):
    """Inches begin no quoted cell."""
    rows, total = ranked(lines(HEADER, '1,"20 INCH PIPES,CNSHA,KEMBA,,', *ROWS[1:3]), quotes=False)
    assert total.failed == 0
    assert '"20 INCH PIPES' in {row["Goods Description"] for row in rows}


def test_a_column_of_the_file_keeps_its_name(ranked):
    """What is added beside it is named otherwise."""
    rows, _ = ranked(lines("risk,description", "mine,GENERAL CARGO"))
    assert (rows[0]["risk"], rows[0]["wildgate_risk"]) == ("mine", "1")


def test_headers_are_known_in_several_languages_or_given():
    """By what they are called, whatever signs and case; given ones win."""
    headers = ["N° BL", "Mercadoria", "PORTO_DE_EMBARQUE", "Puerto de Destino", "xyz"]
    assert columns_of(headers, {"hs_code": "XYZ"}) == {"description": 1, "origin": 2, "destination": 3, "hs_code": 4}


@pytest.mark.parametrize(
    ("headers", "given", "message"),
    [
        (["a", "b"], {}, "no column is known to hold the description of goods among a, b; name it with --column description=HEADER"),
        (["goods"], {"origin": "POL"}, "--column origin=POL: the file has no such column; it has goods"),
        (["goods"], {"ship": "goods"}, "--column ship: there is no such field; it is one of id, description, origin,"),
    ],
)
def test_a_column_that_is_not_there_is_said(headers, given, message):
    """With what there is."""
    with pytest.raises(WildgateError) as raised:
        columns_of(headers, given)
    assert str(raised.value).startswith(message)


def test_sorting_needs_no_more_than_a_run_in_memory(tmp_path, monkeypatch):
    """Runs of a few lines, more than are merged at once, in the order of their bytes; nothing is left beside."""
    monkeypatch.setattr(sorting, "RUN_BYTES", 100)
    monkeypatch.setattr(sorting, "MOST_OPEN", 3)
    written = [b"%06d\n" % n for n in range(500)]
    shuffled = sorted(written, key=lambda line: line[::-1])
    path = tmp_path / "lines"
    path.write_bytes(b"".join(shuffled))
    with sorting.in_order(path) as found:
        assert list(found) == written
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_is_ended_is_gone_on_with(engine, tmp_path, monkeypatch):
    """Ended while it writes the ranks: nothing is scored again, and the output is that of a run left alone."""
    monkeypatch.setattr(Run, "engine", lambda _: engine)
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(lines(HEADER, *ROWS), encoding="utf-8")
    rank_file(source, output, 0.5, Run(None, None, 1), Reading())
    whole = output.read_bytes()
    output.unlink()
    with monkeypatch.context() as ended:
        ended.setattr(ranking, "_row", _end)
        with pytest.raises(KeyboardInterrupt):
            rank_file(source, output, 0.5, Run(None, None, 1), Reading())
    assert not output.exists()
    monkeypatch.setattr(ranking, "weigh", _end)
    rank_file(source, output, 0.5, Run(None, None, 1), Reading())
    assert output.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def _end(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_the_command_says_what_it_read_and_ends_with_1_for_a_bad_row(engine, tmp_path, monkeypatch):
    """On standard error, for who runs it every night."""
    monkeypatch.setattr(Run, "engine", lambda _: engine)
    source, output = tmp_path / "in.csv.gz", tmp_path / "out.csv.gz"
    source.write_bytes(gzip.compress(lines(HEADER, *ROWS, "5,x").encode()))
    told = CliRunner().invoke(command, ["rank", "--input", str(source), "--output", str(output), "--workers", "1"])
    assert told.exit_code == 1
    columns, counts = told.stderr.splitlines()
    assert columns.startswith("wildgate: reads id from “Booking No”, description from “Goods Description”, origin from “POL”")
    rows = read(gzip.decompress(output.read_bytes()))
    assert counts == (
        f"wildgate: 4 bookings ranked: 1 of high risk at a share of 0.003, the least of them at risk {rows[0]['risk']}; "
        "1 rows could not be read and stand at the end"
    )
    assert len(rows) == 5


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--encoding", "klingon"), "--encoding klingon: there is no such encoding; try utf-8, cp1252, utf-16 or gb18030"),
        (("--column", "POL"), "--column POL: give FIELD=HEADER, such as origin=POL"),
        (("--delimiter", "||"), "--delimiter is one character"),
    ],
)
def test_a_wrong_option_is_a_usage_error(tmp_path, option, message):
    """With what a right one looks like."""
    source = tmp_path / "in.csv"
    source.write_text(lines(HEADER, *ROWS), encoding="utf-8")
    told = CliRunner().invoke(command, ["rank", "--input", str(source), "--output", str(tmp_path / "out.csv"), *option])
    assert (told.exit_code, message in told.stderr) == (2, True)


def test_the_patterns_are_printed_as_csv():
    """For who wants to check or translate them."""
    told = CliRunner().invoke(command, ["patterns"])
    rows = list(csv.DictReader(io.StringIO(told.stdout, newline="")))
    assert rows[0]["id"] == "cargo_cover_goods_on_wildlife_way"
    assert {row["reviewed_by"] for row in rows} == {"nobody"}


@pytest.mark.slow
def test_planted_bookings_rank_high_among_invented_ones(tmp_path, engine, monkeypatch):
    """Half of those planted, at ten times the share that authorities look at; ordinary cashew never is of high risk."""
    monkeypatch.setattr(Run, "engine", lambda _: engine)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    sys.modules.pop("cargo", None)
    import cargo  # noqa: PLC0415  (a script of the benchmarks)

    source, output = tmp_path / "bookings.csv", tmp_path / "ranked.csv"
    cargo.write_bookings(source, 3_000, 15, seed=3)
    rank_file(source, output, 0.003, Run(None, None, 1), Reading())
    found = cargo.counted(output)
    assert found["found"]["0.03"]["all"].share >= 0.5
    assert found["ordinary_cashew_of_high_risk"].k == 0
