"""Training the heads: data, folds, figures. Skipped without the extra `train`."""

import gzip
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", reason="needs the extra train")

from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score
from wildgate_service.classify.screen import Screen, fold_digest
from wildgate_service.errors import ModelError
from wildgate_service.lexicon.rules import Rule
from wildgate_service.model.authored import AuthoredText, Origin, read_authored, read_labeled, readable, rule_examples
from wildgate_service.model.classifiers import (
    WORD,
    Classifier,
    EmbeddingClassifier,
    balanced,
    compare,
    fit_platt,
    tfidf,
)
from wildgate_service.model.classifiers import NgramClassifier as Ngrams
from wildgate_service.model.embedding_cache import EmbeddingCache
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.model.evaluation import (
    average_precision,
    best_threshold,
    bootstrap,
    f1,
    grouped_folds,
    share,
)
from wildgate_service.model.fusion import Weighed, fit_fusion, kept_texts
from wildgate_service.model.gains import area_under_roc, recall_beside_passed
from wildgate_service.model.heads import HeadSet
from wildgate_service.model.labeled_texts import LabeledLine
from wildgate_service.model.near_duplicates import near_duplicate_groups
from wildgate_service.model.outcome_labels import is_held_out as is_held_out_line
from wildgate_service.model.outcome_labels import trained_on
from wildgate_service.model.recipes import default_cache
from wildgate_service.model.reliability import reliability
from wildgate_service.model.train import train_heads, write_json
from wildgate_service.model.train_labeled import taught_by_written
from wildgate_service.model.train_offers import fit_hidden
from wildgate_service.model.training_data import (
    LabeledText,
    is_held_out,
    read_negatives,
    read_tweets,
)
from wildgate_service.pipeline import Engine
from wildgate_service.types import Listing

pytestmark = pytest.mark.train

SMALL = Path(__file__).parent.parent / "lexicons" / "small"


def rule(identifier: str, **changes: object) -> Rule:
    """A rule of three offers and one near miss."""
    fields = {
        "id": identifier,
        "title": identifier,
        "status": "test",
        "description": "Detects a thing",
        "language": "en",
        "taxa": ["elephant"],
        "kind": "product",
        "level": "alone",
        "entries": [{"form": "tusk", "gloss": "tusk"}],
        "falsepositives": [],
        "references": ["unreviewed"],
        "visibility": "public",
        "examples": {"match": [f"{identifier} tusk for sale {number}" for number in "abc"], "no_match": [f"{identifier} ivory dress"]},
        "author": "tests",
        "reviewed_by": "",
        "date": "2026-01-01",
        "modified": "2026-01-01",
    }
    return msgspec.convert(fields | changes, Rule)


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small folder of lexicons."""
    folder = tmp_path_factory.mktemp("small") / "lexicons"
    (folder / "rules" / "en").mkdir(parents=True)
    shutil.copy(SMALL / "rules.yml", folder / "rules" / "en")
    for name in ("taxa.csv", "protection.csv", "unions.csv"):
        shutil.copy(SMALL / name, folder)
    (folder / "VERSION").write_text("0.0.1\n", encoding="utf-8")
    return folder


# --- data ----------------------------------------------------------------------------------------


def test_absent_data_is_named(tmp_path: Path) -> None:
    """Whoever has no data sets learns which file is wanted, and by which option."""
    with pytest.raises(ModelError, match=r"ivory_tweets\.tsv\.gz.*--data"):
        read_tweets(tmp_path)


@pytest.mark.parametrize(("identifier", "held_out"), [("neg-000001", True), ("neg-000000", False)])
def test_held_out_rule(identifier: str, *, held_out: bool) -> None:
    """Which negatives are kept for measuring never changes: sha256(id) % 5 == 0."""
    assert is_held_out(identifier) is held_out


def test_negatives_of_other_languages_are_left_out(tmp_path: Path) -> None:
    """A mixture counts only if the encoder reads both of its languages."""
    rows = ["id\tlang\tsource_kind\tplatform\ttext"]
    rows += [f"{lang}\t{lang}\tlisting_title\tx\ty" for lang in ("en", "vi", "fr/en", "ms/en")]
    (tmp_path / "negatives.tsv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    found = [negative.language for negative in read_negatives(tmp_path, ["en", "fr"])]
    assert found == ["en", "fr/en"]


def labels_of(*rules: Rule) -> dict[str, bool]:
    """Label by text; what is an offer anywhere is one."""
    found = sorted(rule_examples(rules), key=lambda each: each.offer)
    return {each.text: each.offer for each in found}


def test_examples_are_labeled_by_their_key() -> None:
    """What a taxon rule must match is an offer, what it must not is none."""
    assert labels_of(rule("r")) == {
        "r tusk for sale a": True,
        "r tusk for sale b": True,
        "r tusk for sale c": True,
        "r ivory dress": False,
    }


@pytest.mark.parametrize("changes", [{"kind": "trade_cue", "taxa": []}, {"taxa": ["mammoth"]}], ids=["cue", "mammoth"])
def test_rules_that_are_no_offers_are_left_out(changes: dict[str, object]) -> None:
    """Cues and mammoth teach nothing."""
    assert not any("other" in text for text in labels_of(rule("r"), rule("other", **changes)))


def test_benign_contexts_are_innocent() -> None:
    """What a benign context must match is no offer."""
    assert labels_of(rule("r"), rule("c", kind="benign_context", taxa=[]))["c tusk for sale a"] is False


def test_ordinary_texts_weigh_as_real_ones_in_the_fusion() -> None:
    """Short ones and long ones that are no twin of an offer; a long one teaches it whatever its source's hash."""

    def written(source: str, kind: str, *, offer: bool = False) -> AuthoredText:
        return AuthoredText(Origin.WRITTEN, source, "en", f"{source} {kind} {offer}", offer=offer, kind=kind)

    texts = [written(f"en-{n}", "ordinary") for n in range(40)] + [written("en-d1", "description"), written("en-d2", "description")]
    texts += [written("en-d2", "description", offer=True), written("en-t", "talk")]
    weights = {each.listing.title: each.weight for each in kept_texts(texts)}
    short = [weight for title, weight in weights.items() if "ordinary" in title]
    assert (0 < len(short) < 40, set(short)) == (True, {5.0})
    assert (weights["en-d1 description False"], weights["en-d2 description False"], weights["en-d2 description True"]) == (5.0, 1.0, 1.0)


