"""Candidate forms for an analyst to accept: n-grams that offers have and ordinary listings have not, and the lexicon does not know.

Ranked by the log-odds ratio with an informative Dirichlet prior of Monroe, Colaresi and Quinn, "Fightin' Words" (Political Analysis
16(4), 2008, equations 15, 16, 19, 20 and 22): the prior is the n-gram's share in both files together, as heavy as the positives.
An n-gram counts once per listing, so that a text that repeats itself does not lead.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from wildgate_service.language import identify_language
from wildgate_service.lexicon.ngrams import Grams, Span, is_spaced, ngrams, order
from wildgate_service.match import find_contexts, match
from wildgate_service.match.tables import CompiledLexicon
from wildgate_service.normalize import NormalizedText, fold, normalize
from wildgate_service.types import TAXON_KINDS, Listing, Match, RuleKind

FEWEST = 3  # listings of the positives that must hold an n-gram
SIGNIFICANT = 1.96  # z-scores below are noise at 95 %
COMMON = 0.05  # share of ordinary listings above which a word is one of style, no code word
EXPLAINS = 0.8  # share of an n-gram's places that another must overlap to be the same finding
CONTEXTS = 3
CONTEXT_REACH = 32  # code points on either side

Places = dict[int, Span]  # number of a listing → span of its skeleton
Order = tuple[bool, int]  # words or characters, and how many


class Candidate(Struct, frozen=True):
    """An n-gram, its counts in listings, its z-score, the n-grams that it explains, and up to three places to read."""

    form: str
    z: float
    log_odds: float
    positives: int
    background: int
    explains: tuple[str, ...]
    contexts: tuple[str, ...]


class Suggestions(Struct, frozen=True):
    """Candidates, best first, and how many listings they come from."""

    candidates: tuple[Candidate, ...]
    positives: int
    background: int


class _Side:
    """Counts of one file: how many listings hold each n-gram, and the total of each order."""

    def __init__(self) -> None:
        self.listings = 0
        self.counts: Counter[str] = Counter()
        self.totals: Counter[Order] = Counter()

    def add(self, grams: Grams, wanted: frozenset[str] | None = None) -> None:
        self.listings += 1
        self.totals.update((is_spaced(gram), order(gram)) for gram in grams)
        self.counts.update(grams.keys() if wanted is None else grams.keys() & wanted)


class _Positives(_Side):
    """The same with the texts, and where in them each n-gram stands."""

    def __init__(self, listings: Iterable[Listing], reader: _Reader) -> None:
        super().__init__()
        self.texts: list[NormalizedText] = []
        self._places: dict[str, Places] = defaultdict(dict)
        for listing in listings:
            text, grams = reader.read(listing)
            if text is None:
                continue
            for gram, place in grams.items():
                self._places[gram][len(self.texts)] = place
            self.texts.append(text)
            self.add(grams)

    def places(self, gram: str) -> Places:
        """Where an n-gram stands first, in each listing that holds it."""
        return self._places[gram]


class _Reader:
    """Listings → n-grams that the lexicon does not know, of one language if one is asked for."""

    def __init__(self, lexicon: CompiledLexicon, language: str) -> None:
        self._lexicon = lexicon
        self._language = language.partition("-")[0].lower()
        self._taxa = {_bare(form.form) for form in lexicon.forms if lexicon.rules[form.rule].kind in TAXON_KINDS}
        self._forms = {_bare(form.form) for form in lexicon.forms}

    def read(self, listing: Listing) -> tuple[NormalizedText | None, Grams]:
        """The text and its n-grams; None if it is in another language."""
        text = normalize(listing)
        if self._language and identify_language(text.document, listing.language).partition("-")[0].lower() != self._language:
            return None, {}
        known = _spans(match(text, self._lexicon).taxa)
        cues = _spans(each for each in find_contexts(text, self._lexicon) if each.kind is not RuleKind.BENIGN_CONTEXT)
        return text, ngrams(text.skeleton, known, [span for span in cues if span[1] - span[0] > 1])

    def knows(self, gram: str) -> bool:
        """Whether an n-gram is a form, or holds one of a taxon rule: such a text is found already, or needs only company."""
        if gram in self._forms:
            return True
        return any(part in self._taxa for part in ngrams(gram))


def suggest(
    positives: Iterable[Listing], background: Iterable[Listing], lexicon: CompiledLexicon, *, language: str = "", top: int = 20
) -> Suggestions:
    """Candidates from two sets of listings, each read once; the positives are kept in memory."""
    reader = _Reader(lexicon, language)
    offers = _Positives(positives, reader)
    frequent = frozenset(gram for gram, count in offers.counts.items() if count >= FEWEST and not reader.knows(gram))
    ordinary = _Side()
    for listing in background:
        text, grams = reader.read(listing)
        if text is not None:
            ordinary.add(grams, frequent)
    scored = {gram: log_odds(gram, offers, ordinary) for gram in _uncommon(frequent, ordinary)}
    ranked = sorted((gram for gram in scored if scored[gram][1] >= SIGNIFICANT), key=lambda gram: (-scored[gram][1], gram))
    merged = sorted(itertools.islice(_merged(ranked, offers, ordinary), top), key=lambda lead: -scored[lead[0]][1])
    candidates = (
        Candidate(
            form=gram,
            z=round(scored[gram][1], 2),
            log_odds=round(scored[gram][0], 2),
            positives=offers.counts[gram],
            background=ordinary.counts[gram],
            explains=explained,
            contexts=tuple(_contexts(gram, offers)),
        )
        for gram, explained in merged
    )
    return Suggestions(tuple(candidates), offers.listings, ordinary.listings)


def log_odds(gram: str, offers: _Side, ordinary: _Side) -> tuple[float, float]:
    """(log-odds ratio, z-score) of an n-gram among those of its order."""
    kind = (is_spaced(gram), order(gram))
    counts = offers.counts[gram], ordinary.counts[gram]
    totals = offers.totals[kind], ordinary.totals[kind]
    weight = totals[0]
    prior = weight * sum(counts) / sum(totals)
    odds = [(count + prior) / max(total + weight - count - prior, prior) for count, total in zip(counts, totals, strict=True)]
    ratio = math.log(odds[0]) - math.log(odds[1])
    return ratio, ratio / math.sqrt(sum(1 / (count + prior) for count in counts))


def _uncommon(grams: Iterable[str], ordinary: _Side) -> Iterator[str]:
    """The n-grams that are not common in ordinary listings, and neither begin nor end with a word that is."""
    most = max(COMMON * ordinary.listings, FEWEST)
    for gram in grams:
        edges = {gram, *((gram.split()[0], gram.split()[-1]) if is_spaced(gram) else ())}
        if all(ordinary.counts[edge] <= most for edge in edges):
            yield gram


def _merged(ranked: list[str], offers: _Positives, ordinary: _Side) -> Iterator[tuple[str, tuple[str, ...]]]:
    """N-grams that stand at the same places, as one: the longest that nearly all of the strongest one's listings hold."""
    left = list(ranked)
    while left:
        lead = _longest(left[0], left, offers, ordinary)
        places = [offers.places(gram) for gram in {lead, left[0]}]
        same = [gram for gram in left if gram in {lead, left[0]} or any(_share(offers.places(gram), each) for each in places)]
        yield lead, tuple(gram for gram in same if gram != lead)
        gone = frozenset(same)
        left = [gram for gram in left if gram not in gone]


