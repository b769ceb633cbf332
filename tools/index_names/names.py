"""From species to lexicon entries: scientific names, former ones, and the index's common names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from wildgate_service.normalize import fold

from index_names.decisions import Decisions, Species

NAME = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")
SHORTEST = 7
NAMELESS = re.compile(r"\b(spp?|species|genus|indet)\b")


@dataclass
class NamedForm:
    """A form, what it means, the taxa it names and how strong it is."""

    form: str
    gloss: str
    group: str
    taxa: list[str] = field(default_factory=list)
    level: str = "with_company"
    prefix: bool = False


def scientific_entries(species: list[Species], decisions: Decisions, known: set[str]) -> list[NamedForm]:
    """Accepted and former scientific names that no other rule has."""
    forms: dict[str, NamedForm] = {}
    levels = set(decisions.table["levels"]["ordinary"])
    for each in species:
        for name in _scientific_names(each, decisions):
            what = next(iter(each.names["en"]), each.name)
            gloss = f"scientific name of {what}" if name == each.name else f"other scientific name of {each.name}"
            entry = _named(forms, known, name, NamedForm(name.lower(), gloss, each.group), each)
            if entry and levels & {name, each.name, name.split(" ")[0]}:
                entry.level = "ordinary"
    genera = [
        NamedForm(name, f"genus {name.capitalize()}", group, [taxon])
        for group, names in decisions.table["genera"].items()
        for name, taxon in names.items()
    ]
    return [*forms.values(), *(genus for genus in genera if genus.form not in known)]


def _scientific_names(each: Species, decisions: Decisions) -> Iterator[str]:
    yield each.name
    yield from decisions.table["also"].get(each.name, ())
    if not each.in_index or each.group in decisions.table["names"]["former_names"]:
        yield from each.former[: decisions.table["names"]["longest_former_list"]]


def common_name_entries(species: list[Species], decisions: Decisions, known: set[str], language: str) -> list[NamedForm]:
    """Common names of several words, and the single words that name nothing else."""
    forms: dict[str, NamedForm] = {}
    single = set(decisions.table["names"]["single_words"][language])
    for each in species:
        for name in _common_names(each, decisions, language):
            entry = _named(forms, known, name, NamedForm(name, f"index name of {each.name}", each.group), each)
            if entry:
                entry.level = "company_only" if name in single else "with_company"
                entry.prefix = language == "en" and re.split("[ -]", name)[-1] not in decisions.table["names"]["begins_another"]
    return list(forms.values())


def _common_names(each: Species, decisions: Decisions, language: str) -> list[str]:
    """The names of a species that say what they mean without their context, as forms."""
    table = decisions.table["names"]
    if set(each.places) & {*table["untraded"], *decisions.table["levels"]["ordinary"]}:
        return []
    left_out = {_unhyphened(name) for name in table["left_out"][language]}
    names = [unicodedata.normalize("NFC", raw).replace("’", "'").lower() for raw in each.names[language]]
    usable = [name for name in names if NAME.fullmatch(name) and not NAMELESS.search(name) and _unhyphened(name) not in left_out]
    words = {name: len(re.split("[ -]", name)) for name in usable}
    said = [name for name in usable if name in table["single_words"][language] or (words[name] > 1 and len(name) >= SHORTEST)]
    distinct = {_unhyphened(name): name for name in said}  # a hyphen is no other name
    return sorted(distinct.values(), key=lambda name: words[name] > table["longest"])[: table["most"][language]]


def _unhyphened(name: str) -> str:
    return fold(name).replace("-", " ").strip()


def _named(forms: dict[str, NamedForm], known: set[str], name: str, new: NamedForm, each: Species) -> NamedForm | None:
    """The entry of a name, with the species among its taxa; None if another rule has the name."""
    key = fold(name).strip()
    if key in known:
        return None
    entry = forms.setdefault(key, new)
    if each.key not in entry.taxa:
        entry.taxa.append(each.key)
    return entry
