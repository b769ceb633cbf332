"""`wildgate model eval`: labeled texts in, tables, calibration, costs and a verdict on new models out."""

from __future__ import annotations

import gzip
import json
import shutil

import pytest
from click.testing import CliRunner
from wildgate_service.cli.model import command
from wildgate_service.errors import ModelError
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.folder import SHIPPED, find_models
from wildgate_service.model.labeled_texts import LabeledText, read_texts
from wildgate_service.pipeline import with_models
from wildgate_service.quality.calibration import calibration
from wildgate_service.quality.comparison import compare, exact_mcnemar
from wildgate_service.quality.figures import figures, grouped
from wildgate_service.quality.negatives import Scored
from wildgate_service.quality.verdicts import Answered, Verdict
from wildgate_service.types import Action

OFFERS = ("elephant tusk for sale", "real ivory bangle, dm for price", "rhino horn powder, whatsapp me", "tiger bone wine for sale, cheap")
OFFERS += ("pangolin scales for sale, 100 usd a kilo", "selling live baby slow loris, cash only")
BENIGN = ("ivory colored wedding dress", "tiger print leggings", "rhino shield phone case", "pangolin plush toy, new")
BENIGN += ("elephant storybook for children", "bicycle, hardly used")


def functional():
    """Six pairs, as lines of a functional file."""
    for number, (offer, benign) in enumerate(zip(OFFERS, BENIGN, strict=True)):
        one, other = f"en-{number}-a", f"en-{number}-b"
        yield {"id": one, "pair": other, "functionality": "explicit_offer", "language": "en", "title": offer, "expected": "offer"}
        yield {"id": other, "pair": one, "functionality": "color", "language": "en", "title": benign, "expected": "benign"}


def written(folder, rows, name="texts.jsonl"):
    """A file of JSON lines."""
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def texts(tmp_path):
    """The file of the six pairs."""
    return written(tmp_path, functional())


@pytest.fixture
def spoiled(tmp_path):
    """Models that let everything through."""
    folder = tmp_path / "spoiled"
    shutil.copytree(SHIPPED, folder)
    config = folder / "fusion-v1" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | {"intercept": -60.0, "version": "fusion-spoiled"}))
    return folder


@pytest.fixture
def evaluate(engine, monkeypatch):
    """Run the command on the session's engine; --models is left out."""
    monkeypatch.setattr("wildgate_service.local.local_engine", lambda **_: engine)
    return lambda *words: CliRunner().invoke(command, ["eval", *map(str, words)])


def answered(text, *, stopped, score=0.5):
    return Answered(text, Verdict(Action.REVIEW if stopped else Action.ALLOW, score))


def text(number, expected="offer", language="en", pair=None, **fields):
    return LabeledText(id=f"t{number}", title=f"text {number}", expected=expected, language=language, pair=pair, **fields)


# --- reading -------------------------------------------------------------------------------------


def test_both_formats_are_read(tmp_path, texts):
    """A labeled line is a text of the functionality `labeled`, named by its place."""
    own = written(tmp_path, [{"text": "ivory ring", "label": "offer", "language": "zh-Hant", "kind": "social_post"}], "own.jsonl")
    last = read_texts([texts, own])[-1]
    assert (last.id, last.functionality, last.language, last.listing.description) == ("own.jsonl:1", "labeled", "zh", "ivory ring")


def test_a_repeated_text_counts_once(tmp_path):
    """Else a listing posted a hundred times would decide."""
    row = {"text": "ivory ring", "label": "offer", "language": "en"}
    assert len(read_texts([written(tmp_path, [row, row])])) == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"text": "a", "label": "offer", "language": "en"}, {"text": " a", "label": "benign", "language": "en"}],
            "one text with two labels",
        ),
        ([{"text": "a", "label": "yes", "language": "en"}], "texts.jsonl:1: label 'yes' is neither offer nor benign"),
        ([{"id": "1", "title": "a", "expected": "offer", "language": "en", "pair": "2"}], "without a contrasting twin .*: 1 "),
        ([{"id": "1", "title": each, "expected": "offer", "language": "en"} for each in "ab"], "the id 1 is used twice"),
        ([{"txet": "a"}], "texts.jsonl:1 is no labeled text"),
    ],
)
def test_a_wrong_file_is_an_error(tmp_path, rows, message):
    """It names the line or the ids."""
    with pytest.raises(ModelError, match=message):
        read_texts([written(tmp_path, rows)])


# --- counting ------------------------------------------------------------------------------------


def test_a_pair_is_right_when_both_are():
    """And counts where its offer stands."""
    pairs = [
        (text(n, pair=f"t{n + 1}", functionality="offers"), text(n + 1, "benign", pair=f"t{n}", functionality="twins")) for n in (0, 2)
    ]
    rows = [answered(offer, stopped=True) for offer, _ in pairs] + [answered(twin, stopped=n == 0) for n, (_, twin) in enumerate(pairs)]
    groups = grouped(rows, lambda each: each.text.functionality)
    assert [(groups[name].pairs.k, groups[name].pairs.n) for name in ("offers", "twins")] == [(1, 2), (0, 0)]
    assert (figures(rows).pairs.k, figures(rows).benign_stopped.k) == (1, 1)


