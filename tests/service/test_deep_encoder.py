"""The deep encoder: read from its wheel's container, built, and asked where the first encoder cannot read the language."""

import math
import struct
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from wildgate_service.classify import Classifier, Routing
from wildgate_service.errors import ModelError
from wildgate_service.model.building import write_folder
from wildgate_service.model.e5_file import BLOCK, MEMBER, E5File, read_e5, read_e5_wheel
from wildgate_service.model.e5_onnx import build_deep_encoder, kept_pieces, write_files
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.encoder_folder import EncoderConfig, read_config
from wildgate_service.model.folder import find_models
from wildgate_service.model.heads import OWN_HEADS, HeadConfig, HeadSet, write_heads
from wildgate_service.model.recipes import DEEP, DEEP_LAYERS, default_cache
from wildgate_service.pipeline import Engine, load_engine, score_listing, with_models
from wildgate_service.types import Listing

Floats = NDArray[np.float32]
WIDTH, HEADS, INNER, PLACES = 64, 2, 96, 70
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "▁ngà", "▁voi", "▁bán", "слон", "象", "象牙", "a", "n", "g", "à", "v", "o", "i", "<mask>")
VIETNAMESE = "Bán ngà voi thật giá rẻ"


def four_bit(values: Floats) -> bytes:
    """Blocks of 32 weights as the container keeps them; the weights must be multiples of a 64th between -8/64 and 7/64."""
    codes = (np.round(values.reshape(-1, BLOCK) * 64) + 8).astype(np.uint8)
    scale = np.full((len(codes), 1), 1 / 64, np.float16).view(np.uint8).reshape(-1, 2)
    return np.concatenate([scale, codes[:, :16] | (codes[:, 16:] << 4)], axis=1).tobytes()


def tensors(seed: int = 0) -> dict[str, tuple[bytes, bool]]:
    """A tiny BERT with random weights: bytes, and whether they have 4 bits."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> tuple[bytes, bool]:
        return four_bit((random.integers(-8, 8, (rows, columns)) / 64).astype(np.float32)), True

    def vector(*shape: int, around: float = 0.0) -> tuple[bytes, bool]:
        return random.normal(around, 0.1, shape).astype("<f4").tobytes(), False

    found = {"emb.word": matrix(len(PIECES), WIDTH), "emb.pos": vector(PLACES, WIDTH), "emb.type": vector(2, WIDTH)}
    norms = {"emb.ln.w": vector(WIDTH, around=1.0), "emb.ln.b": vector(WIDTH)}
    for layer in range(DEEP_LAYERS):
        for part in ("q", "k", "v", "ao"):
            found |= {f"l{layer}.{part}.w": matrix(WIDTH, WIDTH), f"l{layer}.{part}.b": vector(WIDTH)}
        found |= {f"l{layer}.fi.w": matrix(INNER, WIDTH), f"l{layer}.fi.b": vector(INNER)}
        found |= {f"l{layer}.fo.w": matrix(WIDTH, INNER), f"l{layer}.fo.b": vector(WIDTH)}
        for norm in ("aln", "oln"):
            norms |= {f"l{layer}.{norm}.w": vector(WIDTH, around=1.0), f"l{layer}.{norm}.b": vector(WIDTH)}
    return found | norms


def container() -> bytes:
    """The tiny model as a file of the wheel."""
    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)])
    scores = [-float(place) for place in range(len(PIECES))]
    head = b"E5S1" + struct.pack("<I7i", 1, WIDTH, DEEP_LAYERS, HEADS, INNER, len(PIECES), PLACES, 2)
    head += struct.pack("<fi", 1e-12, BLOCK) + struct.pack("<5i", len(PIECES), 0, 2, 1, 3) + struct.pack("<Q", int(ends[-1]))
    head += struct.pack(f"<{len(ends)}I", *ends) + struct.pack(f"<{len(scores)}f", *scores) + b"".join(texts)
    head += struct.pack("<iI", 0, 4) + bytes(4)
    stored = tensors()
    size = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name in stored)
    directory = struct.pack("<i", len(stored))
    for name, (data, small) in stored.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", int(small), 0, size, len(data))
        size += len(data)
    return head + directory + b"".join(data for data, _ in stored.values())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that holds the tiny model."""
    path = tmp_path_factory.mktemp("wheel") / "tiny.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, container())
    return path


