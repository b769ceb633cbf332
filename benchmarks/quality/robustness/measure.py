"""Counting what is found clean and disguised, for the service and its rivals alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from rates import Row, interval

from robustness.family import Family, disguised
from robustness.texts import HALVES, Form, Text, plain
from robustness.words import STRENGTHS, Strength


@dataclass(frozen=True)
class Answer:
    """What a filter says: whether it stops the text, and whether it says that it saw through a disguise."""

    stopped: bool
    named: bool = False


@dataclass(frozen=True)
class Filter:
    """Something that stops texts. `texts` are the ids it is asked about, `cells` the (family, strength) it is asked in; None: all."""

    name: str
    answer: Callable[[Form], Answer]
    texts: frozenset[str] | None = None
    cells: frozenset[tuple[str, str]] | None = None

    def asked(self, text: Text) -> bool:
        """Whether it is asked about a text."""
        return self.texts is None or text.id in self.texts

    def runs_in(self, family: str, strength: str) -> bool:
        """Whether it is asked under a disguise."""
        return self.cells is None or (family, strength) in self.cells


@dataclass
class Tally:
    """Counts for one filter in one cell; keys are (label, half, language)."""

    asked: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    stopped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    named: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, text: Text, answer: Answer) -> None:
        """Count one answer."""
        key = (text.label, text.half, text.language)
        self.asked[key] += 1
        self.stopped[key] += answer.stopped
        self.named[key] += answer.stopped and answer.named

    def share(self, label: str, half: str = "", language: str = "") -> Row:
        """Stopped of asked, with its interval; an empty name counts all."""
        return interval(_count(self.stopped, label, half, language), _count(self.asked, label, half, language))

    def named_share(self, half: str = "") -> Row:
        """Of the offers stopped, those whose answer names a view."""
        return interval(_count(self.named, "offer", half, ""), _count(self.stopped, "offer", half, ""))


def _count(counter: Counter[tuple[str, str, str]], *wanted: str) -> int:
    return sum(count for key, count in counter.items() if all(want in {"", have} for want, have in zip(wanted, key, strict=True)))


Clean = Mapping[str, Mapping[str, bool]]  # filter → text id → whether it stopped the plain text
Missed = Callable[[Family, Strength, Text, Form], None]


def measure_clean(filters: Iterable[Filter], texts: list[Text]) -> tuple[Row, dict[str, dict[str, bool]]]:
    """Recall and false alarms on plain texts, and what each filter said of each."""
    rows: Row = {}
    stopped: dict[str, dict[str, bool]] = {}
    for each in filters:
        tally = Tally()
        said = stopped.setdefault(each.name, {})
        for text in filter(each.asked, texts):
            answer = each.answer(plain(text))
            said[text.id] = answer.stopped
            tally.add(text, answer)
        rows[each.name] = _halves(tally, texts, "recall") | {
            "by_language": {name: tally.share("offer", language=name) for name in languages_of(texts)}
        }
    return rows, stopped


def measure_family(family: Family, filters: list[Filter], texts: list[Text], clean: Clean, seed: int, missed: Missed) -> Row:
    """One family at every strength, or why it was not run."""
    row: Row = {"levels": family.levels, "packages": {}}
    if missing := family.missing():
        return row | {"status": f"not run: package missing: {', '.join(missing)}"}
    row["packages"] = {distribution: version(distribution) for distribution, _ in family.packages}
    cells = {strength.name: _cell(family, strength, filters, texts, clean, seed, missed) for strength in STRENGTHS}
    return row | {"status": "run", "strengths": cells}


def _cell(family: Family, strength: Strength, filters: list[Filter], texts: list[Text], clean: Clean, seed: int, missed: Missed) -> Row:
    """A filter is asked about an offer that it stops when plain, and about a benign text that it lets through."""
    tallies = {each.name: Tally() for each in filters if each.runs_in(family.name, strength.name)}
    for text in texts:
        if (form := disguised(family, text, strength, seed)) is None:
            continue
        for each in filters:
            if each.name in tallies and each.asked(text) and clean[each.name][text.id] == (text.label == "offer"):
                answer = each.answer(form)
                tallies[each.name].add(text, answer)
                if each is filters[0] and text.label == "offer" and not answer.stopped:
                    missed(family, strength, text, form)
    rows = {name: _halves(tally, texts, "retained") for name, tally in tallies.items()}
    first = filters[0].name
    rows[first] |= {"named_view": tallies[first].named_share()}
    by_language = {name: tallies[first].share("offer", language=name) for name in languages_of(texts)}
    rows[first] |= {"by_language": {name: row for name, row in by_language.items() if row["n"]}}
    return rows


def _halves(tally: Tally, texts: list[Text], recall: str) -> Row:
    present = {text.half for text in texts}
    halves = {half: half for half in HALVES if half in present} | ({"all": ""} if len(present) > 1 else {})
    return {name: {recall: tally.share("offer", half), "false_alarms": tally.share("benign", half)} for name, half in halves.items()}


def languages_of(texts: Iterable[Text]) -> list[str]:
    """Languages in the order of the file."""
    return list(dict.fromkeys(text.language for text in texts))