def test_calibration_error_is_the_mean_distance():
    """Two texts at 0.9, one of them an offer, are 0.4 off; two at 0.2 without one are 0.2 off."""
    assert calibration([(0.9, True), (0.9, False), (0.2, False), (0.2, False)]).error == pytest.approx(0.3)


# --- comparing -----------------------------------------------------------------------------------


def against(*, lost, won, same, least=1, language="en"):
    """New models that lost and won so many answers beside old ones."""
    texts = [text(number, language=language) for number in range(lost + won + same)]
    old = [answered(each, stopped=number < lost or number >= lost + won) for number, each in enumerate(texts)]
    new = [answered(each, stopped=number >= lost) for number, each in enumerate(texts)]
    return compare(new, old, ("new", "old"), least)


def test_the_exact_test_is_the_two_sided_binomial():
    """Five of five are still chance at 5 %, six of six are not; nothing changed is certain."""
    assert [exact_mcnemar(*each) for each in ((5, 0), (6, 0), (1, 8), (0, 0))] == [0.0625, 0.03125, 0.0390625, 1.0]


def test_worse_in_a_language_is_not_promoted():
    """The verdict says where and by how much."""
    found = against(lost=7, won=0, same=13)
    assert (found.promote, found.verdict) == (False, "do not promote: worse in: en, by 35.0 points (7 lost, 0 won of 20, p = 0.016)")


def test_what_chance_explains_is_promoted():
    """Five lost may be bad luck, a gain is welcome."""
    assert [against(lost=5, won=0, same=9).promote, against(lost=0, won=9, same=9).promote] == [True, True]


def test_offers_lost_for_false_alarms_won_are_told():
    """No language is worse, but all together find fewer offers."""
    languages = [f"{one}{other}" for one in "abc" for other in "xyz"]
    texts = [text(f"{name}-{label}", label, name) for name in languages for label in ("offer", "benign")]
    new, old = ([answered(each, stopped=stopped) for each in texts] for stopped in (False, True))
    found = compare(new, old, ("new", "old"), 1)
    said = "promote: worse in none of 9 languages beyond chance; but over all languages worse in: offer, by 100.0 points"
    assert (found.promote, found.verdict.startswith(said), "benign" in found.verdict) == (True, True, False)


def test_too_few_texts_are_not_promoted():
    """Few texts without a loss show nothing."""
    found = against(lost=0, won=0, same=9, least=10)
    assert (found.promote, [each.name for each in found.too_few]) == (False, ["en"])
    assert "fewer than 10 texts, too few to say, in: en (9)" in found.verdict


def test_worse_is_said_even_of_few_texts():
    """Seven of seven lost is no chance."""
    assert against(lost=7, won=0, same=0, least=100).verdict.startswith("do not promote: worse in: en")


def test_more_false_alarms_on_negatives_are_worse():
    """Ordinary texts are by far the most of what a platform sees."""
    calm, alarmed = (Scored("neg-1", "de", "listing_title", Verdict(action, 0.5)) for action in (Action.ALLOW, Action.REVIEW))
    same = [answered(text(1), stopped=True)]
    found = compare(same, same, ("new", "old"), 1, [(alarmed, calm)] * 6 + [(calm, calm)] * 94)
    assert found.verdict == "do not promote: worse in: negatives de, by 6.0 points (6 lost, 0 won of 100, p = 0.031)"


def test_languages_are_those_without_script_and_region():
    """Traditional and Simplified Chinese are tested together."""
    assert [each.name for each in against(lost=0, won=0, same=1, language="zh-Hant").languages] == ["zh"]


# --- the command ---------------------------------------------------------------------------------


def test_the_same_models_are_promoted(evaluate, texts):
    """Status 0, and the verdict is the last line."""
    done = evaluate("--texts", texts, "--against", SHIPPED, "--least", 12)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "promote: worse in none of 1 languages beyond chance")


def test_better_models_are_promoted_and_worse_ones_are_not(evaluate, texts, spoiled, engine, encoder_path, monkeypatch):
    """The old ones let everything through: good. The new ones do: status 1."""
    better = evaluate("--texts", texts, "--against", spoiled, "--least", 12)
    made = with_models(engine, find_models(spoiled), SentenceEncoder.load(encoder_path).open())
    monkeypatch.setattr("wildgate_service.local.local_engine", lambda **_: made)
    worse = evaluate("--texts", texts, "--against", SHIPPED, "--least", 12)
    assert (better.exit_code, worse.exit_code) == (0, 1)
    assert worse.stdout.splitlines()[-1].startswith("do not promote: worse in: en, by 50.0 points (6 lost, 0 won of 12")


def test_too_few_texts_end_with_status_1(evaluate, texts):
    """Nobody promotes by silence."""
    done = evaluate("--texts", texts, "--against", SHIPPED)
    assert (done.exit_code, "too few to say" in done.stdout.splitlines()[-1]) == (1, True)


