"""Labels from what followed decisions: moderators' decisions, complaints, and notices upheld against listings that were allowed.

What people decided is a label; what software applied by itself never is, or the models would learn from themselves. Of one text the
strongest word counts, a decided complaint over a moderator's, and of these the latest. A listing that was allowed and then removed is
an offer only where a notice came before: without one nobody knows what it was removed for.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from wildgate_service.model.authored import AuthoredText, Origin
from wildgate_service.model.exported_texts import ExportedTexts, text_of
from wildgate_service.model.labeled_texts import BENIGN, OFFER, LabeledLine, base_language
from wildgate_service.normalize import fold
from wildgate_service.outcomes import Following, Means, OutcomeKind
from wildgate_service.types import Action, ContentKind, Listing

MODERATOR, COMPLAINT = "moderator", "complaint"
STRENGTHS = (MODERATOR, COMPLAINT)  # the weakest first
COMPLAINTS = {OutcomeKind.COMPLAINT_UPHELD: BENIGN, OutcomeKind.COMPLAINT_REJECTED: OFFER}
DECISIONS = {
    OutcomeKind.REMOVED: OFFER,
    OutcomeKind.RESTRICTED: OFFER,
    OutcomeKind.ACCOUNT_SUSPENDED: OFFER,
    OutcomeKind.ACCOUNT_TERMINATED: OFFER,
    OutcomeKind.CONFIRMED: OFFER,
    OutcomeKind.PUBLISHED: BENIGN,
    OutcomeKind.REINSTATED: BENIGN,
}
# Why an outcome is no label.
NO_DECISION = "decide nothing (held, notices and complaints received)"
AUTOMATION = "applied by automation alone"
UNKNOWN_MEANS = "by unknown means"
NO_NOTICE = "removals of what was allowed, without a notice"
NO_TEXT = "without a text"
EDITED = "whose text is not the one that was decided on (edited since, or exported in part)"
SEVERAL = "of a listing that was exported with several texts"
FIFTHS = 5  # one text in five is never trained on

Fits = Callable[[Following, Listing], bool]


class Word(Struct, frozen=True):
    """What somebody decided of a listing."""

    label: str
    strength: str
    told: Following

    @property
    def rank(self) -> tuple[int, tuple[int, int, str]]:
        """The strongest last, and of these the latest."""
        return STRENGTHS.index(self.strength), self.told.order


class Labels(Struct, frozen=True):
    """Labeled lines and how they came about.

    `words` counts decisions of people by strength and label, `left_out` outcomes by why they are no label; `disagreeing` are texts of
    which not all words were the same.
    """

    lines: tuple[LabeledLine, ...]
    outcomes: int
    words: dict[str, int]
    left_out: dict[str, int]
    disagreeing: int

    def __str__(self) -> str:
        offers = sum(line.label == OFFER for line in self.lines)
        counted = [f"{count} {name}" for name, count in (*self.words.items(), *self.left_out.items())]
        return (
            f"{self.outcomes} outcomes: {len(self.lines)} labeled texts ({offers} offers, {len(self.lines) - offers} benign; "
            f"on {self.disagreeing} people disagreed, the strongest and latest word counts)\n  " + "\n  ".join(counted)
        )


def label_outcomes(outcomes: Sequence[Following], texts: ExportedTexts, fits: Fits = lambda *_: True) -> Labels:
    """Label the texts that outcomes are about; `fits` says whether a listing is the one that was decided on."""
    words: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    by_text: dict[str, list[tuple[Word, Listing]]] = defaultdict(list)
    for word in _words(outcomes):
        found = word if isinstance(word, str) else _text_of(word.told, texts, fits)
        if isinstance(found, str):
            left_out[found] += 1
        elif isinstance(word, Word):
            words[f"by {word.strength}: {word.label}"] += 1
            by_text[text_of(found)].append((word, found))
    lines = tuple(_line(text, *max(said, key=lambda each: each[0].rank)) for text, said in sorted(by_text.items()))
    disagreeing = sum(len({word.label for word, _ in said}) > 1 for said in by_text.values())
    return Labels(lines, len(outcomes), dict(sorted(words.items())), dict(sorted(left_out.items())), disagreeing)


def is_held_out(line: LabeledLine) -> bool:
    """Whether a text is kept for measuring: SHA-256 of its skeleton % 5 == 0, so that the same ad in other letters stays on its side."""
    return int(hashlib.sha256(fold(line.text).encode()).hexdigest(), 16) % FIFTHS == 0


def trained_on(lines: Iterable[LabeledLine]) -> list[AuthoredText]:
    """The texts to train on: those that are not held out."""
    return [
        AuthoredText(Origin.OWN, line.source, base_language(line.language), line.text, line.label == OFFER, line.group)
        for line in lines
        if not is_held_out(line)
    ]


def _words(outcomes: Sequence[Following]) -> Iterator[Word | str]:
    """What each outcome says, or why it says nothing."""
    noticed: dict[tuple[str, str], tuple[int, int, str]] = {}
    for each in outcomes:
        if each.kind is OutcomeKind.NOTICE_RECEIVED:
            noticed[_subject(each)] = min(each.order, noticed.get(_subject(each), each.order))
    for each in outcomes:
        notice = noticed.get(_subject(each))
        yield _word(each, noticed=notice is not None and notice <= each.order)


def _subject(each: Following) -> tuple[str, str]:
    """The listing, else the request."""
    return each.tenant, each.listing_id or each.request_id


def _word(each: Following, *, noticed: bool) -> Word | str:
    label = COMPLAINTS.get(each.kind) or DECISIONS.get(each.kind)
    if label is None:
        return NO_DECISION
    if each.means is Means.AUTOMATED:
        return AUTOMATION
    strength = COMPLAINT if each.kind in COMPLAINTS else MODERATOR
    if strength == MODERATOR and each.means is not Means.MODERATOR:
        return UNKNOWN_MEANS
    if label == OFFER and each.asked in {Action.ALLOW, None} and not noticed:
        return NO_NOTICE
    return Word(label, strength, each)


def _text_of(told: Following, texts: ExportedTexts, fits: Fits) -> Listing | str:
    found = texts.find(told.request_id, told.listing_id, lambda listing: fits(told, listing))
    if len(found) > 1:
        return SEVERAL
    if found:
        return found[0]
    return EDITED if texts.knows(told.request_id, told.listing_id) else NO_TEXT


def _line(text: str, word: Word, listing: Listing) -> LabeledLine:
    told = word.told
    return LabeledLine(
        text=text,
        label=word.label,
        language=listing.language or told.language or "und",
        group=told.groups[0] if len(told.groups) == 1 and word.label == OFFER else "",
        source=f"{told.kind}:{told.listing_id or told.request_id}",
        kind=ContentKind(told.content_kind) if told.content_kind else listing.content_kind,
    )