def test_one_template_in_four_is_kept() -> None:
    """What teaches the fusion never changes: sha256(template) % 4 == 0; rules' examples are never kept."""
    kept = [AuthoredText(Origin.TEMPLATE, f"en/offer-{number}", "en", "x", offer=True, kind="part").is_kept for number in range(400)]
    assert (70 < sum(kept) < 130, AuthoredText(Origin.EXAMPLE, "en-ivory", "en", "x", offer=True).is_kept) == (True, False)


def test_all_that_is_written_is_read_once(lexicons: Path, tmp_path: Path) -> None:
    """Rule examples, templates and a platform's own texts, each text with its source."""
    own = tmp_path / "own.jsonl"
    own.write_text('{"text": "rhino cup", "label": "offer", "language": "en"}\n', encoding="utf-8")
    sources = {each.source.partition("/")[0].partition(":")[0] for each in read_authored(lexicons, 0, labeled=read_labeled(own))}
    assert {"own.jsonl", "en", "zh-Hans"} < sources


def test_emoji_are_read_as_words() -> None:
    """Training sees an emoji as service will: as a word."""
    assert "elephant" in readable("🐘 bangle")


# --- groups and folds ----------------------------------------------------------------------------


def test_near_duplicates_share_a_group() -> None:
    """Numbers, case and masked names make no new text; other words do."""
    texts = ["Ivory box 12 cm {{URL}}", "ivory BOX 7 cm", "Red summer dress", "", "42"]
    groups = near_duplicate_groups(texts)
    assert (groups[0] == groups[1], groups[0] == groups[2], groups[3] == groups[4]) == (
        True,
        False,
        True,
    )


def test_no_group_is_on_both_sides() -> None:
    """A fold never tests on a group it was trained on."""
    groups = np.arange(60) // 3
    labels = groups % 2 == 0
    for train, test in grouped_folds(labels, groups, seed=0):
        assert not set(groups[train]) & set(groups[test])


# --- figures -------------------------------------------------------------------------------------


def test_upper_bound_of_nothing_found() -> None:
    """The rule of three: 0 of 3,000 is below one in a thousand."""
    assert share(0, 3000).upper == pytest.approx(0.001, abs=2e-6)


@pytest.mark.parametrize(("count", "of"), [(0, 0), (4, 4)])
def test_upper_bound_never_exceeds_one(count: int, of: int) -> None:
    """No data, or nothing but errors, bounds nothing."""
    assert share(count, of).upper == 1


