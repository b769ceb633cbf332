"""A multilingual sentence encoder: texts in, unit vectors out.

Needs a folder that `wildgate model build` or `wildgate model export` made. It does not see emoji and rare characters, and
reads only the languages its config names: give it `readable_text`.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from wildgate_service.errors import ModelError
from wildgate_service.model.encoder_folder import (
    HINT,
    MODEL_FILE,
    TOKENIZER_FILE,
    EncoderConfig,
    check_sizes,
    read_config,
    verify_files,
)
from wildgate_service.model.quiet_runtime import onnxruntime

MOST_TOKENS = 128  # of one run: what it works on still lies in a core's cache, and beyond that a run costs more a token
BEGIN_AND_END = 2
INPUTS = ("attention_mask", "input_ids")

Row = tuple[int, ...]
Vectors = NDArray[np.float32]


class SentenceEncoder:
    """An encoder on one thread. Opened on first use, so that it can be made before a fork."""

    def __init__(self, folder: Path, config: EncoderConfig) -> None:
        """Use `load`."""
        self.folder = folder
        self.config = config

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The encoder in `folder`.

        Config, presence and size of the files are checked here and their hashes on first use: both
        raise ModelError. A service calls `open` when it wants to know at once.
        """
        config = read_config(folder)
        check_sizes(folder, config)
        return cls(folder, config)

    def open(self) -> Self:
        """Verify the hashes and open the model now (half a second), not on first use; ModelError if it is not what its config says."""
        vector = self.embed([""])
        if not np.isfinite(vector).all():
            message = f"{self.folder / MODEL_FILE} gives vectors that are no numbers; {HINT}"
            raise ModelError(message)
        return self

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are read; the rest is cut off."""
        return self.config.max_tokens

    def reads(self, language: str) -> bool:
        """Whether the encoder reads a language, given as a BCP 47 tag; regions are ignored."""
        return language.partition("-")[0].lower() in self.config.languages

    def token_count(self, text: str) -> int:
        """Tokens of the whole text, begin and end included; all are read if <= `max_tokens`."""
        return len(self._tokenizer.encode(self.config.prefix + text).ids)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors float32 [n, dimension], in the order of the texts.

        A text's vector does not depend on the other texts: texts run together only if they have equally many tokens, for padding moves
        the rounding of the sums that are quantized. What has the same tokens is read once. An empty text has a vector too.
        """
        rows = [self._ids(text) for text in texts]
        known: dict[Row, Vectors] = {}
        for length, alike in groupby(sorted(dict.fromkeys(rows), key=len), key=len):
            for batch in _parted(list(alike), max(1, min(self.config.batch, MOST_TOKENS // length))):
                known.update(zip(batch, self._run(batch), strict=True))
        return np.array([known[row] for row in rows], np.float32).reshape(len(rows), self.config.dimension)

    def _ids(self, text: str) -> Row:
        """Token ids with begin and end, at most `max_tokens`."""
        ids: list[int] = self._tokenizer.encode(self.config.prefix + text).ids
        return tuple(ids) if len(ids) <= self.max_tokens else (*ids[: self.max_tokens - 1], ids[-1])

    def _run(self, rows: Sequence[Row]) -> Vectors:
        """Unit vectors [rows, dimension] of rows of one length."""
        ids = np.array(rows, np.int64)
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.asarray(vectors, np.float32)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        """Splits text into the ids of its pieces."""
        path = self._intact_folder / TOKENIZER_FILE
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            message = f"{path} is no tokenizer that this version reads ({error}); {HINT}"
            raise ModelError(message) from error
        tokenizer.encode_special_tokens = True  # a seller's "</s>" is text
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        """Runs the model."""
        return open_session(self._intact_folder / MODEL_FILE, self.config.dimension)

    @cached_property
    def _intact_folder(self) -> Path:
        """The folder, once all its files have their recorded hashes; else ModelError."""
        verify_files(self.folder, self.config)
        return self.folder


def _parted(rows: list[Row], size: int) -> Iterator[list[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def open_session(path: Path, dimension: int) -> onnxruntime.InferenceSession:
    """A session on one thread that leaves the core alone between two runs; ModelError for a model that is not as its config says."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.x64quantprecision", "1")  # without VNNI, sums of int8 products would saturate
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base but this
        message = f"{path} is no model that ONNX Runtime {onnxruntime.__version__} opens ({error}); {HINT}"
        raise ModelError(message) from error
    given = {value.name for value in session.get_inputs()}, [value.shape[-1] for value in session.get_outputs()]
    if given != (set(INPUTS), [dimension]):
        message = f"{path} takes {sorted(given[0])} and gives widths {given[1]}, its config says {list(INPUTS)} and {[dimension]}; {HINT}"
        raise ModelError(message)
    return session
