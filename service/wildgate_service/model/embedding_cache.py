"""Embeddings kept between trainings, by the hash of the text: training again takes seconds."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildgate_service.model.encoder import SentenceEncoder, Vectors

Keys = NDArray[np.void]
KEY = np.dtype("V16")


def default_embeddings() -> Path:
    """Where embeddings are kept unless another place is named."""
    return Path.home() / ".cache" / "wildgate" / "embeddings"


def text_key(text: str) -> bytes:
    """16 bytes that stand for a text; the text itself is not kept."""
    return hashlib.sha256(text.encode()).digest()[: KEY.itemsize]


class EmbeddingCache:
    """An encoder that embeds each text once, and remembers across runs."""

    def __init__(self, encoder: SentenceEncoder, folder: Path) -> None:
        """One file per encoder version in `folder`."""
        self._encoder = encoder
        self._path = folder / f"{encoder.config.name}-{encoder.config.version}.npz"
        self._vectors: dict[bytes, Vectors] = self._read()

    def __len__(self) -> int:
        """How many texts are known."""
        return len(self._vectors)

    @property
    def dimension(self) -> int:
        """Numbers of an embedding."""
        return self._encoder.config.dimension

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the encoder reads."""
        return self._encoder.config.languages

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors float32 [n, dimension], in the order of the texts."""
        missing = {text_key(text): text for text in texts}
        missing = {key: text for key, text in missing.items() if key not in self._vectors}
        if missing:
            vectors = self._encoder.embed(list(missing.values()))
            self._vectors.update(zip(missing, vectors, strict=True))
            self._write()
        return np.array([self._vectors[text_key(text)] for text in texts], np.float32).reshape(len(texts), self.dimension)

    def _read(self) -> dict[bytes, Vectors]:
        """What earlier runs left."""
        if not self._path.exists():
            return {}
        with np.load(self._path, allow_pickle=False) as archive:
            keys = [bytes(key) for key in archive["keys"]]
            return dict(zip(keys, archive["vectors"], strict=True))

    def _write(self) -> None:
        """Replace the file in one step."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            keys = np.frombuffer(b"".join(self._vectors), KEY)
            np.savez(file, keys=keys, vectors=np.array(list(self._vectors.values())))
        Path(draft).replace(self._path)
