"""Files in other encodings than UTF-8."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wildgate_service.bulk.bytes_of import Text
from wildgate_service.errors import WildgateError

UTF_8 = ("utf-8", "utf-8-sig")
WIDE = ("utf-16", "utf-32")  # of which Python cannot keep a byte that they have not
CHUNK = 1 << 20


@contextmanager
def in_utf_8(source: Path, output: Path, encoding: str) -> Iterator[Path]:
    """The file in UTF-8: itself, or a copy beside the output that is gone at the end.

    Bytes that the encoding has not are kept as they are, so that their row is known to be wrong. Raises WildgateError.
    """
    name = codecs.lookup(encoding).name
    if name in UTF_8:
        yield source
        return
    copy = output.with_name(output.name + ".utf8")
    with ExitStack() as stack:
        stack.callback(copy.unlink, missing_ok=True)
        try:
            _copy(source, copy, encoding, "replace" if name.startswith(WIDE) else "surrogateescape")
        except (OSError, EOFError, UnicodeError) as error:
            raise WildgateError(f"{source} cannot be read as {encoding}: {error}") from error
        yield copy


def _copy(source: Path, copy: Path, encoding: str, errors: str) -> None:
    with Text(source) as text, copy.open("w", encoding="utf-8", errors="surrogateescape", newline="") as written:
        decoded = io.TextIOWrapper(text.bytes, encoding, errors, newline="")
        while chunk := decoded.read(CHUNK):
            written.write(chunk)
