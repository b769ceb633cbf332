"""Training the screen and the heads: `wildgate model train`. Needs the data sets and the extra `train`."""

import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from wildgate_service.lexicon.rules import read_version
from wildgate_service.model.authored import read_authored
from wildgate_service.model.classifiers import TrainedHead
from wildgate_service.model.embedding_cache import EmbeddingCache, default_embeddings
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_folder import EncoderConfig
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.model.generated import TEXTS
from wildgate_service.model.heads import write_heads
from wildgate_service.model.model_card import render_card, render_screen_card
from wildgate_service.model.recipes import default_cache
from wildgate_service.model.reliability import draw_reliability
from wildgate_service.model.results import LabeledSetResults, OfferResults, Results, ScreenResults, this_machine
from wildgate_service.model.train_labeled import train_labeled
from wildgate_service.model.train_offers import train_offers
from wildgate_service.model.train_screen import train_screen
from wildgate_service.model.training_data import LEATHER, TWEETS, read_leather, read_negatives, read_tweets

CARD_FILE, DIAGRAM_FILE = "README.md", "reliability.svg"
SCREEN, HEADS = "screen-v1", "heads-v1"
OFFER = "wildlife_offer"
DESCRIPTIONS = {
    OFFER: "offers or seeks a specimen of a protected wild taxon",
    "animal_product": "is an item that is or was an animal, protected or not",
    "ivory_promotion": "promotes the sale of ivory, legal antiques and mammoth included",
}


def train_heads(
    data: Path,
    lexicons: Path,
    output: Path,
    seed: int,
    *,
    embeddings: Path | None = None,
    labeled: Path | None = None,
    templates: Path = TEXTS,
) -> Results:
    """Train screen and heads, write the folders `output`/screen-v1 and `output`/heads-v1 and return the figures.

    `data` holds the data sets, `lexicons` the rules, `templates` the texts to fill (`generated`), `labeled` a platform's own texts
    (`authored.LabeledLine`); `embeddings` is where
    embeddings are kept between trainings (default: the user's cache). Builds the encoder if need be. Takes some minutes on one core.
    Raises ModelError when something it needs is missing or wrong. `write_json` keeps figures.
    """
    start = time.monotonic()
    encoder = SentenceEncoder.load(build_encoder(default_cache()))
    cache = EmbeddingCache(encoder, embeddings or default_embeddings())
    heads, figures_of_labels = train_on_labels(data, cache, seed)
    written, negatives = read_authored(lexicons, seed, templates=templates, labeled=labeled), read_negatives(data)
    screen = train_screen(written, negatives, output / SCREEN)
    heads[OFFER], offers = train_offers(written, negatives, cache, read_version(lexicons), DESCRIPTIONS[OFFER], seed)
    figures = summary(encoder.config, seed, figures_of_labels, offers, screen)
    figures = replace(figures, seconds=round(time.monotonic() - start, 1))
    write_everything(output / HEADS, encoder.config, heads, figures)
    draw_reliability(
        output / HEADS / DIAGRAM_FILE, {OFFER: offers.calibration} | {key: one.calibration for key, one in figures.labeled.items()}
    )
    draw_reliability(output / SCREEN / DIAGRAM_FILE, {"screen": screen.calibration})
    (output / SCREEN / CARD_FILE).write_text(render_screen_card(SCREEN, figures), encoding="utf-8")
    return figures


def train_on_labels(data: Path, cache: EmbeddingCache, seed: int) -> tuple[dict[str, TrainedHead], dict[str, LabeledSetResults]]:
    """The heads whose texts were labeled by people, and their figures, by name."""
    sets = {
        "animal_product": (LEATHER, read_leather(data)),
        "ivory_promotion": (TWEETS, read_tweets(data)),
    }
    heads: dict[str, TrainedHead] = {}
    figures: dict[str, LabeledSetResults] = {}
    for name, (source, rows) in sets.items():
        embeddings = cache.embed([row.text for row in rows])
        description = DESCRIPTIONS[name]
        heads[name], figures[name] = train_labeled(rows, embeddings, source, description, seed)
    return heads, figures


def summary(
    encoder: EncoderConfig, seed: int, labeled: dict[str, LabeledSetResults], offers: OfferResults, screen: ScreenResults
) -> Results:
    """All figures, with what they were measured on."""
    return Results(
        machine=this_machine(),
        seed=seed,
        seconds=0.0,
        encoder=encoder.name,
        encoder_version=encoder.version,
        encoder_languages=encoder.languages,
        labeled=labeled,
        wildlife_offer=offers,
        screen=screen,
    )


def write_everything(output: Path, encoder: EncoderConfig, heads: dict[str, TrainedHead], figures: Results) -> None:
    """Write config, weights and card."""
    configs = {name: heads[name].config for name in DESCRIPTIONS}
    weights = np.array([heads[name].weights for name in DESCRIPTIONS], np.float32)
    hidden = {name: layer for name in DESCRIPTIONS if (layer := heads[name].hidden)}
    write_heads(output, encoder, configs, weights, hidden)
    (output / CARD_FILE).write_text(render_card(output.name, configs, figures), encoding="utf-8")


def write_json(path: Path, figures: Results) -> None:
    """Write the figures, indented for people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(figures), indent=2)
    path.write_bytes(text + b"\n")
