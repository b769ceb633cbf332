"""What the heads are trained and tested on, read from the data folder and the lexicons.

None of these texts may leave the machine: the sets have no redistribution licence.
"""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wildgate_service.errors import ModelError
from wildgate_service.normalize.fold import name_emoji

LEATHER, TWEETS, NEGATIVES = "leather_titles.tsv", "ivory_tweets.tsv.gz", "negatives.tsv.gz"
TAXON_KINDS = frozenset({"species", "product", "code_word"})
UNPROTECTED = frozenset({"mammoth"})  # a cover for ivory, with a policy of its own; no offer here
HELD_OUT_SHARE = 5  # one negative in five is never trained on
PLATFORM_MARK = "| eBay"  # ends titles whatever their label; says nothing


@dataclass(frozen=True)
class LabeledText:
    """A row of a set labeled by people."""

    id: str
    text: str
    label: bool


@dataclass(frozen=True)
class Negative:
    """A real text without an offer of wildlife."""

    id: str
    language: str  # BCP 47, or two joined by a slash
    source_kind: str  # listing_title, search_query, product_review or social_post
    text: str


@dataclass(frozen=True)
class RuleExample:
    """A text that the author of a lexicon rule wrote to test it."""

    rule_id: str
    language: str
    text: str
    offer: bool  # whether it offers or seeks wildlife


def is_held_out(identifier: str) -> bool:
    """Whether a negative is kept for measuring false positives: sha256(id) % 5 == 0."""
    return int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0


def readable(text: str) -> str:
    """The text as the encoder will be given it in service: emoji written as words."""
    return text if text.isascii() else "".join(map(name_emoji, text))


def read_leather(data: Path) -> list[LabeledText]:
    """500 marketplace titles; label: a real animal product."""
    return [
        LabeledText(row["id"], readable(row["title"].removesuffix(PLATFORM_MARK)), row["label"] == "1") for row in read_rows(data / LEATHER)
    ]


def read_tweets(data: Path) -> list[LabeledText]:
    """8,676 tweets; label: promotes the sale of ivory."""
    return [LabeledText(row["id"], readable(row["text"]), row["label"] == "1") for row in read_rows(data / TWEETS)]


def read_negatives(data: Path, languages: Iterable[str]) -> list[Negative]:
    """Negatives all of whose languages are among the given ones."""
    wanted = set(languages)
    return [
        Negative(row["id"], row["lang"], row["source_kind"], readable(row["text"]))
        for row in read_rows(data / NEGATIVES)
        if wanted.issuperset(row["lang"].split("/"))
    ]


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file, packed or not; ModelError when it is not there."""
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"Training needs {path} ({error.strerror}); --data must name the folder that holds the data sets"
        raise ModelError(message) from error
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    yield from csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")


def read_rule_examples(lexicons: Path, languages: Iterable[str]) -> list[RuleExample]:
    """Examples of rules in the given languages, each text once; ModelError when there are none.

    Offers are the matches of rules on protected taxa. Their near misses and the texts of benign
    contexts are no offers, unless the same text is an offer elsewhere.
    """
    wanted = set(languages)
    rules = [rule for rule in read_rules(lexicons) if base_language(rule["language"]) in wanted]
    examples = {example.text: example for rule in rules for example in innocent_examples(rule)}
    examples |= {example.text: example for rule in rules for example in offer_examples(rule)}
    if not any(example.offer for example in examples.values()):
        message = f"No rules with examples under {lexicons / 'rules'}; --lexicons names the folder"
        raise ModelError(message)
    return sorted(examples.values(), key=lambda example: (example.rule_id, example.text))


def read_rules(lexicons: Path) -> Iterator[dict[str, Any]]:
    """Every rule in use, as written; ModelError when a file holds no rules."""
    for path in sorted((lexicons / "rules").rglob("*.yml")):
        try:
            rules = yaml.safe_load(path.read_text(encoding="utf-8")) or []
            yield from (rule for rule in rules if rule["status"] != "deprecated")
        except (yaml.YAMLError, KeyError, TypeError) as error:
            message = f"{path} is no list of rules ({error}); run `wildgate lexicon lint`"
            raise ModelError(message) from error


def base_language(tag: str) -> str:
    """The language of a BCP 47 tag without script and region."""
    return tag.partition("-")[0]


def is_about_protected(rule: dict[str, Any]) -> bool:
    """Whether a match of the rule is an offer of a protected taxon."""
    return rule["kind"] in TAXON_KINDS and not UNPROTECTED.issuperset(rule["taxa"])


def offer_examples(rule: dict[str, Any]) -> Iterator[RuleExample]:
    """What a rule on protected taxa must match."""
    if is_about_protected(rule):
        yield from examples_of(rule, "match", offer=True)


def innocent_examples(rule: dict[str, Any]) -> Iterator[RuleExample]:
    """What a rule on protected taxa must not match, and what a benign context must."""
    if is_about_protected(rule):
        yield from examples_of(rule, "no_match", offer=False)
    elif rule["kind"] == "benign_context":
        yield from examples_of(rule, "match", offer=False)


def examples_of(rule: dict[str, Any], key: str, *, offer: bool) -> Iterator[RuleExample]:
    """The texts under one key of a rule's examples."""
    language = base_language(rule["language"])
    for text in rule["examples"].get(key) or []:
        yield RuleExample(rule["id"], language, readable(str(text)), offer)
