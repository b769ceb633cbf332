"""Texts written to try one thing each, in contrast pairs: what is found and what is let through, by functionality and language."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rates import Row, interval, print_table, shown
from scoring import Verdict, verdict
from wildgate_service.fuse import load_fusion
from wildgate_service.model.fusion import LabeledText, is_development
from wildgate_service.pipeline import MODELS, Engine
from wildgate_service.types import Listing

MEANING = (
    "Texts written by the project's authors without sight of the lexicons, not native-checked. They are short and invented: a "
    "share found here is no share of real offers. The weights of fusion are fitted on the development half (`wildgate model "
    "fuse`), so the figures to go by are those of the reported half; with_priors has the weights that were set by hand. Scored "
    "without language or market; with_language gives the totals when the platform says the language. Intervals: 95 %, Wilson. A "
    "contrast pair is right when its offer is not ALLOW and its benign twin is."
)

FIELDS = ("language", "functionality")
HEADS = ("offers not ALLOW", "offers BLOCK", "benign not ALLOW", "benign BLOCK", "pairs right")


class Text(LabeledText, frozen=True, kw_only=True):
    """One line of the file; what is not named here is for its readers."""

    functionality: str
    language: str

    @property
    def offer(self) -> bool:
        """Whether the text offers or seeks a specimen."""
        return self.expected == "offer"


@dataclass(frozen=True)
class Answered:
    """A text with its verdict."""

    text: Text
    verdict: Verdict

    @property
    def right(self) -> bool:
        """An offer that is not let through, or a benign text that is."""
        return self.text.offer == self.verdict.stopped


def read_texts(path: Path) -> list[Text]:
    """Read the file. Raises ValueError naming the line or the ids, never quoting a text."""
    texts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        try:
            texts += [msgspec.json.decode(line, type=Text)] if line.strip() else []
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}:{number} is no functional text: {error}") from error
    _check(texts, path)
    return texts


def _check(texts: list[Text], path: Path) -> None:
    """Raise ValueError for an unknown expectation, an id used twice, or a pair that is not mutual and of one offer and one benign text."""
    by_id = {text.id: text for text in texts}
    twice = [identifier for identifier, count in Counter(text.id for text in texts).items() if count > 1]
    unknown = [text.id for text in texts if text.expected not in {"offer", "benign"}]
    unpaired = [text.id for text in texts if text.pair and not _are_twins(text, by_id.get(text.pair))]
    for what, ids in (
        ("used twice", twice),
        ("neither offer nor benign", unknown),
        ("without a contrasting twin", unpaired),
    ):
        if ids:
            raise ValueError(f"{path}: {what}: {', '.join(ids)}")


def _are_twins(one: Text, other: Text | None) -> bool:
    return other is not None and other.pair == one.id and other.offer != one.offer


def measure(engine: Engine, path: Path) -> Row:
    """Score the texts of a file."""
    texts = read_texts(path)
    by_hand = msgspec.structs.replace(engine, fusion=load_fusion(MODELS / "fusion-priors"))
    answered = [_answered(engine, text, "") for text in texts]
    reported = [each for each in answered if not is_development(each.text)]
    return {
        "meaning": MEANING,
        "totals": _halves(answered),
        "with_language": _halves([_answered(engine, text, text.language) for text in texts]),
        "with_priors": _halves([_answered(by_hand, text, "") for text in texts]),
        "reported": {f"by_{field}": _grouped(reported, field) for field in FIELDS},
        "all": {f"by_{field}": _grouped(answered, field) for field in FIELDS},
    }


def _halves(answered: list[Answered]) -> Row:
    halves = {
        "reported": [each for each in answered if not is_development(each.text)],
        "development": [each for each in answered if is_development(each.text)],
        "all": answered,
    }
    return {name: {"n": len(half), **figures(half), "pairs": pair_accuracy(half)} for name, half in halves.items()}


def _answered(engine: Engine, text: Text, language: str) -> Answered:
    listing = Listing(title=text.title, description=text.description or "", content_kind=text.kind, language=language)
    return Answered(text, verdict(engine, listing))


def figures(answered: Iterable[Answered]) -> Row:
    """Recall of offers, at REVIEW or BLOCK and at BLOCK, and the share of benign texts that are not let through."""
    offers: list[Verdict] = []
    benign: list[Verdict] = []
    for each in answered:
        (offers if each.text.offer else benign).append(each.verdict)
    return {
        "offers_stopped": interval(sum(each.stopped for each in offers), len(offers)),
        "offers_blocked": interval(sum(each.blocked for each in offers), len(offers)),
        "benign_stopped": interval(sum(each.stopped for each in benign), len(benign)),
        "benign_blocked": interval(sum(each.blocked for each in benign), len(benign)),
    }


def pair_accuracy(answered: list[Answered]) -> Row:
    """Contrast pairs of which both texts are answered rightly."""
    by_id = {each.text.id: each for each in answered}
    pairs = [(each, by_id[each.text.pair]) for each in answered if each.text.offer and each.text.pair in by_id]
    return interval(sum(offer.right and twin.right for offer, twin in pairs), len(pairs))


def _grouped(answered: list[Answered], field: str) -> list[Row]:
    """Figures for each value of a field; a pair counts where its offer stands."""
    groups: dict[str, list[Answered]] = defaultdict(list)
    for each in answered:
        groups[getattr(each.text, field)].append(each)
    right = {each.text.id: each.right for each in answered}
    rows = []
    for value, members in sorted(groups.items()):
        pairs = [each.right and right[each.text.pair] for each in members if each.text.offer and each.text.pair]
        rows.append({field: value, "n": len(members), **figures(members), "pairs": interval(sum(pairs), len(pairs))})
    return rows


def print_tables(result: Row) -> None:
    """Print the totals by half, and both groupings of the reported half."""
    runs = (("", "totals"), (", language told", "with_language"), (", weights set by hand", "with_priors"))
    rows = [(f"{half}{name}", *_cells(figures)) for name, run in runs for half, figures in result[run].items()]
    print_table(f"Functional texts. {MEANING}", ("", *HEADS), rows)
    for field in FIELDS:
        groups = result["reported"][f"by_{field}"]
        print_table(f"Reported half by {field}", (field, *HEADS), [(row[field], *_cells(row)) for row in groups])


def _cells(row: Row) -> list[str]:
    return [shown(row[name]) for name in ("offers_stopped", "offers_blocked", "benign_stopped", "benign_blocked", "pairs")]
