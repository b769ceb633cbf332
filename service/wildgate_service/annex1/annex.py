"""Annex I as eleven sheets, each made by the module that knows what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wildgate_service.annex1 import appeals, automated, by_category, platform
from wildgate_service.annex1.facts import Facts
from wildgate_service.annex1.mapping import read_classification
from wildgate_service.annex1.quality import classifier_of, quality_of
from wildgate_service.annex1.template import Row, Sheet, template

if TYPE_CHECKING:
    from wildgate_service.annex1.about import About
    from wildgate_service.store import Store
    from wildgate_service.types import TransparencyReport

MAKERS: tuple[Callable[[Facts], list[Row]], ...] = (
    platform.identification,
    platform.categories,
    by_category.orders,
    by_category.notices,
    by_category.own_initiative_illegal,
    by_category.own_initiative_terms,
    appeals.appeals,
    automated.automated,
    platform.moderators,
    platform.recipients,
    platform.texts,
)


def make_annex(facts: Facts) -> list[Sheet]:
    """The sheets in the official order."""
    return [msgspec.structs.replace(sheet, rows=tuple(make(facts))) for sheet, make in zip(template().values(), MAKERS, strict=True)]


def facts_of_store(store: Store, report: TransparencyReport, *, policy: Path, about: About, tenant: str | None) -> Facts:
    """What the store holds of the days of a report. `policy` is the file by whose `[dsa]` tables listings stand in categories."""
    start, end = report.start, report.end
    measures, cases = store.measures(start, end, tenant=tenant), store.cases(start, end, tenant=tenant)
    subjects = [*(measure.subject for measure in measures), *(case.subject for case in cases)]
    goods = store.goods({subject.position for subject in subjects} - {0})
    return Facts(
        measures,
        cases,
        classification=read_classification(policy, goods),
        about=about,
        start=start,
        end=end,
        quality=list(quality_of(report, classifier_of(report))),
    )
