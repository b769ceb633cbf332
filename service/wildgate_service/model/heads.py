"""Heads over the sentence embedding: what a text is about, as calibrated probabilities.

A head is p = sigmoid(slope * (weights @ embedding + hidden(embedding) + bias) + offset). Most are linear; one that tells finer things apart
has a hidden layer, rectified, beside. Slope and offset are Platt's calibration (Platt 1999). What each head means, and on what it was
trained, stands in the card of its folder.
"""

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from wildgate_service.errors import ModelError
from wildgate_service.model.encoder_folder import EncoderConfig

CONFIG_FILE, WEIGHTS_FILE = "config.json", "weights.npz"
PARTS = ("inputs", "bias", "outputs")  # of a hidden layer
HINT = "reinstall the service, or run `wildgate model train`"

Vector = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Hidden:
    """A hidden layer of a head: `inputs` [hidden, dimension], `bias` [hidden], `outputs` [hidden]."""

    inputs: Vector
    bias: Vector
    outputs: Vector

    def scores(self, embeddings: Vector) -> Vector:
        """What it adds to the log odds of embeddings [n, dimension]: float32 [n]."""
        return np.asarray(np.maximum(embeddings @ self.inputs.T + self.bias, 0) @ self.outputs, np.float32)


@dataclass(frozen=True)
class HeadConfig:
    """What config.json says of one head."""

    description: str  # what a probability near 1 means
    bias: float
    slope: float
    offset: float
    prior: float  # share of positives that the calibration assumes


@dataclass(frozen=True)
class HeadSetConfig:
    """config.json of a folder of heads."""

    version: str
    encoder_name: str
    encoder_version: str
    dimension: int
    weights_sha256: str
    heads: dict[str, HeadConfig]


@dataclass(frozen=True)
class HeadSet:
    """All heads of one folder. `weights` has a row [dimension] per head, in the config's order; `hidden` those that have a hidden layer."""

    config: HeadSetConfig
    weights: Vector
    hidden: Mapping[str, Hidden]

    @classmethod
    def load(cls, folder: Path, *, encoder: EncoderConfig | None = None) -> Self:
        """The heads in `folder`; ModelError if they are missing, damaged or not for `encoder`."""
        config = read_config(folder)
        if encoder is not None:
            check_encoder(folder, config, encoder)
        return cls(config, *read_weights(folder, config))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the heads, in the order of the columns."""
        return tuple(self.config.heads)

    def logits(self, embeddings: Vector) -> Vector:
        """Calibrated log odds float32 [n, heads] of embeddings [n, dimension]."""
        slopes, shifts = self._folded
        logits = embeddings @ slopes.T + shifts
        for name, hidden in self.hidden.items():
            logits[:, self.names.index(name)] += self.config.heads[name].slope * hidden.scores(embeddings)
        return logits

    def probabilities(self, embedding: Vector) -> dict[str, float]:
        """Calibrated probability of each head for one embedding [dimension]."""
        row = self.logits(embedding[None])[0]
        return dict(zip(self.names, map(sigmoid, row.tolist()), strict=True))

    @cached_property
    def _folded(self) -> tuple[Vector, Vector]:
        """Calibrated weights [heads, dimension] and biases [heads]."""
        heads = self.config.heads.values()
        slopes = np.array([[head.slope] for head in heads], np.float32)
        shifts = np.array([head.slope * head.bias + head.offset for head in heads], np.float32)
        return self.weights * slopes, shifts


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow."""
    return 0.5 * (1 + math.tanh(logit / 2))


def check_encoder(folder: Path, config: HeadSetConfig, encoder: EncoderConfig) -> None:
    """ModelError unless the heads were trained on this very encoder."""
    trained = (config.encoder_name, config.encoder_version)
    if trained != (encoder.name, encoder.version):
        message = f"The heads in {folder} were trained for {' '.join(trained)}, not for {encoder.name} {encoder.version}; {HINT}"
        raise ModelError(message)


def read_config(folder: Path) -> HeadSetConfig:
    """config.json of the folder; ModelError when it is missing or malformed."""
    path = folder / CONFIG_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=HeadSetConfig)
    except OSError as error:
        message = f"No heads at {folder}: {CONFIG_FILE} cannot be read ({error.strerror}); {HINT}"
        raise ModelError(message) from error
    except msgspec.DecodeError as error:
        message = f"{path} is malformed ({error}); {HINT}"
        raise ModelError(message) from error


def read_weights(folder: Path, config: HeadSetConfig) -> tuple[Vector, dict[str, Hidden]]:
    """The weights float32 [heads, dimension] and hidden layers; ModelError when they are missing or damaged."""
    path = folder / WEIGHTS_FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); {HINT}"
        raise ModelError(message) from error
    if hashlib.sha256(data).hexdigest() != config.weights_sha256:
        message = f"{path} is damaged: its SHA-256 is not the recorded one; {HINT}"
        raise ModelError(message)
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        names = [name for name in config.heads if _place(name, "inputs") in archive]
        parts = {name: [np.asarray(archive[_place(name, part)], np.float32) for part in PARTS] for name in names}
        return np.asarray(archive["weights"], np.float32), {name: Hidden(*arrays) for name, arrays in parts.items()}


def _place(head: str, part: str) -> str:
    """Where a part of a hidden layer is in the archive."""
    return f"{head}.{part}"


def write_heads(
    folder: Path, encoder: EncoderConfig, heads: dict[str, HeadConfig], weights: Vector, hidden: Mapping[str, Hidden] | None = None
) -> None:
    """Write config.json and weights.npz; `weights` has a row [dimension] per head, in order. Hidden layers are kept as float16."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = {_place(name, part): getattr(layer, part).astype(np.float16) for name, layer in (hidden or {}).items() for part in PARTS}
    np.savez(folder / WEIGHTS_FILE, weights=weights, **layers)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    identity = f"{folder.name}-{digest[:12]}"
    config = HeadSetConfig(identity, encoder.name, encoder.version, encoder.dimension, digest, heads)
    text = msgspec.json.format(msgspec.json.encode(asdict(config)), indent=2)
    (folder / CONFIG_FILE).write_bytes(text + b"\n")
