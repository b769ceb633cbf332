"""A year of decisions and what followed, drawn from a seed: small, and with every part that a report has."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from wildgate_service.outcomes import Ground, Means, NoticeSource, Outcome, OutcomeKind
from wildgate_service.record import make_record
from wildgate_service.types import Action, Decision, Level, Listing, Match, RuleKind, Taxon, Versions

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
KEY = bytes(range(32))
SPECIES = {
    "elephant": ("Loxodonta africana", "Elephas maximus"),
    "pangolin": ("Manis javanica", "Phataginus tricuspis"),
    "parrot": ("Psittacus erithacus", "Ara macao", "Cacatua sulphurea"),
    "marine_turtle": ("Eretmochelys imbricata",),
    "big_cat": ("Panthera tigris", "Panthera pardus"),
    "tortoise_turtle": ("Geochelone elegans",),
    "orchid": ("Paphiopedilum vietnamense",),
    "rhino": ("",),
    "eel": ("Anguilla anguilla",),
    "hornbill": ("Rhinoplax vigil",),
}
APPENDICES = {"elephant": "I", "parrot": "I", "orchid": "II", "eel": "II", "hornbill": "I"}
LANGUAGES = {"en": 40, "zh-Hans": 20, "vi": 14, "th": 10, "id": 8, "es": 4, "de": 3, "fr": 2, "sw": 1}
MARKETS = {"SG": 30, "VN": 20, "TH": 15, "ID": 12, "US": 10, "DE": 6, "FR": 4, "ES": 2, "KE": 1, "": 2}
VIEWS = {
    (): 60,
    ("leetspeak",): 12,
    ("misspelling",): 10,
    ("confusables", "separators"): 6,
    ("emoji",): 6,
    ("homophone",): 5,
    ("upside_down",): 1,
}


def draw(seed=1, *, decisions=4000, found=0.4, days=365):
    """Records in the order of time, and the outcomes that followed."""
    chance = random.Random(seed)  # noqa: S311
    records, outcomes = [], []
    for number in range(decisions):
        time = FIRST + timedelta(days=days) * (number / decisions)
        record = _record(chance, number, time, found=chance.random() < found)
        records.append(record)
        outcomes += _outcomes(chance, record)
    return records, outcomes


def _one_of(chance, weights):
    return chance.choices(list(weights), list(weights.values()))[0]


def _id(chance):
    return f"0198{chance.getrandbits(112):028x}"


def _record(chance, number, time, *, found):
    language, market = _one_of(chance, LANGUAGES), _one_of(chance, MARKETS)
    group = chance.choices(list(SPECIES), [40, 24, 20, 10, 9, 6, 5, 4, 2, 1])[0]
    action = chance.choice([Action.REVIEW, Action.BLOCK, Action.BLOCK]) if found else Action.ALLOW
    match = Match(
        rule_id="x", kind=RuleKind.PRODUCT, level=Level.ALONE, language=language, form="secret word", gloss="", surface="SECRET SURFACE",
        field="title", start=0, end=6, skeleton_start=0, skeleton_end=6, views=_one_of(chance, VIEWS), groups=(group,),
    )  # fmt: skip
    return make_record(
        Decision(
            action=action, shadow_action=action, shadow=False, score=0.9 if found else 0.01, language=language,
            taxa=(Taxon(group, chance.choice(SPECIES[group]), APPENDICES.get(group, "II")),) if found else (),
            matches=(match,) if found else (), evidence=(), reason="", notice="",
            versions=Versions("0.2.0" if time.month < 5 else "0.3.0", "2026.1" if time.month < 8 else "2026.2", "1.1.0"),
        ),
        Listing(id=f"listing-{number}", title="SECRET TITLE 5550199", market=market, seller_ref=f"seller-{number}"),
        tenant="acme", decision_id=f"{number:08x}-0000-7000-8000-000000000000", request_id=_id(chance), decided_time=time, tenant_key=KEY,
    )  # fmt: skip


def _outcomes(chance, record):
    """Most of what is refused is removed by software; what is held is judged; some is reported, complained of or put back."""
    kinds = OutcomeKind
    reference = _id(chance)[:12]
    steps = []
    if record.decision.action is Action.BLOCK and chance.random() < 0.95:
        steps.append((kinds.REMOVED, Means.AUTOMATED, 0.002, {"ground": Ground.ILLEGAL}))
    elif record.decision.action is Action.REVIEW:
        wait = chance.expovariate(1 / 20)
        kind = kinds.REMOVED if chance.random() < 0.8 else kinds.PUBLISHED
        steps.append((kind, Means.MODERATOR, wait, {"ground": Ground.TERMS} if kind is kinds.REMOVED else {}))
    elif chance.random() < 0.03:
        source = chance.choice([NoticeSource.ARTICLE_16, NoticeSource.ARTICLE_16, NoticeSource.TRUSTED_FLAGGER, NoticeSource.OTHER])
        steps.append((kinds.NOTICE_RECEIVED, Means.UNKNOWN, 30, {"notice_source": source, "reference": reference}))
        if chance.random() < 0.6:
            steps.append((kinds.REMOVED, Means.MODERATOR, 50, {}))
            steps.append((kinds.NOTICE_UPHELD, Means.MODERATOR, 50, {"notice_source": source, "reference": reference}))
        else:
            steps.append((kinds.NOTICE_REJECTED, Means.MODERATOR, 60, {"notice_source": source, "reference": reference}))
    if steps and steps[0][0] is kinds.REMOVED and chance.random() < 0.05:
        end = chance.choices([kinds.COMPLAINT_REJECTED, kinds.COMPLAINT_UPHELD, kinds.COMPLAINT_PARTLY_UPHELD], [7, 2, 1])[0]
        steps.append((kinds.COMPLAINT_RECEIVED, Means.UNKNOWN, 100, {"reference": reference}))
        if chance.random() < 0.9:
            steps.append((end, Means.MODERATOR, 100 + chance.expovariate(1 / 80), {"reference": reference}))
        if end is kinds.COMPLAINT_UPHELD:
            steps.append((kinds.REINSTATED, Means.MODERATOR, 500, {}))
    for kind, means, hours, fields in steps:
        time = record.decided_time + timedelta(hours=hours)
        yield Outcome(
            tenant="acme", outcome_id=_id(chance), kind=kind, means=means, decision_id=record.decision_id,
            occurred_time=time, recorded_time=time, **fields,
        )  # fmt: skip