@pytest.fixture(scope="session")
def tiny(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder built from it, with a head that is sure of every text."""
    folder = tmp_path_factory.mktemp("deep") / "tiny"
    write_folder(folder, replace(DEEP.config, name="tiny", version="1", dimension=WIDTH), lambda draft: write_files(wheel, draft))
    heads = {"wildlife_offer": HeadConfig("everything", bias=3.0, slope=1.0, offset=0.0, prior=0.5)}
    write_heads(folder / OWN_HEADS, read_config(folder), heads, np.zeros((1, WIDTH), np.float32))
    return folder


@pytest.fixture
def engine_with_deep(engine, tiny):
    """The engine that ships, with the tiny deep encoder."""
    return with_models(engine, find_models(), engine.classifier.encoder, SentenceEncoder.load(tiny).open())


# --- the container -------------------------------------------------------------------------------


def test_container_holds_what_was_written() -> None:
    """Pieces in the order of their ids, and weights as they were before four bits."""
    source = read_e5(container())
    assert (source.width, source.heads, source.inner) == (WIDTH, HEADS, INNER)
    assert [piece for piece, _ in source.pieces] == list(PIECES)
    expected = np.random.default_rng(0).integers(-8, 8, (len(PIECES), WIDTH)) / 64
    np.testing.assert_array_equal(source.rows("emb.word", WIDTH), expected)


def test_rows_are_read_piecewise() -> None:
    """A part of a large table can be had without the rest."""
    source = read_e5(container())
    np.testing.assert_array_equal(source.rows("emb.word", WIDTH, 2, 3), source.rows("emb.word", WIDTH)[2:5])


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", container()[:5000], b"E5S1" + bytes(60)], ids=["empty", "another", "cut", "zeros"])
def test_damaged_container_is_named(data: bytes) -> None:
    """Whatever is wrong with it, the error says which file of the wheel it is."""
    with pytest.raises(ModelError, match=r"e5-small-q4\.bin is no intact"):
        read_e5(data)


def test_vocabulary_is_cut_to_the_scripts_that_are_read() -> None:
    """Words of other scripts go; special pieces, Latin words and single characters stay."""
    source = read_e5(container())
    gone = {PIECES[place] for place in range(len(PIECES))} - {PIECES[place] for place in kept_pieces(source.pieces)}
    assert gone == {"слон", "象牙"}


def test_another_wheel_is_refused(wheel: Path, tmp_path: Path) -> None:
    """Only the pinned one is built from."""
    with pytest.raises(ModelError, match="not the pinned"):
        build_deep_encoder(tmp_path, wheel=wheel)


# --- the graph and its slow twin -----------------------------------------------------------------


def normalized(source: E5File, x: Floats, name: str) -> Floats:
    """Layer normalization of rows."""
    centered = x - x.mean(axis=1, keepdims=True)
    scale = np.sqrt((centered**2).mean(axis=1, keepdims=True) + source.epsilon)
    return np.asarray(centered / scale * source.vector(f"{name}.w") + source.vector(f"{name}.b"), np.float32)


def dense(source: E5File, x: Floats, name: str) -> Floats:
    """One linear layer."""
    return np.asarray(x @ source.weight(f"{name}.w", x.shape[1]) + source.vector(f"{name}.b"), np.float32)


def slow_vector(source: E5File, ids: list[int]) -> Floats:
    """The unit vector of one text, in float32 and in the obvious way."""
    x = source.rows("emb.word", WIDTH)[ids] + source.rows("emb.pos", WIDTH)[: len(ids)] + source.rows("emb.type", WIDTH)[0]
    x = normalized(source, x, "emb.ln")
    for name in (f"l{number}" for number in range(DEEP_LAYERS)):
        q, k, v = (np.split(dense(source, x, f"{name}.{part}"), HEADS, axis=1) for part in "qkv")
        mixed = []
        for one in range(HEADS):
            weights = np.exp(q[one] @ k[one].T / math.sqrt(WIDTH / HEADS))
            mixed.append(weights / weights.sum(axis=1, keepdims=True) @ v[one])
        x = normalized(source, dense(source, np.concatenate(mixed, axis=1), f"{name}.ao") + x, f"{name}.aln")
        inner = dense(source, x, f"{name}.fi")
        inner = np.asarray(inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))), np.float32)
        x = normalized(source, dense(source, inner, f"{name}.fo") + x, f"{name}.oln")
    mean = x.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def test_int8_graph_is_close_to_its_float_twin(tiny: Path, wheel: Path) -> None:
    """The graph agrees with BERT written out in float32."""
    encoder, source = SentenceEncoder.load(tiny), read_e5_wheel(wheel)
    kept = kept_pieces(source.pieces)
    texts = ["bán ngà voi", "a", "", "ngà ngà voi nga" * 5]
    slow = [slow_vector(source, [int(kept[place]) for place in encoder._ids(text)]) for text in texts]
    assert (encoder.embed(texts) * slow).sum(axis=1).min() > 0.99


def test_batch_equals_one_by_one(tiny: Path) -> None:
    """Padding changes nothing."""
    encoder, texts = SentenceEncoder.load(tiny), ["bán ngà voi", "a", "", "ngà voi" * 20]
    alone = np.concatenate([encoder.embed([text]) for text in texts])
    np.testing.assert_allclose(encoder.embed(texts), alone, atol=1e-5)


# --- in the cascade ------------------------------------------------------------------------------


def names(decision) -> set[str]:
    """Names of the evidence."""
    return {evidence.name for evidence in decision.evidence}


def test_deep_reads_what_the_first_cannot(engine_with_deep) -> None:
    """Vietnamese goes to the deep encoder, and the answer says so."""
    decision = score_listing(engine_with_deep, Listing(title=VIETNAMESE))
    assert decision.degraded_reasons == ()
    assert {"read_by_deep", "encoder_for"} <= names(decision)


def test_the_first_reads_what_it_can(engine_with_deep) -> None:
    """English stays with the first encoder."""
    assert "read_by_encoder" in names(score_listing(engine_with_deep, Listing(title="Elephant ivory bangle for sale")))


def test_a_language_of_neither_is_said(engine_with_deep) -> None:
    """Swahili rests on lexicons and screen."""
    decision = score_listing(engine_with_deep, Listing(title="Nauza pembe za ndovu", language="sw"))
    assert decision.degraded_reasons == ("encoder_unreadable_language",)


def test_deep_does_not_begin_what_the_deadline_would_cut(engine_with_deep) -> None:
    """What must be left for it is the policy's to say, and more than for the first."""
    policy = msgspec.structs.replace(engine_with_deep.policy, routing=Routing(encoder_seconds=0.0, deep_seconds=1000.0))
    hurried = msgspec.structs.replace(engine_with_deep, policy=policy)
    deadline = time.monotonic() + 100
    assert score_listing(hurried, Listing(title=VIETNAMESE), deadline=deadline).degraded_reasons == ("encoder_skipped_for_deadline",)
    assert score_listing(hurried, Listing(title="Elephant ivory bangle for sale"), deadline=deadline).degraded_reasons == ()


def test_versions_name_both_heads(engine_with_deep) -> None:
    """Every answer can name the exact weights behind it."""
    classifier = engine_with_deep.classifier
    assert isinstance(classifier, Classifier)
    assert isinstance(classifier.deep, Classifier)
    assert classifier.version == f"{classifier.heads.config.version}+{classifier.deep.heads.config.version}"


def test_a_missing_deep_encoder_leaves_the_first(compiled_lexicon: Path, encoder_path: Path, tmp_path: Path) -> None:
    """The service runs on what is there, and says what is not."""
    engine = load_engine(compiled_lexicon, encoder=encoder_path, deep=tmp_path / "absent")
    assert engine.classifier is not None
    assert engine.classifier.deep is None
    assert engine.missing.startswith("without the deep encoder: No encoder at")


def test_heads_of_another_encoder_are_not_used_with_it(engine: Engine, tiny: Path, tmp_path: Path) -> None:
    """A deep encoder of another kind needs heads of its own."""
    write_folder(tmp_path / "other", replace(read_config(tiny), version="2"), lambda draft: copy_files(tiny, draft))
    other = SentenceEncoder.load(tmp_path / "other").open()
    with pytest.raises(ModelError, match="were trained for multilingual-e5-small"):
        with_models(engine, find_models(), engine.classifier.encoder, other)


def copy_files(source: Path, target: Path) -> None:
    """Model and tokenizer."""
    for name in read_config(source).files:
        (target / name).write_bytes((source / name).read_bytes())


# --- folders that are not what they say ----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"dimension": 32}, "gives widths"), ({"format": 2}, "of format 2"), ({"dimension": "wide"}, "malformed")],
    ids=["another width", "another version", "no number"],
)
def test_a_folder_that_belies_its_model_is_refused(tiny: Path, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    """What the config says is held against the model before a text is scored."""
    copy_files(tiny, tmp_path)
    config = msgspec.to_builtins(read_config(tiny)) | changes
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(config))
    with pytest.raises(ModelError, match=message):
        SentenceEncoder.load(tmp_path).open()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_of_another_kind_is_refused(tiny: Path, tmp_path: Path, name: str) -> None:
    """A config that vouches for a file which is none of its kind."""

    def write(draft: Path) -> None:
        copy_files(tiny, draft)
        (draft / name).write_bytes(b"[]")

    write_folder(tmp_path / "broken", EncoderConfig(name="broken", version="1", dimension=WIDTH), write)
    with pytest.raises(ModelError, match=name):
        SentenceEncoder.load(tmp_path / "broken").open()


# --- the real one --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("offer", "innocent"),
    [
        (VIETNAMESE, "Váy cưới màu ngà, cỡ M"),
        ("हाथी दांत की चूड़ी बिकाऊ है", "लाल सूती कुर्ता, साइज M"),
        ("Dijual gading gajah asli, murah", "Baju kurung merah, saiz M"),
    ],
)
def test_real_deep_heads_outrank_innocent_listings(offer: str, innocent: str) -> None:
    """The encoder built from the pinned wheel, with the heads that ship for it."""
    encoder = SentenceEncoder.load(build_deep_encoder(default_cache())).open()
    heads = HeadSet.load(find_models().deep, encoder=encoder.config)
    heads.check(encoder.embed)
    one, other = (heads.probabilities(row)["wildlife_offer"] for row in encoder.embed([offer, innocent]))
    assert one > other
