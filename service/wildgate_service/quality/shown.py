"""An evaluation as text for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from wildgate_service.quality.comparison import Comparison, Paired
from wildgate_service.quality.figures import Figures
from wildgate_service.quality.measuring import Data, Evaluation, Negatives, TierResult
from wildgate_service.quality.rates import FEW, TOO_FEW, Rate, rate

HEADS = ("offers found", "offers BLOCK", "false alarms", "benign BLOCK", "pairs right")
TIER_HEADS = ("tier", "offers found", "false alarms", "pairs right", "calibration error", "read by encoder", "median µs", "p99 µs")
BAR = 40  # characters of a whole share
GAP = "  "

Row = Sequence[str]


def as_json(found: Evaluation) -> str:
    """All of it."""
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


def as_text(found: Evaluation) -> str:
    """What was measured on, tables, diagram, tiers, negatives, and the verdict last."""
    first = found.tiers[0]
    parts = (
        _head(found.data, found.versions),
        _table("by half", found.halves) if found.halves else iter(()),
        _table("by language", found.by_language),
        _table("by functionality", found.by_functionality),
        _crossed(found.pairs, sorted(found.by_language)),
        _diagram(first),
        _tiers(found.tiers),
        _negatives(found.negatives) if found.negatives else iter(()),
        _comparison(found.comparison) if found.comparison else iter(()),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def columns(rows: Sequence[Row]) -> Iterator[str]:
    """Rows in columns as wide as need be; the first is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def said(figure: Rate) -> str:
    """A rate with its interval, or that it says nothing."""
    if not figure.n:
        return "-"
    return f"{figure.k}/{figure.n} {TOO_FEW}" if figure.n < FEW else str(figure)


def _head(data: Data, versions: Mapping[str, str]) -> Iterator[str]:
    yield (
        f"{data.texts} texts ({data.offers} offers, {data.benign} benign, {data.pairs} pairs, {data.languages} languages; "
        f"half: {data.half}) from {', '.join(data.files)}"
    )
    yield data.meaning
    yield f"model {versions['model']}, lexicon {versions['lexicon']}, policy {versions['policy']}"


def _table(title: str, groups: Mapping[str, Figures]) -> Iterator[str]:
    rows: list[Row] = [(title, "texts", *HEADS)]
    for name, each in groups.items():
        shares = (each.offers_stopped, each.offers_blocked, each.benign_stopped, each.benign_blocked, each.pairs)
        rows.append((name, str(each.n), *map(said, shares)))
    yield from ("", *columns(rows))


def _crossed(cells: Mapping[str, Mapping[str, Rate]], languages: Sequence[str]) -> Iterator[str]:
    """Pairs right by functionality and language, k/n, and over all languages with the interval."""
    if not cells:
        return
    rows = [("pairs right", *languages, "all")]
    for name, row in cells.items():
        total = rate(sum(each.k for each in row.values()), sum(each.n for each in row.values()))
        rows.append((name, *(f"{row[one].k}/{row[one].n}" if one in row else "" for one in languages), said(total)))
    yield from ("", *columns(rows))


def _diagram(tier: TierResult) -> Iterator[str]:
    """Reliability: what was predicted beside what was observed."""
    yield ""
    error = "no data" if tier.calibration.error is None else f"{tier.calibration.error:.3f}"
    yield f"reliability, expected calibration error {error} over tenths of probability; | is what was predicted"
    rows = [("predicted", "observed", "texts", "")]
    for one in tier.calibration.bins:
        bar = list(("#" * round(one.observed * BAR)).ljust(BAR + 1))
        bar[round(one.predicted * BAR)] = "|"
        rows.append((f"{one.predicted:.2f}", f"{one.observed:.2f}", str(one.texts), "".join(bar)))
    yield from columns(rows)


def _tiers(tiers: Sequence[TierResult]) -> Iterator[str]:
    rows: list[Row] = [TIER_HEADS]
    for each in tiers:
        totals, error = each.totals, each.calibration.error
        shares = (totals.offers_stopped, totals.benign_stopped, totals.pairs)
        cost = (f"{each.median_microseconds:.0f}", f"{each.p99_microseconds:.0f}")
        rows.append((each.tier, *map(said, shares), "-" if error is None else f"{error:.3f}", f"{each.read_by_encoder.share:.0%}", *cost))
    yield from ("", *columns(rows))
    yield "all and lexicon (screen and encoder off) decide by the policy; screen and encoder alone by their probability, from one half."


def _negatives(found: Negatives) -> Iterator[str]:
    rows = [("held-out negatives", "source", "texts", "not ALLOW", "at most", "BLOCK", "at most", "")]
    for each in found.by_source:
        one = each.alarms
        shares = (str(one.not_allow), f"{one.not_allow_upper:.2%}", str(one.block), f"{one.block_upper:.2%}")
        rows.append((each.language, each.source_kind, str(one.n), *shares, one.note))
    yield from ("", *columns(rows))
    yield "no data of listing titles: " + (", ".join(each.language for each in found.titles if not each.alarms.n) or "none")
    texts = sum(one.texts for one in found.calibration.bins)
    yield f"expected calibration error of these and the labeled texts together, {texts}: {found.calibration.error or 0:.4f}"


def _comparison(found: Comparison) -> Iterator[str]:
    yield from ("", f"new {found.new}", f"old {found.old}", "exact McNemar test of each language, two-sided, 5 %")
    rows = [("language", "texts", "lost", "won", "points lost", "p", "")]
    rows += [_compared(each, found) for each in (*found.languages, *found.labels, *found.negatives)]
    yield from (*columns(rows), "", found.verdict)


def _compared(each: Paired, found: Comparison) -> tuple[str, str, str, str, str, str, str]:
    return each.name, str(each.n), str(each.lost), str(each.won), f"{each.points:.1f}", f"{each.p:.3f}", _note(each, found)


def _note(each: Paired, found: Comparison) -> str:
    return "worse" if each.worse else TOO_FEW if each in found.too_few else ""
