"""The sentences of a statement: a policy's templates, filled with the words of fixed lists and with nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources

from wildgate_service.outcomes import NoticeSource
from wildgate_service.policy import words
from wildgate_service.policy.check import known_markets
from wildgate_service.statements.facts import Goods, StatementFacts


def slots_of(facts: StatementFacts, automated_decision: str) -> dict[str, str]:
    """What fills the slots of a policy's templates."""
    subject, said = facts.measure.subject, _words()
    return {
        "groups": ", ".join(_groups(subject.groups)) or said["other"]["unnamed"],
        "goods": said["goods"][_goods(facts.goods)],
        "lists": ", ".join(dict.fromkeys(_lists(subject.appendices))) or said["other"]["unlisted"],
        "kind": said["kind"][subject.content_kind],
        "market": said["other"]["market"].format(market=subject.market) if subject.market in known_markets() else "",
        "source": said["source"][_source(facts)],
        "decided": said["decided"][automated_decision],
    }


def _groups(groups: Iterable[str]) -> Iterator[str]:
    names = words()["en"].groups
    return (names[group] for group in groups if group in names)


def _goods(goods: Mapping[str, Goods]) -> Goods:
    """What holds for all groups, if one thing does."""
    found = set(goods.values())
    return found.pop() if len(found) == 1 else Goods.UNKNOWN


def _lists(appendices: Iterable[str]) -> Iterator[str]:
    """Names of the lists that a record's appendices stand for: "I/II" is two of CITES', "EU A/B" two annexes of the Union's."""
    known = _words()["lists"]
    for appendix in filter(None, appendices):
        place, _, parts = appendix.rpartition(" ")
        for part in parts.split("/"):
            yield known.get(f"{place} {part}".strip(), _words()["other"]["national"])


def _source(facts: StatementFacts) -> str:
    if facts.measure.source is not NoticeSource.NONE:
        return facts.measure.source.value
    return "software" if facts.measure.found_by_software else "person"


@cache
def _words() -> dict[str, dict[str, str]]:
    text = (resources.files("wildgate_service") / "statements" / "words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
