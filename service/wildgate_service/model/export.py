"""Any sentence-transformers model as an encoder's folder: `wildgate model export`. Needs the extra `export`.

The model's own modules (transformer, pooling, dense layers) become one ONNX graph that ends in unit vectors; its products are made int8 by
ONNX Runtime's dynamic quantization, and what comes out is held against the original before it is kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from msgspec import Struct
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from wildgate_service.errors import ModelError
from wildgate_service.model.building import write_folder
from wildgate_service.model.encoder import SentenceEncoder, Vectors
from wildgate_service.model.encoder_folder import MODEL_FILE, TOKENIZER_FILE, EncoderConfig, describe_file, write_config
from wildgate_service.model.onnx_graph import INPUTS, OUTPUT
from wildgate_service.model.parallel import languages_read, read_phrases, shares_found
from wildgate_service.model.wheel import file_sha256

LEAST_MEAN, LEAST = 0.98, 0.95  # cosines to the original, over all phrases
LONG = "one rather long description of a wooden table with four legs " * 20  # beyond every window
FLOAT, INT8 = "float.onnx", "int8"


class ExportOptions(Struct, frozen=True):
    """How to export. `languages`, if given, are believed; else those are measured that `parallel` has phrases of."""

    max_tokens: int = 64
    prefix: str = ""
    languages: tuple[str, ...] = ()
    quantize: bool = True
    licence: str = "not stated"


class Parity(Struct, frozen=True):
    """Cosines between the exported encoder and the original."""

    texts: int
    mean: float
    lowest: float

    def __str__(self) -> str:
        return f"cosine to the original over {self.texts} texts: mean {self.mean:.4f}, lowest {self.lowest:.4f}"


def export_encoder(name: str, output: Path, options: ExportOptions) -> tuple[EncoderConfig, Parity]:
    """Write the folder `output` from a model's name or folder. Raises ModelError, which says what to do; then nothing is left behind."""
    if output.exists():
        message = f"{output} exists already; name another folder, or remove it first"
        raise ModelError(message)
    model = load(name, options)
    with tempfile.TemporaryDirectory(prefix="wildgate-export-") as draft:
        folder = Path(draft)
        config = write_files(model, name, folder, options)
        encoder = SentenceEncoder.load(folder).open()
        parity = check_parity(encoder, model, options)
        measured = {} if options.languages else shares_found(encoder.embed, read_phrases())
        config = replace(config, languages=options.languages or languages_read(measured), measured=measured)
        write_folder(output, config, lambda place: _copy(folder, place))
    return config, parity


def _copy(folder: Path, place: Path) -> None:
    for name in (MODEL_FILE, TOKENIZER_FILE):
        shutil.copy(folder / name, place / name)


def load(name: str, options: ExportOptions) -> SentenceTransformer:
    """The model, on the processor. Raises ModelError if it cannot be had, or has no fast tokenizer."""
    try:
        model = SentenceTransformer(name, device="cpu")
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        message = (
            f"{name} cannot be loaded by sentence-transformers ({error}); name a folder that it saved, or a model that a hub in reach has"
        )
        raise ModelError(message) from error
    if not hasattr(model.tokenizer, "backend_tokenizer"):
        message = f"{name} has no tokenizer of the library `tokenizers`, which serves; choose a model with a tokenizer.json"
        raise ModelError(message)
    if model.max_seq_length and model.max_seq_length < options.max_tokens:
        message = f"{name} reads {model.max_seq_length} tokens at most, not {options.max_tokens}; give --max-tokens {model.max_seq_length}"
        raise ModelError(message)
    model.max_seq_length = options.max_tokens
    return model.eval()