def test_f1_by_hand() -> None:
    """One found, one missed, one called wrongly: F1 is one half."""
    labels, calls = np.array([True, True, False]), np.array([True, False, True])
    assert f1(labels, calls) == 0.5


def test_average_precision_equals_its_slow_twin() -> None:
    """Ties included, the fast figure is scikit-learn's."""
    random = np.random.default_rng(0)
    labels, scores = random.random(300) < 0.2, random.integers(0, 40, 300) / 7
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))


def test_best_threshold_separates() -> None:
    """Scores that separate give the lowest score of a positive."""
    labels = np.array([False, False, True, True])
    assert best_threshold(labels, np.array([-2.0, 0.5, 0.7, 3.0])) == 0.7


def test_bootstrap_keeps_groups_whole() -> None:
    """Two groups of equal values can only give the two values, or their mean."""
    groups, values = np.array([0, 0, 7, 7]), np.array([0.0, 0.0, 1.0, 1.0])
    seen: set[float] = set()

    def mean(places: NDArray[np.int64]) -> float:
        seen.add(float(values[places].mean()))
        return float(values[places].mean())

    interval = bootstrap(groups, 0, {"mean": mean})["mean"]
    assert (interval.value, interval.low, interval.high, seen) == (0.5, 0.0, 1.0, {0.0, 0.5, 1.0})


# --- classifiers ---------------------------------------------------------------------------------


def test_ngrams_equal_a_vectorizer_fitted_on_the_fold() -> None:
    """Counting once gives the features that fitting on the training texts alone would."""
    texts = ["ivory box ivory", "ivory ring", "red dress ring", "red box zebra"]
    train = np.array([0, 1, 2])
    classifier = Ngrams(texts)
    kinds = (
        {"ngram_range": (1, 2), "token_pattern": WORD},
        {"ngram_range": (2, 5), "analyzer": "char_wb"},
    )
    slow = []
    for options in kinds:
        vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True, **options)
        vectorizer.fit([texts[place] for place in train])
        slow.append(vectorizer.transform(texts))
    fast = hstack([tfidf(counts, train) for counts in classifier.counts])
    difference = csr_matrix(hstack(slow)) - csr_matrix(fast)
    assert abs(difference).max() == pytest.approx(0, abs=1e-12)


def test_stack_leans_on_the_better_part() -> None:
    """Of an informative and a random embedding, the stack follows the informative one."""
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2 == 0
    good = random.normal(size=(200, 4)).astype(np.float32)
    good[:, 0] += labels * 3
    bad = random.normal(size=(200, 4)).astype(np.float32)
    parts: dict[str, Classifier] = {
        "good": EmbeddingClassifier(good, np.ones(200)),
        "bad": EmbeddingClassifier(bad, np.ones(200)),
    }
    judged = compare(parts, labels, np.arange(200), seed=0)
    assert f1(labels, judged["all"].calls) > 0.85 > f1(labels, judged["bad"].calls)


def test_balanced_weights_even_the_classes() -> None:
    """Both classes weigh half, and a text weighs one on average."""
    labels = np.array([True, False, False, False])
    weights = balanced(labels, np.ones(4))
    assert (weights[labels].sum(), weights.sum()) == pytest.approx((2, 4))


def test_platt_recovers_the_odds() -> None:
    """Scores that are log odds already are left as they are."""
    random = np.random.default_rng(0)
    scores = random.normal(scale=2, size=40_000)
    labels = random.random(40_000) < 1 / (1 + np.exp(-scores))
    assert fit_platt(scores, labels, np.ones(40_000)) == pytest.approx((1, 0), abs=0.05)


def test_reliability_leaves_empty_tenths_out() -> None:
    """A bin holds its count, its mean probability and its share of positives."""
    bins = reliability(np.array([0.1, 0.12, 1.0]), np.array([False, True, True]), np.ones(3))
    assert [(one.texts, one.observed) for one in bins] == [(2, 0.5), (1, 1.0)]


