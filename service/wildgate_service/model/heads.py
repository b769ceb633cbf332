"""Heads over the sentence embedding: what a text is about, as calibrated probabilities.

A head is p = sigmoid(slope * (weights @ embedding + hidden(embedding) + bias) + offset). Most are linear; one that tells finer things apart
has a hidden layer, rectified, beside. Slope and offset are Platt's calibration (Platt 1999). What each head means, and on what it was
trained, stands in the card of its folder.
"""

import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from wildgate_service.errors import ModelError
from wildgate_service.model.encoder_folder import EncoderConfig

CONFIG_FILE, WEIGHTS_FILE = "config.json", "weights.npz"
KEPT_AS = {"inputs": np.float16, "bias": np.float32, "outputs": np.float16}  # parts of a hidden layer
GROUP = "group_"  # begins the name of a head that tells a taxon group
OWN_HEADS = "heads-v1"  # in an encoder's folder: heads that are used with it instead of those that ship
HINT = "reinstall the service, or run `wildgate model train` (with `--encoder FOLDER` for an encoder of your own)"
PROBES = ("Antique elephant ivory bangle for sale", "Red cotton summer dress, size M", "象牙手镯 出售 加微信", "Bán ngà voi thật giá rẻ")
FARTHEST = 0.1  # that a probability of a probe may be from what it was where the heads were trained

Vector = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vector]  # texts to unit vectors [n, dimension]


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
class Probe:
    """What the heads said of a text where they were trained."""

    text: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class HeadSetConfig:
    """config.json of a folder of heads."""

    version: str
    encoder_name: str
    encoder_version: str
    dimension: int
    weights_sha256: str
    heads: dict[str, HeadConfig]
    probes: tuple[Probe, ...] = ()


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

    def probe(self, embed: Embed) -> tuple[Probe, ...]:
        """What the heads say of the probes."""
        rows = embed(PROBES)
        return tuple(Probe(text, _rounded(self.probabilities(row))) for text, row in zip(PROBES, rows, strict=True))

    def check(self, embed: Embed) -> None:
        """ModelError unless the probes get about the probabilities that they got where the heads were trained.

        So a processor whose int8 arithmetic differs, or another build of the encoder, is noticed before anything is scored wrongly.
        """
        for probe in self.config.probes:
            found = self.probabilities(embed([probe.text])[0])
            for name, expected in probe.probabilities.items():
                if abs(found[name] - expected) > FARTHEST:
                    message = (
                        f"The encoder computes other vectors here than where the heads {self.config.version} were trained "
                        f"({name} of {probe.text!r}: {found[name]:.3f} instead of {expected:.3f}); build it anew on this machine, or "
                        "train heads on it with `wildgate model train`"
                    )
                    raise ModelError(message)

    @cached_property
    def _folded(self) -> tuple[Vector, Vector]:
        """Calibrated weights [heads, dimension] and biases [heads]."""
        heads = self.config.heads.values()
        slopes = np.array([[head.slope] for head in heads], np.float32)
        shifts = np.array([head.slope * head.bias + head.offset for head in heads], np.float32)
        return self.weights * slopes, shifts


def _rounded(probabilities: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in probabilities.items()}


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow."""
    return 0.5 * (1 + math.tanh(logit / 2))


def check_encoder(folder: Path, config: HeadSetConfig, encoder: EncoderConfig) -> None:
    """ModelError unless the heads were trained on this very encoder."""
    trained = (config.encoder_name, config.encoder_version, config.dimension)
    if trained != (encoder.name, encoder.version, encoder.dimension):
        message = (
            f"The heads in {folder} were trained for {trained[0]} {trained[1]}, not for {encoder.name} {encoder.version} "
            f"({trained[2]} and {encoder.dimension} numbers a vector); {HINT}"
        )
        raise ModelError(message)


def read_config(folder: Path) -> HeadSetConfig:
    """config.json of the folder; ModelError when it is missing or malformed."""
    path = folder / CONFIG_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=HeadSetConfig)
    except OSError as error:
        message = f"No heads at {folder}: {CONFIG_FILE} cannot be read ({error.strerror}); {HINT}"
        raise ModelError(message) from error
    except (ValueError, RecursionError) as error:
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
        parts = {name: [np.asarray(archive[_place(name, part)], np.float32) for part in KEPT_AS] for name in names}
        weights = np.asarray(archive["weights"], np.float32)
    if weights.shape != (len(config.heads), config.dimension):
        message = f"{path} holds weights {weights.shape}, its config says {(len(config.heads), config.dimension)}; {HINT}"
        raise ModelError(message)
    return weights, {name: Hidden(*arrays) for name, arrays in parts.items()}


def _place(head: str, part: str) -> str:
    """Where a part of a hidden layer is in the archive."""
    return f"{head}.{part}"


def write_heads(
    folder: Path,
    encoder: EncoderConfig,
    heads: dict[str, HeadConfig],
    weights: Vector,
    hidden: Mapping[str, Hidden] | None = None,
    embed: Embed | None = None,
) -> None:
    """Write config.json and weights.npz; `weights` has a row [dimension] per head, in order.

    The weights of hidden layers are kept as float16. With `embed`, what the written heads say of the probes is recorded too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    layers = {_place(name, part): getattr(layer, part).astype(KEPT_AS[part]) for name, layer in (hidden or {}).items() for part in KEPT_AS}
    np.savez(folder / WEIGHTS_FILE, weights=weights, **layers)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    identity = f"{folder.name}-{digest[:12]}"
    config = HeadSetConfig(identity, encoder.name, encoder.version, encoder.dimension, digest, heads)
    write_config(folder, config)
    if embed:
        write_config(folder, replace(config, probes=HeadSet.load(folder).probe(embed)))


def write_config(folder: Path, config: HeadSetConfig) -> None:
    """Write config.json, indented for people."""
    text = msgspec.json.format(msgspec.json.encode(asdict(config)), indent=2)
    (folder / CONFIG_FILE).write_bytes(text + b"\n")
