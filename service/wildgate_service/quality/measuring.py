"""Everything that `wildgate model eval` measures, in one value."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from wildgate_service.errors import ModelError
from wildgate_service.model.folder import find_models
from wildgate_service.model.labeled_texts import LabeledText, base_language, is_development, read_texts
from wildgate_service.model.results import processor_name
from wildgate_service.pipeline import Engine, with_models
from wildgate_service.quality import TIERS
from wildgate_service.quality.calibration import Calibration, calibration
from wildgate_service.quality.comparison import Comparison, compare
from wildgate_service.quality.figures import Figures, crossed_pairs, figures, grouped, halves
from wildgate_service.quality.negatives import AlarmsOf, Scored, alarms_by_source, alarms_on_titles, score_negatives
from wildgate_service.quality.rates import Rate, rate
from wildgate_service.quality.verdicts import Answered, answer, complete, judge_of, provenance

WARMING = 50  # texts answered before any is timed
MEANING = (
    "Labeled texts, scored without language, market or seller. A share found here is one of texts like these, not of traffic, where "
    "offers are few. Whatever the models were trained or fitted on flatters them: take texts that they have not seen; of a file that "
    "`model fuse` was given, the reported half. An offer counts as found, and a benign text as a false alarm, when it is not ALLOW; a "
    "contrast pair is right when its offer is not ALLOW and its twin is. Intervals: 95 %, Wilson."
)

_Scored = tuple[Path | None, list[Scored]]  # negatives: their folder, and the answers to them


class Data(Struct, frozen=True):
    """What was measured on. `files` are name and SHA-256."""

    files: dict[str, str]
    half: str
    texts: int
    offers: int
    benign: int
    pairs: int
    languages: int
    meaning: str = MEANING


class TierResult(Struct, frozen=True):
    """One tier: all of them together, or one alone. Times are microseconds a text, in one process, of texts seen once."""

    tier: str
    totals: Figures
    calibration: Calibration
    read_by_encoder: Rate
    median_microseconds: float
    p99_microseconds: float


class Negatives(Struct, frozen=True):
    """Held-out real texts without an offer; those that are offers after all count as false alarms.

    `calibration` is of these and the labeled texts together, by the first tier: a mixture in which few are offers.
    """

    by_source: tuple[AlarmsOf, ...]
    titles: tuple[AlarmsOf, ...]
    calibration: Calibration


class Evaluation(Struct, frozen=True):
    """All figures. The tables are of `tiers[0]`."""

    data: Data
    versions: dict[str, str]
    fusion_weights: dict[str, float]
    code_sha256: str
    processor: str
    halves: dict[str, Figures]
    by_language: dict[str, Figures]
    by_functionality: dict[str, Figures]
    pairs: dict[str, dict[str, Rate]]
    tiers: tuple[TierResult, ...]
    comparison: Comparison | None = None
    negatives: Negatives | None = None


def evaluate(
    engine: Engine,
    files: Sequence[Path],
    *,
    half: str = "all",
    tiers: Sequence[str] = TIERS,
    against: Path | None = None,
    least: int = 0,
    data: Path | None = None,
) -> Evaluation:
    """Answer all texts by each tier, and by the models of the folder `against`; held-out negatives of the folder `data`.

    Raises ModelError where texts, models or data are missing or wrong.
    """
    texts = [text for text in read_texts(files) if half == "all" or is_development(text) == (half == "development")]
    if not texts:
        raise ModelError(f"{' and '.join(map(str, files))}: no text to measure on in the half {half!r}")
    answered = {tier: _timed(engine, tier, texts) for tier in tiers}
    shown = answered[tiers[0]]
    ordinary = score_negatives(complete(engine), data, held_out_alone=True) if data else []
    return Evaluation(
        _described(files, half, texts),
        **provenance(engine),
        processor=processor_name(),
        halves={name: figures(part) for name, part in halves(shown).items()} if half == "all" else {},
        by_language=grouped(shown, _language),
        by_functionality=grouped(shown, _functionality),
        pairs=crossed_pairs(shown, _functionality, _language),
        tiers=tuple(_of_tier(tier, answers) for tier, answers in answered.items()),
        comparison=_compared(engine, against, answered, texts, least, (data, ordinary)) if against else None,
        negatives=_of_negatives(ordinary, shown) if data else None,
    )


def _timed(engine: Engine, tier: str, texts: list[LabeledText]) -> list[Answered]:
    judge = judge_of(tier, engine)
    answer(judge, texts[:WARMING])
    return answer(judge, texts)


def _compared(
    engine: Engine, against: Path, answered: dict[str, list[Answered]], texts: list[LabeledText], least: int, negatives: _Scored
) -> Comparison:
    """Both as they are served: by all tiers, with the same lexicons, policy and encoder."""
    classifier = complete(engine).classifier
    old = with_models(engine, find_models(against), classifier.encoder if classifier else None)
    new_answers = answered.get("all") or answer(judge_of("all", engine), texts)
    folder, scored = negatives
    ordinary = list(zip(scored, score_negatives(old, folder, held_out_alone=True), strict=True)) if folder else []
    return compare(new_answers, answer(judge_of("all", old), texts), (engine.versions.model, old.versions.model), least, ordinary)


def _described(files: Sequence[Path], half: str, texts: list[LabeledText]) -> Data:
    offers = sum(text.offer for text in texts)
    return Data(
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        half,
        texts=len(texts),
        offers=offers,
        benign=len(texts) - offers,
        pairs=sum(text.offer and text.pair is not None for text in texts),
        languages=len({base_language(text.language) for text in texts}),
    )


def _of_tier(tier: str, answered: list[Answered]) -> TierResult:
    times = np.array([each.microseconds for each in answered])
    return TierResult(
        tier,
        figures(answered),
        calibration(map(_score_and_label, _answerable(tier, answered))),
        rate(sum(each.verdict.read for each in answered), len(answered)),
        *(round(float(each), 1) for each in np.quantile(times, (0.5, 0.99))),
    )


def _of_negatives(ordinary: list[Scored], answered: list[Answered]) -> Negatives:
    together = [*map(_score_and_label, answered), *((each.verdict.score, False) for each in ordinary)]
    return Negatives(tuple(alarms_by_source(ordinary)), tuple(alarms_on_titles(ordinary)), calibration(together))


def _score_and_label(each: Answered) -> tuple[float, bool]:
    return each.verdict.score, each.text.offer


def _answerable(tier: str, answered: list[Answered]) -> list[Answered]:
    """Those with a probability: the encoder alone has none in languages that it does not read."""
    return [each for each in answered if each.verdict.read] if tier == "encoder" else answered


def _language(each: Answered) -> str:
    return base_language(each.text.language)


def _functionality(each: Answered) -> str:
    return each.text.functionality
