"""What is fuzzed: everything that reads what strangers wrote. A target takes bytes, and raises for a defect alone.

`run.py` drives them by coverage, `test_fuzz_targets.py` by Hypothesis and with the inputs kept in `corpus/`.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2
from wildgate_service import evidence
from wildgate_service.admission import Admission
from wildgate_service.annex1 import check as annex1_check
from wildgate_service.bulk.line import decision_json, score_line
from wildgate_service.bulk.sources import rows_of
from wildgate_service.checkpoints import read_checkpoints
from wildgate_service.errors import InvalidListingError, SettingsError, WildgateError
from wildgate_service.http.messages import to_bytes
from wildgate_service.lexicon import lint_text
from wildgate_service.local import local_engine
from wildgate_service.normalize import fold, normalize
from wildgate_service.normalize.slow import slow_fold
from wildgate_service.outcome_files import OutcomeFileError, read_outcomes
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.policy import checked
from wildgate_service.record import read_payload
from wildgate_service.rpc import Caller, Serving, refuse
from wildgate_service.rpc.lexicon import Lexicons
from wildgate_service.rpc.scoring import Scoring
from wildgate_service.rpc.transparency import Transparency
from wildgate_service.settings import Settings, load_settings
from wildgate_service.statements.check import check as check_statement
from wildgate_service.status import Reason, Refusal
from wildgate_service.types import Attribute, ContentKind, Decision, Listing
from wildgate_service.writer._wire import request_reader

FIELDS = "\x1f"  # between the fields of a listing made of bytes
KINDS = tuple(ContentKind)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def engine() -> Engine:
    """That of `wildgate score`, loaded once."""
    return local_engine()


# --- scoring -------------------------------------------------------------------------------------


def listing_from(data: bytes) -> Listing:
    """A listing of every kind with title, description and attributes, out of any bytes."""
    text = data[1:].decode("utf-8", "replace")
    title, _, rest = text.partition(FIELDS)
    description, _, rest = rest.partition(FIELDS)
    attributes = tuple(
        Attribute(name[:256], value[:256]) for name, _, value in (each.partition("=") for each in rest.split(FIELDS) if each)
    )
    kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    return Listing(title=title[:1_000], description=description[:20_000], attributes=attributes[:64], content_kind=kind)


def score(data: bytes) -> None:
    """Any text gets a decision that says what it must, with spans that are the seller's own characters."""
    listing = listing_from(data)
    with suppress(InvalidListingError):
        check_decision(listing, score_listing(engine(), listing))


def check_decision(listing: Listing, decision: Decision) -> None:
    """What holds for every decision."""
    assert 0.0 <= decision.score <= 1.0, decision.score
    assert all(math.isfinite(each.weight) for each in decision.evidence)
    fields = {"title": listing.title, "description": listing.description}
    for number, attribute in enumerate(listing.attributes):
        fields |= {f"attributes[{number}].name": attribute.name, f"attributes[{number}].value": attribute.value}
    for match in decision.matches:
        assert 0 <= match.start < match.end <= len(fields[match.field]), match
        assert fields[match.field][match.start : match.end] == match.surface, match
    msgspec.json.encode(decision_json(decision, "1"))


def normalized(data: bytes) -> None:
    """The fast table folds as the slow steps do, and what is folded stays as it is."""
    text = data.decode("utf-8", "replace")
    assert fold(text) == slow_fold(text)
    assert fold(fold(text)) == fold(text)
    skeleton = normalize(Listing(title=text[:1_000], description=text[1_000:21_000]))
    assert skeleton is not None


def line(data: bytes) -> None:
    """Every line of a file gets one answer: a decision or an error."""
    answer = msgspec.json.decode(score_line(engine(), 1, data))
    assert ("error" in answer) != ("action" in answer), answer


# --- the RPCs ------------------------------------------------------------------------------------


@cache
def _methods() -> tuple[Callable[[bytes, Caller], object], ...]:
    settings = load_settings(environment={}).settings
    serving = Serving(
        settings=msgspec.structs.replace(settings, store="none"),
        engine=engine(),
        writer=None,
        secrets=None,
        admission=Admission(settings.longest_wait, settings.max_in_flight),
    )
    scoring, transparency, lexicons = Scoring(serving), Transparency(serving), Lexicons(serving, _no_reload)
    return (
        scoring.score_listing,
        scoring.batch_score_listings,
        transparency.record_outcomes,
        transparency.get_transparency_report,
        transparency.export_statements_of_reasons,
        lexicons.get_lexicon,
        lexicons.validate_rules,
    )


async def _no_reload() -> None:
    raise Refusal(Reason.OVERLOADED)


