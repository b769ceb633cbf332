"""Outcomes in the store: what they say, and what corrects them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wildgate_service.outcomes import (
    Ground,
    Means,
    Misuse,
    NoticeSource,
    OutcomeKind,
    Restriction,
    wrong_fields,
)
from wildgate_service.report import make_report
from wildgate_service.store import open_store

from .conftest import NOON

DAY = NOON.date()


@pytest.fixture
def store(url):
    with open_store(url) as opened:
        yield opened


def counted(store):
    """Outcomes in force, by kind."""
    facts = store.report_facts(DAY, DAY, tenant="acme")
    return make_report(facts, tenant="acme", start=DAY, end=DAY, generated_time=NOON).outcomes


def test_a_correction_takes_the_place_of_what_it_corrects(store, samples):
    """Both are kept, one counts."""
    first = samples.outcome(OutcomeKind.REMOVED, request_id=samples.uuid())
    second = samples.outcome(OutcomeKind.PUBLISHED, request_id=first.request_id, corrects=first.outcome_id, hours=2)
    store.append_outcomes([first, second])
    assert counted(store) == {"published": 1}


def test_a_correction_may_come_first(store, samples):
    """Outcomes arrive in any order."""
    first = samples.outcome(OutcomeKind.REMOVED, request_id=samples.uuid())
    store.append_outcomes([samples.outcome(OutcomeKind.PUBLISHED, request_id=first.request_id, corrects=first.outcome_id)])
    store.append_outcomes([first])
    assert counted(store) == {"published": 1}


def test_of_two_corrections_the_one_recorded_last_counts(store, samples):
    """And the other is kept."""
    first = samples.outcome(OutcomeKind.REMOVED, request_id=samples.uuid())
    corrections = [
        samples.outcome(kind, request_id=first.request_id, corrects=first.outcome_id, recorded_time=NOON + timedelta(hours=hours))
        for kind, hours in ((OutcomeKind.HELD, 5), (OutcomeKind.PUBLISHED, 4))
    ]
    store.append_outcomes([first, *corrections])
    assert counted(store) == {"held": 1}


def test_a_correction_can_be_corrected(store, samples):
    """Only the end of the chain counts."""
    first = samples.outcome(OutcomeKind.REMOVED, request_id=samples.uuid())
    second = samples.outcome(OutcomeKind.HELD, request_id=first.request_id, corrects=first.outcome_id)
    third = samples.outcome(OutcomeKind.PUBLISHED, request_id=first.request_id, corrects=second.outcome_id)
    store.append_outcomes([third, first, second])
    assert counted(store) == {"published": 1}


def test_what_was_withdrawn_does_not_count(store, samples):
    """Nor does the withdrawal."""
    first = samples.outcome(OutcomeKind.REMOVED, request_id=samples.uuid())
    withdrawn = samples.outcome(OutcomeKind.WITHDRAWN, request_id=first.request_id, corrects=first.outcome_id)
    store.append_outcomes([first, withdrawn])
    assert counted(store) == {}


def test_a_correction_is_of_its_own_tenant(store, samples):
    """One tenant cannot undo what another recorded."""
    first = samples.outcome(OutcomeKind.REMOVED, request_id=samples.uuid())
    other = samples.outcome(OutcomeKind.WITHDRAWN, request_id=first.request_id, corrects=first.outcome_id, tenant="other")
    store.append_outcomes([first, other])
    assert counted(store) == {"removed": 1}


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        (OutcomeKind.PUBLISHED, {"restrictions": (Restriction.VISIBILITY_REMOVED,)}, ["restrictions"]),
        (OutcomeKind.REMOVED, {"notice_source": NoticeSource.ARTICLE_16}, ["notice_source"]),
        (OutcomeKind.REMOVED, {"misuse": Misuse.ILLEGAL_CONTENT}, ["misuse"]),
        (OutcomeKind.ORDER_RECEIVED, {}, ["authority"]),
        (OutcomeKind.ORDER_RECEIVED, {"authority": "Sweden"}, ["authority"]),
        (OutcomeKind.REMOVED, {"authority": "SE"}, ["authority"]),
        (OutcomeKind.WITHDRAWN, {}, ["corrects"]),
        (OutcomeKind.COMPLAINT_RECEIVED, {"reference": "Jane Doe, 5th Street"}, ["reference"]),
        (OutcomeKind.NOTICE_RECEIVED, {"items": 0}, ["items"]),
        (OutcomeKind.REMOVED, {"territories": ("sweden",)}, ["territories"]),
        (OutcomeKind.REMOVED, {"ground": Ground.TERMS, "means": Means.MODERATOR, "territories": ("SE", "DE")}, []),
        (OutcomeKind.ORDER_RECEIVED, {"authority": "SE", "items": 3, "reference": "A-7"}, []),
        (OutcomeKind.ACCOUNT_SUSPENDED, {"misuse": Misuse.UNFOUNDED_NOTICES}, []),
    ],
)
def test_fields_that_do_not_go_together_are_named(samples, kind, fields, wrong):
    """Before anything is recorded."""
    assert list(wrong_fields(samples.outcome(kind, request_id=samples.uuid(), **fields))) == wrong
