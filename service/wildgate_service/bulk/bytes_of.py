"""Bytes of files that may be compressed: gzip by itself, Zstandard with pyarrow."""

from __future__ import annotations

import gzip
import io
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

from wildgate_service.bulk.blocks import Block
from wildgate_service.errors import WildgateError

COMPRESSIONS = (".gz", ".zst")
LEVEL = 6
BUFFER = 1 << 20


class Text:
    """The bytes of a text file from the middle on, decompressed by its ending."""

    def __init__(self, path: Path, at: int = 0) -> None:
        self._stack = ExitStack()
        self._raw = self._stack.enter_context(path.open("rb"))
        self.bytes: IO[bytes] = self._raw
        try:
            if is_compressed(path):
                self.bytes = self._stack.enter_context(_decompressed(self._raw, path.suffix))
                _skip(self.bytes, at)
            else:
                self._raw.seek(at)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def passed(self) -> int:
        """How much of the file, as it lies on disk, was read."""
        return self._raw.tell()


def is_compressed(path: Path) -> bool:
    """Whether its ending says so."""
    return path.suffix in COMPRESSIONS


def compressed(answers: bytes, ending: str) -> bytes:
    """Bytes as a whole member or frame, so that they can be appended to others; as they are unless the ending says otherwise."""
    if ending == ".gz":
        return gzip.compress(answers, LEVEL, mtime=0)
    if ending == ".zst":
        made: bytes = arrow().compress(answers, codec="zstd", asbytes=True)
        return made
    return answers


def view(path: Path, block: Block, most: int) -> IO[bytes]:
    """The bytes of a block, at most so many."""
    if block.data is not None:
        return io.BytesIO(block.data[:most])
    with path.open("rb") as file:
        file.seek(block.start.at)
        return io.BytesIO(file.read(min(block.end.at - block.start.at, most)))


def arrow() -> Any:  # noqa: ANN401  (a module without types)
    """`pyarrow`, or a clear error."""
    try:
        import pyarrow as pa  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise WildgateError("parquet and .zst need the extra: pip install 'wildgate-service[parquet]'") from error
    return pa


def _decompressed(raw: IO[bytes], ending: str) -> IO[bytes]:
    if ending == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), BUFFER)
    pa = arrow()
    return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"), BUFFER)


def _skip(file: IO[bytes], count: int) -> None:
    while count and (passed := len(file.read(min(count, BUFFER)))):
        count -= passed
