"""The linear heads: loading them, and what they make of an embedding."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import wildgate_service
from numpy.typing import NDArray
from wildgate_service.errors import ModelError
from wildgate_service.groups import GROUPS
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_folder import EncoderConfig
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.model.heads import (
    CONFIG_FILE,
    GROUP,
    WEIGHTS_FILE,
    HeadConfig,
    HeadSet,
    sigmoid,
    write_heads,
)
from wildgate_service.model.recipes import default_cache

COMMITTED = Path(wildgate_service.__file__).parent / "models" / "heads-v1"
Vector = NDArray[np.float32]
ENCODER = EncoderConfig(name="tiny", version="1", dimension=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two heads over an embedding of two numbers."""
    heads = {
        "first": HeadConfig("the first number", bias=1.0, slope=2.0, offset=-3.0, prior=0.5),
        "second": HeadConfig("the second number", bias=0.0, slope=1.0, offset=0.0, prior=0.5),
    }
    write_heads(tmp_path, ENCODER, heads, np.array([[4, 0], [0, 1]], np.float32))
    return tmp_path


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """The really built encoder."""
    return SentenceEncoder.load(build_encoder(default_cache()))


def test_probability_is_the_documented_formula(folder: Path) -> None:
    """A head gives sigmoid(slope * (weights @ embedding + bias) + offset)."""
    probabilities = HeadSet.load(folder).probabilities(np.array([0.5, -1.0], np.float32))
    expected = {"first": 1 / (1 + math.exp(-3)), "second": 1 / (1 + math.exp(1))}
    assert probabilities == pytest.approx(expected)


def test_logits_come_row_by_row(folder: Path) -> None:
    """Many embeddings are judged at once, each as if alone."""
    embeddings = np.array([[0.5, -1.0], [0.0, 2.0]], np.float32)
    expected = np.array([[3.0, -1.0], [-1.0, 2.0]], np.float32)
    np.testing.assert_allclose(HeadSet.load(folder).logits(embeddings), expected)


@pytest.mark.parametrize(("logit", "probability"), [(0.0, 0.5), (1e4, 1.0), (-1e4, 0.0)])
def test_sigmoid_never_overflows(logit: float, probability: float) -> None:
    """The ends of the scale are numbers, not errors."""
    assert sigmoid(logit) == probability


def test_heads_of_another_encoder_are_refused(folder: Path) -> None:
    """Weights mean nothing over embeddings that they were not trained on."""
    other = EncoderConfig(name="tiny", version="2", dimension=2)
    with pytest.raises(ModelError, match="trained for tiny 1, not for tiny 2"):
        HeadSet.load(folder, encoder=other)


def test_heads_of_this_encoder_are_taken(folder: Path) -> None:
    """The check passes for the encoder named in the config."""
    assert HeadSet.load(folder, encoder=ENCODER).names == ("first", "second")


def test_absent_heads_are_named(tmp_path: Path) -> None:
    """An empty folder is told with its path and the way out."""
    with pytest.raises(ModelError, match="wildgate model train"):
        HeadSet.load(tmp_path)


@pytest.mark.parametrize("config", ["", "[]", '{"heads": {}}'])
def test_malformed_config_is_named(folder: Path, config: str) -> None:
    """A config that is no config does not load."""
    (folder / CONFIG_FILE).write_text(config, encoding="utf-8")
    with pytest.raises(ModelError, match="malformed"):
        HeadSet.load(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    """A config without its weights does not load."""
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelError, match=WEIGHTS_FILE):
        HeadSet.load(folder)


def test_altered_weights_are_refused(folder: Path) -> None:
    """Weights that are not those of the training are never used."""
    data = bytearray((folder / WEIGHTS_FILE).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        HeadSet.load(folder)


def test_version_changes_with_the_weights(folder: Path, tmp_path: Path) -> None:
    """Every decision can name the exact weights behind it."""
    loaded = HeadSet.load(folder)
    other = tmp_path / folder.name
    write_heads(other, ENCODER, loaded.config.heads, loaded.weights + 1)
    assert HeadSet.load(other).config.version != loaded.config.version


def embed(texts: Sequence[str]) -> Vector:
    """An encoder that only measures length."""
    return np.array([[1.0, len(text) / 100] for text in texts], np.float32)


@pytest.fixture
def probed(folder: Path) -> HeadSet:
    """The two heads, with what they said of the probes."""
    heads = HeadSet.load(folder)
    write_heads(folder, ENCODER, heads.config.heads, heads.weights, embed=embed)
    return HeadSet.load(folder)


def test_heads_remember_what_they_said(probed: HeadSet) -> None:
    """Where the encoder computes the same, they are taken."""
    assert len(probed.config.probes) > 1
    probed.check(embed)


def test_an_encoder_that_computes_something_else_is_refused(probed: HeadSet) -> None:
    """As on a processor whose int8 products saturate: with the figures, before anything is scored wrongly."""
    with pytest.raises(ModelError, match=r"other vectors here .* \d\.\d+ instead of \d\.\d+"):
        probed.check(lambda texts: embed(texts) - np.float32(1))


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    """A config that promises more heads or numbers than there are."""
    config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    config["dimension"] = 3
    (folder / CONFIG_FILE).write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="its config says"):
        HeadSet.load(folder)


# --- the committed heads -------------------------------------------------------------------------


def test_committed_heads_fit_the_encoder_built_here(encoder: SentenceEncoder) -> None:
    """What this release builds is what its heads were trained on."""
    heads = HeadSet.load(COMMITTED, encoder=encoder.config)
    groups = {name.removeprefix(GROUP) for name in heads.names if name.startswith(GROUP)}
    assert groups < set(GROUPS)
    assert heads.names[:4] == ("wildlife_offer", "sale", "animal_product", "ivory_promotion")


@pytest.mark.parametrize(
    ("offer", "innocent"),
    [
        ("Real elephant ivory bangle, ships worldwide", "Ivory satin wedding dress, size M"),
        ("Vendo cuerno de rinoceronte auténtico", "Vestido de verano de algodón rojo"),
        ("出售穿山甲鳞片 加微信", "红色连衣裙 夏季新款"),
        ("Продаю бивень слона, недорого", "Красное летнее платье, размер M"),
    ],
)
def test_offers_outrank_innocent_listings(encoder: SentenceEncoder, offer: str, innocent: str) -> None:
    """In each of the main languages a plain offer scores above a plain dress."""
    heads = HeadSet.load(COMMITTED, encoder=encoder.config)
    one, other = (heads.probabilities(row) for row in encoder.embed([offer, innocent]))
    assert one["wildlife_offer"] > 0.5 > other["wildlife_offer"]


def test_committed_heads_say_here_what_they_said_in_training(encoder: SentenceEncoder) -> None:
    """On whatever processor this runs."""
    heads = HeadSet.load(COMMITTED, encoder=encoder.config)
    assert heads.config.probes
    heads.check(encoder.embed)


def test_card_belongs_to_the_weights() -> None:
    """The card names every head but those of groups, and the encoder of the folder it lies in."""
    config = HeadSet.load(COMMITTED).config
    card = (COMMITTED / "README.md").read_text(encoding="utf-8")
    names = [*(name for name in config.heads if not name.startswith(GROUP)), config.encoder_name, config.encoder_version]
    assert [name for name in names if name not in card] == []
