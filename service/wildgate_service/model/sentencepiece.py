"""SentencePiece unigram model file -> tokenizer of the Rust `tokenizers` library.

The file is a protobuf (`sentencepiece_model.proto` of github.com/google/sentencepiece). Only the
few fields needed are read, by a minimal reader of the wire format, so that neither the library nor
its schema is required.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from wildgate_service.errors import ModelError

MODEL_PIECES, MODEL_NORMALIZER = 1, 3  # fields of ModelProto
PIECE_TEXT, PIECE_SCORE = 1, 2  # fields of SentencePiece
NORMALIZER_CHARSMAP = 2  # field of NormalizerSpec
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types of protobuf
VARINT_BITS, VARINT_MASK, VARINT_MORE, VARINT_MAX_SHIFT = 7, 0x7F, 0x80, 63

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
SPECIAL = frozenset({BEGIN, END, UNKNOWN, "<pad>", "<mask>"})

Piece = tuple[str, float]  # text and log probability
Field = tuple[int, int | bytes]  # number and value of one protobuf field


@dataclass(frozen=True)
class SentencePieceModel:
    """The vocabulary, in the order of the ids, and the precompiled character map; without a map the rule is `nmt_nfkc`."""

    pieces: tuple[Piece, ...]
    charsmap: bytes


def read_sentencepiece(data: bytes) -> SentencePieceModel:
    """Pieces and character map of a .model file; ModelError when it is none or is cut short."""
    try:
        return _read_model(data)
    except (KeyError, IndexError, TypeError, ValueError, struct.error) as error:
        message = f"sp.model is no intact SentencePiece model ({error}); get the wheel anew"
        raise ModelError(message) from error


def _read_model(data: bytes) -> SentencePieceModel:
    """What `read_sentencepiece` does, with the errors as they come."""
    pieces: list[Piece] = []
    charsmap = b""
    for number, value in _fields(data):
        if number == MODEL_PIECES:
            pieces.append(_piece(_bytes(value)))
        elif number == MODEL_NORMALIZER:
            charsmap = _bytes(dict(_fields(_bytes(value))).get(NORMALIZER_CHARSMAP, b""))
    return SentencePieceModel(tuple(pieces), charsmap)


def _piece(data: bytes) -> Piece:
    """Text and score of one SentencePiece message."""
    fields = dict(_fields(data))
    (score,) = struct.unpack("<f", _bytes(fields.get(PIECE_SCORE, bytes(4))))
    return _bytes(fields[PIECE_TEXT]).decode(), score


def _bytes(value: int | bytes) -> bytes:
    """The value of a field that the schema says holds bytes."""
    if isinstance(value, int):
        message = "a number where bytes belong"
        raise TypeError(message)
    return value


def _fields(data: bytes) -> Iterator[Field]:
    """Field by field of one protobuf message; fixed-width values stay bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _value(data, at, key & 7)
        yield key >> 3, value


def _value(data: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    """The value of wire type `wire` at `at`, and the position after it."""
    if wire == VARINT:
        return _varint(data, at)
    if wire == BYTES:
        size, at = _varint(data, at)
    elif wire in {FIXED32, FIXED64}:
        size = 4 if wire == FIXED32 else 8
    else:
        message = f"wire type {wire} at byte {at}"
        raise ValueError(message)
    if at + size > len(data):
        message = f"{size} bytes announced at byte {at}, {len(data) - at} left"
        raise ValueError(message)
    return data[at : at + size], at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The varint at `at`, and the position after it."""
    value = 0
    for shift in range(0, VARINT_MAX_SHIFT + 1, VARINT_BITS):
        byte = data[at]
        at += 1
        value |= (byte & VARINT_MASK) << shift
        if byte < VARINT_MORE:
            return value, at
    message = f"endless number before byte {at}"
    raise ValueError(message)


def sealed(piece: str) -> str:
    """The piece, with a blank in front if it is special, so that no text can be read as it.

    Blanks never reach the vocabulary (they become ▁): a seller's "<s>" stays plain text.
    """
    return f" {piece}" if piece in SPECIAL else piece


def build_tokenizer(model: SentencePieceModel) -> Tokenizer:
    """Tokenizer that adds begin and end; it neither truncates nor pads."""
    pieces = [(sealed(piece), score) for piece, score in model.pieces]
    ids = {piece: number for number, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=ids[sealed(UNKNOWN)], byte_fallback=False))
    tokenizer.normalizer = _normalizer(model.charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = _frame(ids[sealed(BEGIN)], ids[sealed(END)])
    return tokenizer


def _normalizer(charsmap: bytes) -> normalizers.Normalizer:
    """SentencePiece's normalization: the character map, then single blanks between words.

    `Precompiled` works character by character and would miss composed sequences (decomposed
    Vietnamese or Korean, half-width kana); NFKC in front composes them. `Nmt` and NFKC are what the rule `nmt_nfkc` maps, but for
    U+FF5E and U+1F23B.
    """
    steps = [
        *([] if charsmap else [normalizers.Nmt()]),
        normalizers.NFKC(),
        *([normalizers.Precompiled(charsmap)] if charsmap else []),
        normalizers.Strip(),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]
    return normalizers.Sequence(steps)


def _frame(begin: int, end: int) -> processors.TemplateProcessing:
    """Puts the ids `begin` and `end` around a text."""
    return processors.TemplateProcessing(
        single=["begin", "$A", "end"],
        special_tokens=[
            {"id": "begin", "ids": [begin], "tokens": [sealed(BEGIN)]},
            {"id": "end", "ids": [end], "tokens": [sealed(END)]},
        ],
    )
