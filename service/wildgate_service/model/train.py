"""Training the screen and the heads of encoders: `wildgate model train`. Needs the data sets and the extra `train`."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from scipy.special import logit

from wildgate_service.classify.screen import Screen, fold_digest
from wildgate_service.errors import ModelError
from wildgate_service.lexicon.rules import read_version
from wildgate_service.model.authored import WRITTEN, AuthoredText, read_authored, readable, to_train_on
from wildgate_service.model.classifiers import TrainedHead
from wildgate_service.model.disguised import disguised, ordinary_disguised
from wildgate_service.model.drowned import drowned
from wildgate_service.model.embedding_cache import EmbeddingCache, default_embeddings
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_folder import EncoderConfig
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.model.facts import facts_of, lexicons_alone
from wildgate_service.model.gains import gains_over_screen
from wildgate_service.model.generated import TEXTS
from wildgate_service.model.heads import OWN_HEADS, write_heads
from wildgate_service.model.model_card import render_card, render_screen_card
from wildgate_service.model.recipes import DEEP, default_cache, encoder_folder
from wildgate_service.model.reliability import draw_reliability
from wildgate_service.model.results import GroupResults, LabeledSetResults, OfferResults, Results, SaleResults, this_machine
from wildgate_service.model.train_groups import train_groups
from wildgate_service.model.train_labeled import train_labeled
from wildgate_service.model.train_offers import train_offers
from wildgate_service.model.train_sale import train_sale
from wildgate_service.model.train_screen import train_screen
from wildgate_service.model.training_data import LEATHER, TWEETS, read_leather, read_negatives, read_tweets, read_written_labels

SHIPPED = Path(__file__).parent.parent / "models"
CARD_FILE, DIAGRAM_FILE = "README.md", "reliability.svg"
SCREEN, HEADS, DEEP_HEADS = "screen-v1", "heads-v1", "heads-deep-v1"
OFFER, SALE = "wildlife_offer", "sale"
DESCRIPTIONS = {
    OFFER: "offers or seeks a specimen of a protected wild taxon",
    SALE: "sells or seeks something, whatever it is; a low one means talk: news, questions, petitions",
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
    labeled: Iterable[AuthoredText] = (),
    templates: Path = TEXTS,
    written: Path = WRITTEN,
    encoders: Path | None = None,
) -> Results:
    """Train screen and heads, write the folders `output`/screen-v1 and `output`/heads-v1 and return the figures.

    `data` holds the data sets, `lexicons` the rules, `templates` the texts to fill (`generated`), `written` those that stand by
    themselves, `labeled` a platform's own texts (`authored.read_labeled`); `embeddings` is where embeddings are kept between trainings,
    `encoders` where encoders are (default: the user's cache). Builds the encoder if need be; if the deep one was built, its heads are
    trained too, into `output`/heads-deep-v1. Takes some minutes on one core. Raises ModelError when something it needs is missing or
    wrong. `write_json` keeps figures.
    """
    start = time.monotonic()
    encoders = encoders or default_cache()
    encoder = SentenceEncoder.load(build_encoder(encoders))
    texts = Texts(data, lexicons, seed, templates, labeled, written)
    screen = train_screen([*texts.written, *texts.disguised], texts.negatives, output / SCREEN)
    loaded = Screen.load(output / SCREEN, fold_digest())
    figures = train_on(encoder, texts, output / HEADS, embeddings, loaded, drown=True)
    deep = encoder_folder(encoders, DEEP)
    if deep.exists() and texts.kept(DEEP.config.languages):
        figures = replace(figures, deep=train_deep(deep, texts, output, embeddings))
    draw_reliability(output / SCREEN / DIAGRAM_FILE, {OFFER: screen.calibration, SALE: screen.sale.calibration})
    figures = replace(figures, screen=screen, seconds=round(time.monotonic() - start, 1))
    (output / SCREEN / CARD_FILE).write_text(render_screen_card(SCREEN, figures, screen), encoding="utf-8")
    return figures


def train_own(
    encoder: Path,
    data: Path,
    lexicons: Path,
    seed: int,
    *,
    embeddings: Path | None = None,
    labeled: Iterable[AuthoredText] = (),
    templates: Path = TEXTS,
) -> Results:
    """Train heads for the encoder of a folder and put them into it, where the service finds them; the screen stays as it ships."""
    texts = Texts(data, lexicons, seed, templates, labeled)
    return train_on(SentenceEncoder.load(encoder), texts, encoder / OWN_HEADS, embeddings, Screen.load(SHIPPED / SCREEN, fold_digest()))


class Texts:
    """All that is trained on, each set read once, when it is first asked for."""

    def __init__(
        self,
        data: Path,
        lexicons: Path,
        seed: int,
        templates: Path = TEXTS,
        labeled: Iterable[AuthoredText] = (),
        written: Path = WRITTEN,
    ) -> None:
        """As `train_heads` has them."""
        self.data, self.lexicons, self.seed, self.folder = data, lexicons, seed, written
        self.lexicon_version = read_version(lexicons)
        self.written = to_train_on(read_authored(lexicons, seed, templates=templates, written=written, labeled=labeled))
        self.disguised = disguised(self.written, seed)
        negatives = read_negatives(data)
        self.negatives = [*negatives, *ordinary_disguised(negatives, seed)]

    def kept(self, languages: Sequence[str]) -> list[AuthoredText]:
        """Texts of kept templates in the languages."""
        return [each for each in self.written if each.is_kept and each.language in languages]


def train_deep(encoder: Path, texts: Texts, output: Path, embeddings: Path | None = None) -> Results:
    """Train the deep encoder's heads on the texts of its languages, into `output`/heads-deep-v1, beside the screen of `output`.

    It is trained on drowned texts too: without them it took offers among ordinary words for ordinary words.
    """
    loaded, screen = SentenceEncoder.load(encoder), Screen.load(output / SCREEN, fold_digest())
    return train_on(loaded, texts, output / DEEP_HEADS, embeddings, screen, labels=False, drown=True)


def train_on(
    encoder: SentenceEncoder,
    texts: Texts,
    output: Path,
    embeddings: Path | None,
    screen: Screen,
    *,
    labels: bool = True,
    drown: bool = False,
) -> Results:
    """Train the heads of one encoder into the folder `output`; with `labels` those too whose texts were labeled by people.

    With `drown` on drowned texts too. Raises ModelError if it reads no language of which there are texts.
    """
    start = time.monotonic()
    kept = texts.kept(encoder.config.languages)
    if not kept:
        message = (
            f"{encoder.folder} reads {' '.join(encoder.config.languages) or 'no language'}, of which there are no texts; see --languages"
        )
        raise ModelError(message)
    cache = EmbeddingCache(encoder, embeddings or default_embeddings())
    heads, figures_of_labels = train_on_labels(texts, cache) if labels else ({}, {})
    further = drowned(texts.written, texts.negatives, encoder.config.languages, texts.seed) if drown else []
    authored = [*texts.written, *texts.disguised, *further]
    offer, offers = train_offers(authored, texts.negatives, cache, texts.lexicon_version, DESCRIPTIONS[OFFER], texts.seed)
    sale, sales = train_sale(texts.written, texts.negatives, cache, DESCRIPTIONS[SALE], texts.seed)
    of_groups, groups = train_groups(texts.written, cache)
    heads = {OFFER: offer, SALE: sale} | heads | of_groups
    logits = logit(offer.probabilities(cache.embed([readable(each.text) for each in kept])))
    figures = replace(
        summary(encoder.config, texts.seed, figures_of_labels, offers, sales, groups),
        drowned=len(further),
        gains=gains_over_screen(kept, logits, screen, texts.seed),
        seconds=round(time.monotonic() - start, 1),
    )
    write_everything(output, encoder, heads, figures)
    return figures


def train_on_labels(texts: Texts, cache: EmbeddingCache) -> tuple[dict[str, TrainedHead], dict[str, LabeledSetResults]]:
    """The heads whose texts were labeled by people, and their figures, by name."""
    sets = {
        "animal_product": (LEATHER, read_leather(texts.data)),
        "ivory_promotion": (TWEETS, read_tweets(texts.data)),
    }
    lexicons = lexicons_alone(texts.lexicons)
    heads: dict[str, TrainedHead] = {}
    figures: dict[str, LabeledSetResults] = {}
    for name, (source, rows) in sets.items():
        found = [row.text for row in rows]
        embeddings, facts = cache.embed(found), facts_of(lexicons, found)
        description = DESCRIPTIONS[name]
        written = read_written_labels(name, texts.folder)
        heads[name], figures[name] = train_labeled(rows, embeddings, facts, source, description, texts.seed, written)
    return heads, figures


def summary(
    encoder: EncoderConfig,
    seed: int,
    labeled: dict[str, LabeledSetResults],
    offers: OfferResults,
    sales: SaleResults,
    groups: GroupResults,
) -> Results:
    """All figures, with what they were measured on."""
    return Results(
        machine=this_machine(),
        seed=seed,
        seconds=0.0,
        encoder=encoder.name,
        encoder_version=encoder.version,
        encoder_languages=encoder.languages,
        encoder_source=encoder.source,
        encoder_licence=encoder.licence,
        labeled=labeled,
        wildlife_offer=offers,
        sale=sales,
        groups=groups,
    )


def write_everything(output: Path, encoder: SentenceEncoder, heads: dict[str, TrainedHead], figures: Results) -> None:
    """Write config, weights, card and diagram."""
    configs = {name: head.config for name, head in heads.items()}
    weights = np.array([head.weights for head in heads.values()], np.float32)
    hidden = {name: head.hidden for name, head in heads.items() if head.hidden}
    write_heads(output, encoder.config, configs, weights, hidden, encoder.embed)
    (output / CARD_FILE).write_text(render_card(output.name, configs, figures), encoding="utf-8")
    calibrations = {OFFER: figures.wildlife_offer.calibration, SALE: figures.sale.calibration} | {
        key: one.calibration for key, one in figures.labeled.items()
    }
    draw_reliability(output / DIAGRAM_FILE, calibrations)


def write_json(path: Path, figures: Results) -> None:
    """Write the figures, indented for people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(figures), indent=2)
    path.write_bytes(text + b"\n")
