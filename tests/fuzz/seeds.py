"""Sound inputs of each target, made by the program itself: what a fuzzer changes reaches further than what it makes up."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from gzip import compress
from itertools import pairwise
from pathlib import Path

from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp
from targets import FIELDS, REQUESTS, engine
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2
from wildgate_service.annex1.template import NAMES, template
from wildgate_service.annex1.write import to_csv_files, to_xlsx
from wildgate_service.checkpoints import load_signing_key
from wildgate_service.evidence import Wanted, make_bundle
from wildgate_service.pipeline import score_listing
from wildgate_service.record import make_entry, make_record
from wildgate_service.settings import describe
from wildgate_service.store import open_store
from wildgate_service.types import DecisionRecord, Listing
from wildgate_service.writer._wire import Entries, encode

ROOT = Path(__file__).parents[2]
TEXTS = [json.loads(line)["text"] for line in (ROOT / "tests/golden/synthetic.jsonl").read_text(encoding="utf-8").splitlines()]
ID = "018f2f3e-6f1c-7d57-9d0c-6d2f0a3c6f10"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
OUTCOME = {"kind": "removed", "occurred_time": "2026-03-10T12:00:00Z", "decision_id": ID, "means": "moderator", "restrictions": ["removed"]}

STATEMENT = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
    "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
    "decision_ground_reference_url": "https://eur-lex.europa.eu/eli/reg/1997/338/oj",
    "illegal_content_legal_ground": "Council Regulation (EC) No 338/97, Article 8",
    "illegal_content_explanation": "Offered for sale.",
    "content_type": ["CONTENT_TYPE_PRODUCT"],
    "category": "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "category_specification": ["KEYWORD_PROHIBITED_PRODUCTS"],
    "territorial_scope": ["DE", "FR"],
    "content_language": "EN",
    "content_date": "2026-03-10",
    "application_date": "2026-03-10",
    "decision_facts": "It came to notice through software.",
    "source_type": "SOURCE_VOLUNTARY",
    "automated_detection": "Yes",
    "automated_decision": "AUTOMATED_DECISION_FULLY",
    "puid": "a" * 64,
}


def score() -> list[bytes]:
    """The texts of the golden tests, by twos as title and description."""
    return [b"\0" + f"{title}{FIELDS}{text}{FIELDS}size={text}".encode() for title, text in pairwise(TEXTS)]


def normalized() -> list[bytes]:
    """The texts alone."""
    return [text.encode() for text in TEXTS]


def line() -> list[bytes]:
    """Lines of a file to score."""
    return [json.dumps({"id": str(number), "title": text, "market": "SG"}).encode() for number, text in enumerate(TEXTS)]


def servicer() -> list[bytes]:
    """A request of each method."""
    listing = types_pb2.Listing(listing_id="1", title=TEXTS[0], market="SG", attributes=[types_pb2.Attribute(name="a", value="b")])
    item = scoring_pb2.BatchItem(correlation_id="1", listing=listing)
    outcome = transparency_pb2.Outcome(outcome_id=ID, decision_id=ID, occurred_time=Timestamp(seconds=1_770_000_000))
    requests = (
        scoring_pb2.ScoreListingRequest(request_id=ID, listing=listing, explain=types_pb2.EXPLAIN_FULL),
        scoring_pb2.BatchScoreListingsRequest(items=[item, item]),
        transparency_pb2.RecordOutcomesRequest(outcomes=[outcome]),
        transparency_pb2.GetTransparencyReportRequest(start_date="2026-01-01", end_date="2026-01-31"),
        transparency_pb2.ExportStatementsOfReasonsRequest(date="2026-01-01", page_size=10),
        lexicon_pb2.GetLexiconRequest(),
        lexicon_pb2.ValidateRulesRequest(yaml=rules()[0].decode()),
    )
    return [bytes([number]) + request.SerializeToString() for number, request in enumerate(requests)]


def http_json() -> list[bytes]:
    """The same as JSON, of those that may hold text."""
    read = (message.FromString(data[1:]) for message, data in zip(REQUESTS[:4], servicer()[:4], strict=True))
    return [bytes([number]) + MessageToJson(request).encode() for number, request in enumerate(read)]


def rules() -> list[bytes]:
    """Rule files of the linter's tests."""
    return [file.read_bytes() for file in sorted((ROOT / "tests/linter").glob("*.yml"))]


def policy() -> list[bytes]:
    """The policy that ships."""
    return [(ROOT / "service/wildgate_service/policies/default.toml").read_bytes()]


def settings_file() -> list[bytes]:
    """A file of settings."""
    return [b'port = 0\nworkers = 2\nstore = "none"\nlexicon_packs = ["a"]\n', f"# {describe('port')}\n".encode()]


def outcomes_jsonl() -> list[bytes]:
    """An outcome."""
    return [json.dumps(OUTCOME).encode()]


def outcomes_csv() -> list[bytes]:
    """The same as a table."""
    return [_table([list(OUTCOME), ["removed", "2026-03-10T12:00:00Z", ID, "moderator", "removed"]])]


def listings_csv() -> list[bytes]:
    """Listings as a table."""
    return [_table([["id", "title", "attributes"], *([str(number), text, '{"a": "b"}'] for number, text in enumerate(TEXTS[:5]))])]


def listings_gz() -> list[bytes]:
    """Listings, compressed."""
    return [compress(b"\n".join(line()[:20]), mtime=0)]


def annex_csv() -> list[bytes]:
    """The first sheet of an empty report."""
    return [to_csv_files([template()[NAMES[0]]])[f"{NAMES[0]}.csv"]]


def annex_xlsx() -> list[bytes]:
    """An empty report as a workbook."""
    return [to_xlsx([template()[name] for name in NAMES])]


def statement() -> list[bytes]:
    """A statement of reasons with most of its fields."""
    return [json.dumps(STATEMENT).encode()]


def bundle() -> list[bytes]:
    """The evidence of one listing, out of a store."""
    with tempfile.TemporaryDirectory() as folder:
        with open_store(f"sqlite:///{folder}/seeds.db") as store:
            store.append([_record()])
            proofs, followed = store.proofs(Wanted(tenant=None, listing_id="1", positions=()))
        return [make_bundle(proofs, followed, published=[], key=load_signing_key(Path(folder) / "key.pem"), now=NOON)]


def checkpoints() -> list[bytes]:
    """A receipt."""
    return [b'{"log_id": "a", "position": 1, "chain_hash": "00"}\n']


def payload() -> list[bytes]:
    """What the log keeps of a decision."""
    return [make_entry(_record()).payload]


def frames() -> list[bytes]:
    """What a worker sends to the writer."""
    return [encode(Entries([1], [make_entry(_record())]))]


def _record() -> DecisionRecord:
    listing = Listing(id="1", title=TEXTS[0], market="SG", seller_ref="somebody")
    decision = score_listing(engine(), listing)
    return make_record(decision, listing, tenant="acme", decision_id=ID, request_id=ID, decided_time=NOON, tenant_key=bytes(32))


def _table(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def seeds(target: Callable[[bytes], None]) -> list[bytes]:
    """Those of a target: made by the function of its name here."""
    made: list[bytes] = globals()[target.__name__]()
    return made


def write_seeds(target: Callable[[bytes], None], folder: Path) -> None:
    """Put them into a folder, as a fuzzer wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds(target)):
        (folder / f"seed-{number:03}").write_bytes(content)
