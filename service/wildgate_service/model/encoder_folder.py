"""The folder of an encoder, whoever made it: what its config says, whether it is intact."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from wildgate_service.errors import ModelError
from wildgate_service.model.wheel import file_sha256

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.onnx", "tokenizer.json", "config.json"
HINT = "run `wildgate model build` (or `model export`, if that made it) to make it anew"
FORMAT = 1  # of config.json and of what the model takes and gives


@dataclass(frozen=True)
class FileFacts:
    """What a file must be."""

    sha256: str  # hexadecimal
    size: int  # bytes


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """config.json of an encoder's folder.

    The model takes `input_ids` and `attention_mask` [batch, sequence] and gives unit vectors [batch, dimension]: pooling is in it, and
    `pooling` says which.
    """

    name: str
    version: str  # of what it was made from and how; what heads are trained for
    dimension: int
    max_tokens: int = 64  # of one window, begin and end included
    languages: tuple[str, ...] = ()  # BCP 47; those it was measured to read
    pooling: str = "mean"
    prefix: str = ""  # what the encoder was trained to find before every text
    batch: int = 32  # texts of one run; 1 where texts of one run would change each other's vectors
    source: str = ""
    licence: str = ""
    measured: dict[str, float] = field(default_factory=dict)  # by language, what `languages` was decided by
    format: int = FORMAT
    files: dict[str, FileFacts] = field(default_factory=dict)


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
    except (ValueError, RecursionError) as error:
        message = f"{path} is malformed ({error}); {HINT}"
        raise ModelError(message) from error
    if config.format != FORMAT:
        message = f"{path} is of format {config.format}, this version reads {FORMAT}; {HINT}"
        raise ModelError(message)
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
