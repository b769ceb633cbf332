"""Texts made from templates: offers as sellers of each language write them, each with a near twin that offers nothing, and talk.

    texts/<language>.yml ─slots filled from its lists and from the lexicons' forms→ GeneratedText

Nobody has real labeled offers outside English; these stand in for them in training and are never reported on. All is drawn from a seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from wildgate_service.errors import ModelError
from wildgate_service.groups import GROUPS
from wildgate_service.lexicon.rules import Rule
from wildgate_service.types import Level, RuleKind

TEXTS = Path(__file__).parent / "texts"
SLOT = re.compile(r"\{(\w+)\}")
FILLS_OF_OFFER, FILLS_OF_TALK = 12, 6  # texts from one template
FROM_LEXICON = 0.5  # share of slots for wildlife that a form of the lexicons fills, where the language has some
UNPROTECTED = frozenset({"mammoth"})  # a cover for ivory with a policy of its own: neither an offer here nor talk


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """Words for something wild, and its taxon group."""

    text: str
    group: str


class OfferTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """An offer, and nearly the same words that offer nothing wild."""

    kind: str
    text: str
    twin: str


class TalkTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """A text that names wildlife and offers none."""

    kind: str
    text: str


class Templates(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One language's file."""

    language: str
    parts: tuple[Named, ...]
    live: tuple[Named, ...]
    species: tuple[Named, ...]
    goods: tuple[str, ...]
    lawful: tuple[str, ...]
    prices: tuple[str, ...]
    amounts: tuple[str, ...]
    contacts: tuple[str, ...]
    places: tuple[str, ...]
    offers: tuple[OfferTemplate, ...]
    benign: tuple[TalkTemplate, ...]
    reviewed_by: str = ""

    @cached_property
    def lists(self) -> Mapping[str, tuple[str, ...]]:
        """What fills the slots that name nothing wild."""
        return {
            "goods": self.goods,
            "lawful": self.lawful,
            "price": self.prices,
            "amount": self.amounts,
            "contact": self.contacts,
            "place": self.places,
        }

    @cached_property
    def wild(self) -> Mapping[str, tuple[Named, ...]]:
        """What fills those that do."""
        return {"part": self.parts, "live": self.live, "species": self.species}


class GeneratedText(Struct, frozen=True):
    """A text to train on. Texts of one `template` must stay on one side of a split; `group` is "" where nothing wild is named."""

    template: str
    language: str
    kind: str
    text: str
    offer: bool
    group: str


def read_templates(path: Path) -> Templates:
    """The templates of one file. Raises ModelError that says what is wrong with it."""
    try:
        templates = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Templates)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ModelError(f"templates {path} cannot be read: {error}") from error
    problems = [*_unknown_slots(templates), *_unknown_groups(templates)]
    if problems:
        raise ModelError(f"templates {path}: {'; '.join(problems)}")
    return templates


def _unknown_slots(templates: Templates) -> Iterator[str]:
    known = {*templates.lists, *templates.wild}
    texts = [text for each in templates.offers for text in (each.text, each.twin)] + [each.text for each in templates.benign]
    for text in texts:
        yield from (f"unknown slot {{{slot}}} in {text!r}" for slot in SLOT.findall(text) if slot not in known)


def _unknown_groups(templates: Templates) -> Iterator[str]:
    for words in templates.wild.values():
        yield from (f"unknown taxon group {each.group} of {each.text!r}" for each in words if each.group not in GROUPS)


def generated_texts(folder: Path, rules: tuple[Rule, ...], groups: Mapping[str, str], seed: int) -> list[GeneratedText]:
    """Texts from every file of a folder. `groups` says to which taxon group a taxon of the rules belongs.

    Raises ModelError if there is no file or one is wrong.
    """
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise ModelError(f"no templates in {folder}; reinstall the service, or name their folder")
    found: dict[str, GeneratedText] = {}
    for file in files:
        templates = read_templates(file)
        words = _Words(templates, rules, groups)
        for each in _filled(templates, words, seed):
            found.setdefault(each.text, each)
    return list(found.values())


def _filled(templates: Templates, words: _Words, seed: int) -> Iterator[GeneratedText]:
    language = templates.language
    for number, offer in enumerate(templates.offers):
        name = f"{language}/offer-{number}"
        for fill in range(FILLS_OF_OFFER if SLOT.search(offer.text) else 1):
            chance = random.Random(f"{seed}/{name}/{fill}")  # noqa: S311  (a seed, no secret)
            chosen = words.choose(chance)
            yield _text(name, language, offer.kind, offer.text, chosen, offer=True)
            yield _text(name, language, f"{offer.kind}_twin", offer.twin, chosen, offer=False)
    for number, talk in enumerate(templates.benign):
        name = f"{language}/talk-{number}"
        for fill in range(FILLS_OF_TALK if SLOT.search(talk.text) else 1):
            chance = random.Random(f"{seed}/{name}/{fill}")  # noqa: S311
            yield _text(name, language, talk.kind, talk.text, words.choose(chance), offer=False)


def _text(name: str, language: str, kind: str, template: str, chosen: Mapping[str, Named], *, offer: bool) -> GeneratedText:
    slots = SLOT.findall(template)
    text = SLOT.sub(lambda slot: chosen[slot[1]].text, template)
    group = next((chosen[slot].group for slot in slots if chosen[slot].group), "")
    return GeneratedText(name, language, kind, text, offer, group)


class _Words:
    """What fills the slots of one language: its own lists, and forms of the lexicons."""

    def __init__(self, templates: Templates, rules: tuple[Rule, ...], groups: Mapping[str, str]) -> None:
        self._templates = templates
        products = list(_forms_of(rules, RuleKind.PRODUCT, templates.language, groups))
        species = list(_forms_of(rules, RuleKind.SPECIES, templates.language, groups))
        self._forms = {"part": products, "live": species, "species": species}

    def choose(self, chance: random.Random) -> dict[str, Named]:
        """One filling for every slot, so that an offer and its twin share what they can."""
        chosen = {slot: Named(chance.choice(words), "") for slot, words in self._templates.lists.items()}
        for slot, words in self._templates.wild.items():
            forms = self._forms[slot]
            chosen[slot] = chance.choice(forms if forms and chance.random() < FROM_LEXICON else words)
        return chosen


def _forms_of(rules: tuple[Rule, ...], kind: RuleKind, language: str, groups: Mapping[str, str]) -> Iterator[Named]:
    """Forms of one kind and language that need no company, with the group of their first taxon."""
    for rule in rules:
        if rule.kind is kind and rule.language == language:
            for entry in rule.entries:
                group = groups[(entry.taxa or rule.taxa)[0]]
                if rule.level_of(entry) is not Level.COMPANY_ONLY and entry.match != "amount" and group not in UNPROTECTED:
                    yield Named(entry.form, group)
