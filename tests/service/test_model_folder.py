"""A folder of trained models: what is in it is served, and what is damaged or does not belong together is refused."""

from __future__ import annotations

import json
import shutil

import msgspec
import pytest
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.errors import ModelError
from wildgate_service.local import local_engine
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.folder import PRIORS, SHIPPED, find_models
from wildgate_service.pipeline import load_engine, with_models


@pytest.fixture
def models(tmp_path):
    """A copy of the models that ship."""
    folder = tmp_path / "models"
    shutil.copytree(SHIPPED, folder)
    return folder


@pytest.fixture(scope="session")
def encoder(encoder_path):
    """The really built encoder."""
    return SentenceEncoder.load(encoder_path).open()


def change(file, **fields):
    """Write other values into a JSON file."""
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | fields), encoding="utf-8")


def test_a_folder_may_name_its_models_as_it_likes(models):
    """What a name begins with says what it is; weights set by hand are no model."""
    (models / "screen-v1").rename(models / "screen-ours")
    assert find_models(models).screen == models / "screen-ours"


def test_a_missing_model_says_what_writes_it(models):
    """And where it was looked for."""
    shutil.rmtree(models / "fusion-v1")
    with pytest.raises(ModelError, match=r"no model fusion-\* in .*models: `wildgate model fuse --output`"):
        find_models(models)


def test_the_folder_needs_no_fusion_to_fit_one(models):
    """Fitting begins with the priors."""
    shutil.rmtree(models / "fusion-v1")
    assert find_models(models, fusion=PRIORS).fusion == PRIORS


def test_two_models_of_a_kind_are_not_chosen_from(models):
    """A guess would be a silent wrong score."""
    shutil.copytree(models / "heads-v1", models / "heads-v2")
    with pytest.raises(ModelError, match="holds heads-v1 and heads-v2"):
        find_models(models)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("screen-v1/weights.npz", "is damaged: its SHA-256 is not the recorded one"),
        ("heads-v1/weights.npz", "is damaged: its SHA-256 is not the recorded one"),
        ("screen-v1/config.json", "is malformed"),
        ("heads-v1/config.json", "is malformed"),
        ("fusion-v1/config.json", "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(engine, encoder, models, file, message):
    """Half of a file is no model."""
    data = (models / file).read_bytes()
    (models / file).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError) as caught:
        with_models(engine, find_models(models), encoder)
    assert (str(models / file) in str(caught.value), message in str(caught.value)) == (True, True)


def test_heads_of_another_encoder_are_refused(engine, encoder, models):
    """Their probabilities would mean nothing."""
    change(models / "heads-v1" / "config.json", encoder_version="another")
    with pytest.raises(ModelError, match=f"were trained for {encoder.config.name} another, not for"):
        with_models(engine, find_models(models), encoder)


def test_a_fusion_of_other_models_is_refused(engine, encoder, models):
    """Whoever trains anew fits anew."""
    change(models / "fusion-v1" / "config.json", fitted_on=["screen-of-before", "heads-of-before"])
    with pytest.raises(ModelError, match=r"was fitted on screen-of-before and heads-of-before, not on screen-v1-.*model fuse"):
        with_models(engine, find_models(models), encoder)


def test_a_fusion_of_these_models_is_taken(engine, encoder, models):
    """It names both by their versions."""
    fitted_on = [engine.screen.version, engine.classifier.version]
    change(models / "fusion-v1" / "config.json", fitted_on=fitted_on)
    assert with_models(engine, find_models(models), encoder).fusion.fitted_on == tuple(fitted_on)


def test_without_an_encoder_damaged_heads_are_still_refused(compiled_lexicon, models):
    """They would be served as soon as the encoder is built."""
    (models / "heads-v1" / "weights.npz").write_bytes(b"")
    with pytest.raises(ModelError, match="is damaged"):
        load_engine(compiled_lexicon, models=find_models(models))


def test_the_setting_names_the_folder(models, monkeypatch, compiled_lexicon):
    """By its variable, as any setting."""
    change(models / "fusion-v1" / "config.json", version="fusion-ours")
    monkeypatch.setenv("WILDGATE_MODELS", str(models))
    monkeypatch.setattr("wildgate_service.local.compile_lexicons", lambda *_: compiled_lexicon)
    assert local_engine().versions.model.partition("/")[0] == "fusion-ours"


def test_a_service_serves_its_own_models(start_small, connect, models):
    """And every answer says so."""
    change(models / "fusion-v1" / "config.json", version="fusion-ours")
    request = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))
    decision = connect(start_small(models=str(models))).scoring.ScoreListing(request).decision
    assert decision.model_version.partition("/")[0] == "fusion-ours"


def test_a_service_does_not_start_on_damaged_models(run_wildgate, models, lexicons):
    """It says which file, and ends."""
    (models / "screen-v1" / "weights.npz").write_bytes(b"")
    done = run_wildgate("serve", "--port", "0", WILDGATE_MODELS=str(models), WILDGATE_LEXICONS=str(lexicons), WILDGATE_CACHE="cache")
    assert (done.returncode, "screen-v1/weights.npz is damaged" in done.stderr) == (2, True)


def test_the_encoder_may_be_missing(compiled_lexicon, models):
    """Models are whole, and answers say what was not read."""
    made = load_engine(compiled_lexicon, models=find_models(models))
    assert (made.classifier, "wildgate model build" in made.missing) == (None, True)


def test_other_models_change_nothing_else(engine, encoder, models):
    """Lexicon and policy are as before."""
    change(models / "fusion-v1" / "config.json", version="fusion-ours")
    made = with_models(engine, find_models(models), encoder)
    assert (made.lexicon is engine.lexicon, made.policy is engine.policy) == (True, True)
    assert msgspec.structs.replace(made.versions, model="") == msgspec.structs.replace(engine.versions, model="")