def write_files(model: SentenceTransformer, name: str, folder: Path, options: ExportOptions) -> EncoderConfig:
    """Write model.onnx, tokenizer.json and a config.json that is not measured yet."""
    path = folder / (FLOAT if options.quantize else MODEL_FILE)
    write_graph(model, path)
    if options.quantize:
        quantize(path, folder / MODEL_FILE)
        path.unlink()
    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / TOKENIZER_FILE))
    digest = hashlib.sha256(f"{file_sha256(folder / MODEL_FILE)} {file_sha256(folder / TOKENIZER_FILE)} {options}".encode())
    config = EncoderConfig(
        name=re.sub(r"[^\w.-]+", "-", Path(name).name) + (f"-{INT8}" if options.quantize else ""),
        version=digest.hexdigest()[:12],
        dimension=dimension_of(model),
        max_tokens=options.max_tokens,
        pooling=_pooling(model),
        prefix=options.prefix,
        batch=1,  # dynamic quantization gives the texts of one run one scale
        source=f"{Path(name).name}, exported by `wildgate model export`",
        licence=options.licence,
        files={each: describe_file(folder / each) for each in (MODEL_FILE, TOKENIZER_FILE)},
    )
    write_config(folder, config)
    return config


class _UnitVectors(torch.nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """All modules of the model, then length 1."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Token ids and mask [batch, sequence] -> unit vectors [batch, dimension]."""
        features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
        return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)


def write_graph(model: SentenceTransformer, path: Path) -> None:
    """Write the float32 graph. Raises ModelError where torch cannot export the model."""
    example = (torch.ones((2, 8), dtype=torch.int64), torch.ones((2, 8), dtype=torch.int64))
    grid = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own future
            torch.onnx.export(
                _UnitVectors(model),
                example,
                path,
                input_names=list(INPUTS),
                output_names=[OUTPUT],
                dynamic_shapes=(grid, grid),
                external_data=False,
                dynamo=True,
                verbose=False,
            )
    except RuntimeError as error:
        message = f"torch {torch.__version__} cannot export this model to ONNX ({error}); try another version of torch and transformers"
        raise ModelError(message) from error


def quantize(source: Path, target: Path) -> None:
    """Weights as int8, one scale a column; activations are quantized as they come."""
    logging.getLogger().addFilter(_is_no_advice)
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415  (after `quiet_runtime`)

        quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)
    finally:
        logging.getLogger().removeFilter(_is_no_advice)


def _is_no_advice(record: logging.LogRecord) -> bool:
    """Keeps the library from advising a step that changes nothing here."""
    return "pre-processing before quantization" not in record.getMessage()


def dimension_of(model: SentenceTransformer) -> int:
    """Numbers of a vector."""
    return int(model.encode([""], show_progress_bar=False).shape[1])


def _pooling(model: SentenceTransformer) -> str:
    """How sentence-transformers calls the pooling of the model."""
    modes = (str(module.pooling_mode) for module in model if hasattr(module, "pooling_mode"))
    return next(modes, "the model's own")


def check_parity(encoder: SentenceEncoder, model: SentenceTransformer, options: ExportOptions) -> Parity:
    """How near the exported encoder is to the original; ModelError if too far."""
    texts = [text for column in read_phrases().values() for text in column if text] + ["x", LONG]
    cosines = (encoder.embed(texts) * original(model, texts, options.prefix)).sum(axis=1)
    parity = Parity(len(texts), float(cosines.mean()), float(cosines.min()))
    if parity.mean < LEAST_MEAN or parity.lowest < LEAST:
        worst = texts[int(cosines.argmin())]
        message = f"the export is not faithful ({parity}, at {worst[:40]!r}; {LEAST_MEAN} and {LEAST} are wanted); " + (
            "--float32 exports it unquantized" if options.quantize else "try another version of torch and transformers"
        )
        raise ModelError(message)
    return parity


def original(model: SentenceTransformer, texts: Sequence[str], prefix: str) -> Vectors:
    """The model's own unit vectors."""
    return np.asarray(model.encode([prefix + text for text in texts], normalize_embeddings=True, show_progress_bar=False), np.float32)