def servicer(data: bytes) -> None:
    """Any bytes sent to any method get an answer or a refusal with a reason; none is a defect."""
    if not data:
        return
    method = _methods()[data[0] % len(_methods())]
    try:
        answer = asyncio.run(method(data[1:], Caller()))  # type: ignore[arg-type]
    except Exception as error:
        if refuse(error, "fuzzed").reason is Reason.INTERNAL:
            raise
    else:
        assert isinstance(answer, bytes)


REQUESTS = (
    scoring_pb2.ScoreListingRequest,
    scoring_pb2.BatchScoreListingsRequest,
    transparency_pb2.RecordOutcomesRequest,
    transparency_pb2.GetTransparencyReportRequest,
    lexicon_pb2.ValidateRulesRequest,
)


def http_json(data: bytes) -> None:
    """JSON of any kind is a request, or is refused with a field."""
    if not data:
        return
    kind = REQUESTS[data[0] % len(REQUESTS)]
    with suppress(Refusal):
        kind.FromString(to_bytes(data[1:], kind))


# --- files that people write ---------------------------------------------------------------------


def rules(data: bytes) -> None:
    """A rule file of any content is linted."""
    for finding in lint_text(data.decode("utf-8", "replace")):
        assert finding.code.startswith("LEX")


def policy(data: bytes) -> None:
    """A policy is right, or its problems are said with their lines."""
    file, problems = checked(data.decode("utf-8", "replace"))
    assert (file is None) <= bool(problems)


def settings_file(data: bytes) -> None:
    """Settings load or are a SettingsError."""
    with _file(data, ".toml") as path, suppress(SettingsError):
        assert isinstance(load_settings(path, environment={}).settings, Settings)


def outcomes_jsonl(data: bytes) -> None:
    """A file of outcomes is read, or the line that cannot be is named."""
    _read_outcomes(data, ".jsonl")


def outcomes_csv(data: bytes) -> None:
    """Likewise as CSV."""
    _read_outcomes(data, ".csv")


def _read_outcomes(data: bytes, suffix: str) -> None:
    with _file(data, suffix) as path, suppress(OutcomeFileError):
        for outcome in read_outcomes(path, tenant="default", now=NOW):
            assert outcome.tenant == "default"


def listings_csv(data: bytes) -> None:
    """A table of listings is cut into rows, each of which is a JSON object, or cannot be read and says why."""
    _read_listings(data, "csv")


def listings_gz(data: bytes) -> None:
    """So is a compressed file, whatever its stream holds."""
    _read_listings(data, "jsonl", ".jsonl.gz")


def _read_listings(data: bytes, form: str, suffix: str = ".csv") -> None:
    with _file(data, suffix) as path, suppress(WildgateError):
        for number, row in rows_of(path, form):
            assert number >= 1
            assert isinstance(row, bytes)


def annex_csv(data: bytes) -> None:
    """A published sheet has findings or none."""
    _check_annex(data, "1_report_identification.csv")


def annex_xlsx(data: bytes) -> None:
    """So has a workbook, whatever its ZIP and XML hold."""
    _check_annex(data, "report.xlsx")


def _check_annex(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder, suppress(WildgateError):
        path = Path(folder) / name
        path.write_bytes(data)
        for finding in annex1_check.check(path):
            assert finding.code.startswith("ANX")


def statement(data: bytes) -> None:
    """Anything that claims to be a statement of reasons is checked."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        for wrong in check_statement(msgspec.json.decode(data, type=dict[str, object])):
            assert str(wrong)


def bundle(data: bytes) -> None:
    """A bundle of evidence verifies, or the reason is said."""
    with suppress(evidence.EvidenceError):
        evidence.verify_bundle(data)


def checkpoints(data: bytes) -> None:
    """A file of checkpoints is read, or the line that is none is named."""
    with _file(data, ".json") as path, suppress(SettingsError):
        read_checkpoints(path)


# --- inside --------------------------------------------------------------------------------------


def payload(data: bytes) -> None:
    """What is no record is told by a ValueError, however it was damaged."""
    with suppress(ValueError, RecursionError):
        read_payload(data)


def frames(data: bytes) -> None:
    """So is what is no frame from a worker."""
    with suppress(ValueError, RecursionError):
        for frame in request_reader().feed(data):
            assert frame.calls is not None


@contextmanager
def _file(data: bytes, suffix: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{suffix}"
        path.write_bytes(data)
        yield path


TARGETS: dict[str, Callable[[bytes], None]] = {
    "score": score,
    "normalize": normalized,
    "line": line,
    "servicer": servicer,
    "http_json": http_json,
    "rules": rules,
    "policy": policy,
    "settings": settings_file,
    "outcomes_jsonl": outcomes_jsonl,
    "outcomes_csv": outcomes_csv,
    "listings_csv": listings_csv,
    "listings_gz": listings_gz,
    "annex_csv": annex_csv,
    "annex_xlsx": annex_xlsx,
    "statement": statement,
    "bundle": bundle,
    "checkpoints": checkpoints,
    "payload": payload,
    "frames": frames,
}