def test_all_figures_are_in_the_json(evaluate, texts):
    """Tiers in the order asked for, the data with its hash, and the versions."""
    found = json.loads(evaluate("--texts", texts, "--format", "json", "--tier", "screen", "--tier", "lexicon").stdout)
    assert [each["tier"] for each in found["tiers"]] == ["screen", "lexicon"]
    assert (found["data"]["offers"], len(found["data"]["files"]["texts.jsonl"]), "model" in found["versions"]) == (6, 64, True)


def test_tiers_by_themselves_differ(evaluate, texts):
    """Lexicons alone read nothing with the encoder, the encoder alone reads all of it."""
    found = json.loads(evaluate("--texts", texts, "--format", "json").stdout)
    assert {each["tier"]: each["read_by_encoder"]["share"] for each in found["tiers"] if each["tier"] != "all"} == {
        "lexicon": 0.0,
        "screen": 0.0,
        "encoder": 1.0,
    }
    assert [each["totals"]["offers_stopped"]["k"] for each in found["tiers"][:2]] == [6, 6]


def test_a_half_is_measured_alone(evaluate, texts):
    """Both halves together are all."""
    counts = [
        json.loads(evaluate("--texts", texts, "--format", "json", "--tier", "screen", "--half", half).stdout)["data"]["texts"]
        for half in ("reported", "development")
    ]
    assert (sum(counts), 0 in counts) == (12, False)


def test_the_tables_say_what_they_cannot(evaluate, texts):
    """Six pairs are too few for a share."""
    shown = evaluate("--texts", texts).stdout
    assert ("6/6 too few to say" in shown, "expected calibration error" in shown, "median µs" in shown) == (True, True, True)


def test_a_file_is_written(evaluate, texts, tmp_path):
    """And its name is printed."""
    output = tmp_path / "results" / "eval.json"
    done = evaluate("--texts", texts, "--format", "json", "--tier", "screen", "--output", output)
    assert (done.stdout.strip(), json.loads(output.read_text(encoding="utf-8"))["data"]["texts"]) == (str(output), 12)


def test_models_that_do_not_load_are_an_error(run_wildgate, texts, spoiled, lexicons):
    """With status 2 and the file."""
    (spoiled / "screen-v1" / "config.json").write_text("{", encoding="utf-8")
    words = ("model", "eval", "--texts", str(texts), "--models", str(spoiled))
    done = run_wildgate(*words, WILDGATE_CACHE="cache", WILDGATE_LEXICONS=str(lexicons))
    assert (done.returncode, "screen-v1/config.json is malformed" in done.stderr) == (2, True)


@pytest.mark.train
def test_held_out_negatives_are_counted_by_language(evaluate, texts, tmp_path):
    """One in five of the file, by kind of source; what has no data says so. The calibration is of these and the texts."""
    pytest.importorskip("scipy", reason="needs the extra train")
    rows = "".join(f"neg-{n}\t{'de' if n % 2 else 'en'}\tlisting_title\tshop\tblue chair {n}\n" for n in range(60))
    (tmp_path / "negatives.tsv.gz").write_bytes(gzip.compress(f"id\tlang\tsource_kind\tplatform\ttext\n{rows}".encode()))
    answer = json.loads(evaluate("--texts", texts, "--data", tmp_path, "--tier", "all", "--format", "json").stdout)
    found = answer["negatives"]
    (total,) = [each["alarms"] for each in found["by_source"] if (each["language"], each["source_kind"]) == ("all", "all")]
    assert (0 < total["n"] < 30, total["not_allow"], total["note"]) == (True, 0, "too few to say")
    assert sum(each["texts"] for each in found["calibration"]["bins"]) == total["n"] + answer["data"]["texts"]


@pytest.mark.train
def test_negatives_are_compared_too(evaluate, texts, tmp_path):
    """By language, whatever their number."""
    pytest.importorskip("scipy", reason="needs the extra train")
    rows = "".join(f"neg-{n}\tde\tlisting_title\tshop\tblue chair {n}\n" for n in range(60))
    (tmp_path / "negatives.tsv.gz").write_bytes(gzip.compress(f"id\tlang\tsource_kind\tplatform\ttext\n{rows}".encode()))
    words = ("--texts", texts, "--data", tmp_path, "--tier", "all", "--against", SHIPPED, "--least", 12, "--format", "json")
    (german,) = json.loads(evaluate(*words).stdout)["comparison"]["negatives"]
    assert (german["name"], german["lost"], german["won"]) == ("negatives de", 0, 0)


@pytest.mark.train
def test_a_diagram_is_drawn(evaluate, texts, tmp_path):
    """A line for each tier."""
    pytest.importorskip("matplotlib", reason="needs the extra train")
    evaluate("--texts", texts, "--diagram", tmp_path / "reliability.svg")
    assert "<svg" in (tmp_path / "reliability.svg").read_text(encoding="utf-8")
