"""Exporting a sentence-transformers model. Skipped without the extra `export`; the model is a tiny BERT with random weights."""

from pathlib import Path

import numpy as np
import pytest
from wildgate_service.errors import ModelError
from wildgate_service.lexicon import default_lexicons
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.folder import find_models
from wildgate_service.model.heads import OWN_HEADS
from wildgate_service.model.parallel import read_phrases
from wildgate_service.pipeline import classifier_of

pytest.importorskip("sentence_transformers", reason="needs the extra export")

import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from wildgate_service.model import export
from wildgate_service.model.export import ExportOptions, export_encoder
from wildgate_service.model.train import train_own

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]  # what torch says of its own future

WIDTH, LONGEST = 64, 96
TEXTS = ("elephant ivory bangle for sale", "x", "", "red dress, size M", "ivory " * 60, "[SEP] [PAD] 象牙")


def tokenizer() -> PreTrainedTokenizerFast:
    """Letters, and the special tokens of BERT."""
    letters = sorted({letter for column in read_phrases().values() for text in column for letter in text.lower()} | set("0123456789"))
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    made = Tokenizer(models.WordPiece({name: place for place, name in enumerate(names)}, unk_token=names[1]))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=LONGEST, **special)


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as sentence-transformers saves it."""
    folder = tmp_path_factory.mktemp("model")
    words = tokenizer()
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=LONGEST,
    )
    BertModel(shape, add_pooling_layer=False).save_pretrained(folder / "bert")
    words.save_pretrained(folder / "bert")
    SentenceTransformer(str(folder / "bert"), device="cpu").save(str(folder / "tiny"))  # with the mean as pooling
    return folder / "tiny"


@pytest.fixture(scope="session")
def exported(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder's folder made from it, told to read English."""
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    export_encoder(str(saved), folder, ExportOptions(prefix="query: ", languages=("en",), licence="none"))
    return folder


def test_vectors_are_the_originals(saved: Path, exported: Path) -> None:
    """The int8 encoder and sentence-transformers agree, of one letter and of more than a window too, with the prefix."""
    model = SentenceTransformer(str(saved), device="cpu")
    model.max_seq_length = 64
    plain = [text for text in TEXTS if "[" not in text]
    expected = model.encode([f"query: {text}" for text in plain], normalize_embeddings=True)
    assert (SentenceEncoder.load(exported).embed(plain) * expected).sum(axis=1).min() > export.LEAST


def test_vectors_do_not_depend_on_neighbors(exported: Path) -> None:
    """Texts of one call are embedded one by one, since they would share a scale."""
    encoder = SentenceEncoder.load(exported)
    np.testing.assert_array_equal(encoder.embed(TEXTS), np.concatenate([encoder.embed([text]) for text in TEXTS]))


def test_special_tokens_written_by_a_seller_stay_text(exported: Path) -> None:
    """[SEP] in a listing is letters in brackets, not the token."""
    encoder = SentenceEncoder.load(exported)
    assert encoder.token_count("[SEP]") == encoder.token_count("[sep]")


def test_config_says_what_was_asked(exported: Path) -> None:
    """Prefix, languages, licence, pooling and window stand in config.json."""
    config = SentenceEncoder.load(exported).config
    facts = (config.prefix, config.languages, config.licence, config.pooling, config.max_tokens, config.dimension)
    assert facts == ("query: ", ("en",), "none", "mean", 64, WIDTH)


def test_languages_are_measured(saved: Path, tmp_path: Path) -> None:
    """Without being told, a model without knowledge reads nothing but what shares its letters."""
    config, _ = export_encoder(str(saved), tmp_path / "measured", ExportOptions())
    assert config.measured.keys() == read_phrases().keys() - {"en"}
    assert not {"th", "hi", "ru", "ja"} & set(config.languages)


def test_unfaithful_export_is_refused(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the figures, and without leaving anything behind."""
    monkeypatch.setattr(export, "LEAST_MEAN", 1.1)
    with pytest.raises(ModelError, match=r"not faithful \(cosine to the original over \d+ texts: mean [01]\.\d+, lowest"):
        export_encoder(str(saved), tmp_path / "out", ExportOptions())
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_not_written_over(saved: Path, exported: Path) -> None:
    """Heads trained for what is there would be lost."""
    with pytest.raises(ModelError, match="exists already"):
        export_encoder(str(saved), exported, ExportOptions())


def test_window_beyond_the_model_is_refused(saved: Path, tmp_path: Path) -> None:
    """The error names what the model bears."""
    with pytest.raises(ModelError, match=f"--max-tokens {LONGEST}"):
        export_encoder(str(saved), tmp_path / "out", ExportOptions(max_tokens=128))


def test_folder_without_a_model_is_named(tmp_path: Path) -> None:
    """A path that holds no model is told with the way out."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="cannot be loaded by sentence-transformers"):
        export_encoder(str(tmp_path / "empty"), tmp_path / "out", ExportOptions())


def test_heads_in_the_folder_are_used_with_it(exported: Path, invented_data: Path, tmp_path: Path) -> None:
    """Export, train, point the setting at the folder: three commands to another encoder."""
    train_own(exported, invented_data, default_lexicons(), 0, embeddings=tmp_path)
    assert (exported / OWN_HEADS / "README.md").exists()
    classifier = classifier_of(SentenceEncoder.load(exported).open(), find_models().heads)
    assert classifier.heads.config.encoder_name == "tiny-int8"