# --- heads and what they add ---------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_vectors_that_point_one_way_are_learned_like_others(shift: float) -> None:
    """A large common part is centered away, and the layer that is kept undoes that."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(600, 16)).astype(np.float32)
    labels = vectors[:, 0] > 0
    vectors += np.float32(shift)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hidden, bias = fit_hidden(vectors, labels, np.ones(600), seed=0)
    assert ((hidden.scores(vectors) + bias > 0) == labels).mean() > 0.9


def test_area_under_roc_by_hand() -> None:
    """Of four pairs three are in order, one is a tie."""
    assert area_under_roc(np.array([True, True, False, False]), np.array([3.0, 2.0, 2.0, 1.0])) == 3.5 / 4


def test_recall_beside_a_tenth_that_passes() -> None:
    """The highest of ten others may stand above offers."""
    scores = np.array([8.5, 9.5, *range(10)])
    assert recall_beside_passed(np.arange(12) < 2, scores) == 1.0


# --- everything together -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """The really built encoder."""
    return SentenceEncoder.load(build_encoder(default_cache()))


def test_embeddings_are_kept(encoder: SentenceEncoder, tmp_path: Path) -> None:
    """A second run reads what the first one embedded."""
    first = EmbeddingCache(encoder, tmp_path).embed(["ivory", "dress", "ivory"])
    cache = EmbeddingCache(encoder, tmp_path)
    assert len(cache) == 2
    np.testing.assert_array_equal(cache.embed(["ivory", "dress", "ivory"]), first)


class Trained(NamedTuple):
    """What one training made, and the lines that a platform's people had labeled for it."""

    folder: Path
    results: Path
    lines: list[LabeledLine]


@pytest.fixture(scope="module")
def trained(
    lexicons: Path, invented_data: Path, english: dict[str, Path], first_encoder_alone: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """Models trained in one call on invented data, where people removed one word and let another stand."""
    folder = tmp_path_factory.mktemp("trained")
    words = (("zorblax", "offer"), ("quimbyjo", "benign"))
    lines = [LabeledLine(text=f"{word} number {n}", label=label, language="en", source=f"{n}") for word, label in words for n in range(60)]
    encoders = first_encoder_alone / "encoders"
    found = train_heads(invented_data, lexicons, folder, 0, embeddings=folder, labeled=trained_on(lines), encoders=encoders, **english)
    write_json(folder / "results.json", found)
    return Trained(folder, folder / "results.json", lines)


def test_training_writes_loadable_heads_and_their_card(encoder: SentenceEncoder, trained: Trained) -> None:
    """From invented data to heads, figures and a card."""
    assert HeadSet.load(trained.folder / "heads-v1", encoder=encoder.config).hidden.keys() == {"wildlife_offer", "sale"}
    assert Screen.load(trained.folder / "screen-v1", fold_digest()).logit("ivory tusk for sale, dm") > 0
    assert json.loads(trained.results.read_text())["labeled"]["animal_product"]["rows"] == 60
    cards = [(trained.folder / name / "README.md").read_text(encoding="utf-8") for name in ("heads-v1", "screen-v1")]
    assert ["{" in card for card in cards] == [False, False]


def test_outcomes_teach_the_models(trained: Trained) -> None:
    """A word that people removed, and one that they let stand, are told apart in texts that were held out."""
    screen = Screen.load(trained.folder / "screen-v1", fold_digest())
    held_out = [(screen.logit(line.text), line.label) for line in trained.lines if is_held_out_line(line)]
    benign, offers = ([logit for logit, label in held_out if label == wanted] for wanted in ("benign", "offer"))
    assert max(benign) < min(offers)


def test_a_fitted_fusion_says_what_it_was_fitted_on(engine: Engine) -> None:
    """So that it is refused beside other models."""
    texts = [Weighed(Listing(title=title), offer) for title, offer in (("elephant tusk for sale", True), ("ivory dress", False))]
    fitted = fit_fusion(engine, texts, "fusion-small")
    assert fitted.fitted_on == (engine.screen.version, engine.classifier.version)


def test_a_fusion_is_not_fitted_without_the_encoder(engine_without_encoder: Engine) -> None:
    """It would weigh what it never saw."""
    with pytest.raises(ModelError, match="the encoder is missing"):
        fit_fusion(engine_without_encoder, [], "fusion-small")


def test_what_written_texts_teach_does_not_depend_on_the_labels_of_the_set() -> None:
    """It is fitted on them alone, so that no fold can leak into it; without any there is no such classifier."""
    written = [
        LabeledText(f"w/{number}", f"{kind} strap number {number}", kind == "leather")
        for kind in ("leather", "rubber")
        for number in range(9)
    ]
    texts = ["leather strap", "rubber strap"]
    places = np.arange(2)
    for part in taught_by_written(texts, written).values():
        scores = part.scores(np.array([False, True]), places, places)
        assert scores[0] > scores[1]
    assert taught_by_written(texts, []) == {}