def _longest(strongest: str, ranked: list[str], offers: _Positives, ordinary: _Side) -> str:
    """The longest n-gram around the strongest that is nearly as frequent, and no less clean."""
    around = [gram for gram in ranked if strongest in gram and ordinary.counts[gram] <= ordinary.counts[strongest]]
    places = offers.places(strongest)
    holding = [gram for gram in around if _share(places, offers.places(gram))]
    return max(holding, key=lambda gram: (order(gram), -ranked.index(gram)), default=strongest)


def _share(places: Places, others: Places) -> bool:
    """Whether nearly all of some places are overlapped by others."""
    overlapped = sum(number in others and start < others[number][1] and others[number][0] < end for number, (start, end) in places.items())
    return overlapped >= EXPLAINS * len(places)


def _spans(matches: Iterable[Match]) -> list[Span]:
    return [(each.skeleton_start, each.skeleton_end) for each in matches]


def _contexts(gram: str, offers: _Positives) -> Iterator[str]:
    """The n-gram as sellers wrote it, with what stands beside it; each text once."""
    seen: set[str] = set()
    for number, (start, end) in offers.places(gram).items():
        text = offers.texts[number]
        first, last = text.source.span(start, end)
        context = " ".join(text.document[max(0, first - CONTEXT_REACH) : last + CONTEXT_REACH].replace("\x1f", " | ").split())
        if context not in seen:
            seen.add(context)
            yield context
        if len(seen) == CONTEXTS:
            return


def _bare(form: str) -> str:
    return fold(form).strip()
