"""Labels from outcomes: what people decided counts, by the strongest and latest word; what software did by itself does not."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from wildgate.v1 import scoring_pb2, transparency_pb2, types_pb2
from wildgate_service.cli.model import command
from wildgate_service.errors import ModelError, WildgateError
from wildgate_service.model.authored import agreeing, read_labeled
from wildgate_service.model.exported_texts import ExportedTexts
from wildgate_service.model.folder import PRIORS, find_models
from wildgate_service.model.labeled_texts import LabeledLine
from wildgate_service.model.outcome_labels import is_held_out, label_outcomes, trained_on
from wildgate_service.outcomes import Following, Means, OutcomeKind
from wildgate_service.types import Action, Attribute, Listing
from wildgate_service.wire_transparency import KINDS, MEANS

COUNTER = itertools.count()
KIND_NUMBERS = {kind: number for number, kind in KINDS.items()}
MEANS_NUMBERS = {means: number for number, means in MEANS.items()}


def followed(kind, means="moderator", *, asked="block", listing="1", at=None):
    """An outcome of a listing; each happens after the one before unless a time is given."""
    number = next(COUNTER)
    return Following(
        tenant="default",
        outcome_id=str(number),
        kind=OutcomeKind(kind),
        means=Means(means),
        order=(number if at is None else at, number, str(number)),
        request_id=f"request-{listing}",
        listing_id=listing,
        asked=Action(asked),
        language="en",
        content_kind="listing",
        groups=("elephant",),
        position=1,
    )


def exported(*listings):
    """An export of these listings, or of one."""
    texts = ExportedTexts()
    for listing in listings or (Listing(id="1", title="ivory tusk"),):
        texts.add(listing)
    return texts


def labels(*outcomes, texts=None, **options):
    """The labels of the texts, and the whole."""
    found = label_outcomes(outcomes, texts or exported(), **options)
    return [line.label for line in found.lines], found


# --- what is a label -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "means", "asked", "label"),
    [
        ("removed", "moderator", "block", "offer"),
        ("restricted", "moderator", "review", "offer"),
        ("account_suspended", "moderator", "review", "offer"),
        ("published", "moderator", "review", "benign"),
        ("reinstated", "moderator", "block", "benign"),
        ("complaint_upheld", "unknown", "block", "benign"),
        ("complaint_rejected", "moderator", "block", "offer"),
        ("published", "moderator", "allow", "benign"),
    ],
)
def test_what_people_decide_is_a_label(kind, means, asked, label):
    """A stop that stands is an offer, one that is undone is none."""
    assert labels(followed(kind, means, asked=asked))[0] == [label]


@pytest.mark.parametrize(
    ("kind", "means", "asked", "why"),
    [
        ("removed", "automated", "block", "applied by automation alone"),
        ("complaint_upheld", "automated", "block", "applied by automation alone"),
        ("removed", "unknown", "block", "by unknown means"),
        ("held", "moderator", "review", "decide nothing (held, notices and complaints received)"),
        ("removed", "moderator", "allow", "removals of what was allowed, without a notice"),
    ],
)
def test_what_nobody_decided_is_none(kind, means, asked, why):
    """And the summary says why."""
    found = labels(followed(kind, means, asked=asked))[1]
    assert (found.lines, found.left_out) == ((), {why: 1})


def test_a_notice_that_is_upheld_makes_an_offer_of_what_was_allowed():
    """The notice came before, from anybody."""
    notice = followed("notice_received", "unknown", asked="allow")
    assert labels(notice, followed("removed", asked="allow"))[0] == ["offer"]


def test_a_notice_that_came_later_upholds_nothing():
    """The listing was gone already, for whatever reason."""
    removed = followed("removed", asked="allow")
    assert labels(removed, followed("notice_received", "unknown", asked="allow"))[0] == []


def test_a_complaint_outweighs_a_later_moderator():
    """The strongest word counts, and that people disagreed is told."""
    found, whole = labels(followed("removed"), followed("complaint_upheld"), followed("removed"))
    assert (found, whole.disagreeing, whole.words) == (["benign"], 1, {"by complaint: benign": 1, "by moderator: offer": 2})


def test_of_equal_words_the_latest_counts():
    """By when it happened, not by when it was recorded."""
    assert labels(followed("published", at=10_000), followed("removed", at=9_000))[0] == ["benign"]


def test_one_text_of_two_listings_has_one_label():
    """The same ad posted twice is one text to learn from."""
    texts = exported(Listing(id="1", title="ivory tusk"), Listing(id="2", title="ivory tusk"))
    found, whole = labels(followed("removed"), followed("published", listing="2"), texts=texts)
    assert (found, whole.disagreeing) == (["benign"], 1)


# --- which text ----------------------------------------------------------------------------------


def test_outcomes_without_a_text_are_counted():
    """The store does not keep texts."""
    assert labels(followed("removed", listing="7"))[1].left_out == {"without a text": 1}


def test_a_listing_of_several_texts_is_left_out():
    """Which of them was decided on is not known."""
    texts = exported(Listing(id="1", title="ivory tusk"), Listing(id="1", title="wooden tusk"))
    assert labels(followed("removed"), texts=texts)[1].left_out == {"of a listing that was exported with several texts": 1}


def test_a_text_of_the_request_goes_before_those_of_its_listing():
    """The listing may have been edited since."""
    texts = exported(Listing(id="1", title="wooden tusk"))
    texts.add(Listing(title="ivory tusk"), "request-1")
    assert [line.text for line in labels(followed("removed"), texts=texts)[1].lines] == ["ivory tusk"]


def test_a_text_that_is_not_the_one_decided_on_is_left_out():
    """Where that can be told."""
    found = labels(followed("removed"), fits=lambda *_: False)[1]
    assert found.left_out == {"whose text is not the one that was decided on (edited since, or exported in part)": 1}


def test_all_fields_are_the_text():
    """A field a line, attributes with their names."""
    listing = Listing(id="1", title="Tusk", description="Old.", attributes=(Attribute("Material", "ivory"),), language="de")
    (line,) = labels(followed("removed"), texts=exported(listing))[1].lines
    assert (line.text, line.language, line.group, line.source) == ("Tusk\nOld.\nMaterial: ivory", "de", "elephant", "removed:1")


@pytest.mark.parametrize(
    ("line", "message"), [('{"title": "x"}', "own.jsonl:1: neither id nor request_id"), ("[]", "own.jsonl:1: not a listing")]
)
def test_a_wrong_export_is_named(tmp_path, line, message):
    """By its line."""
    (tmp_path / "own.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(WildgateError, match=message):
        ExportedTexts.read(tmp_path / "own.jsonl")


# --- training ------------------------------------------------------------------------------------


def line(number):
    return LabeledLine(text=f"ivory tusk number {number}", label="offer", language="en", source=f"removed:{number}")


def test_a_fifth_is_never_trained_on():
    """It measures what comes out."""
    lines = [line(number) for number in range(200)]
    held = sum(map(is_held_out, lines))
    assert (20 < held < 60, len(trained_on(lines))) == (True, 200 - held)


def test_the_same_ad_in_capitals_stays_on_its_side():
    """Else the models would be measured on what they learned."""
    lines = [line(number) for number in range(50)]
    loud = [LabeledLine(text=each.text.upper(), label="offer", language="en") for each in lines]
    assert list(map(is_held_out, loud)) == list(map(is_held_out, lines))


def test_a_text_that_is_labeled_otherwise_elsewhere_is_refused():
    """A platform's file and its outcomes may not contradict each other."""
    one = trained_on([line(number) for number in range(5)])[0]
    with pytest.raises(ModelError, match=f"{one.source}: the text of own.jsonl:1 has another label"):
        agreeing([type(one)(one.origin, "own.jsonl:1", "en", one.text, offer=False), one])


# --- through the real service --------------------------------------------------------------------


class Platform:
    """A platform that lists, decides and tells, on a real service."""

    def __init__(self, service, stubs):
        self.service, self._stubs = service, stubs
        self.listings: list[dict[str, str]] = []

    def post(self, title):
        """Post a listing; returns its decision."""
        listing_id = str(len(self.listings))
        self.listings.append({"id": listing_id, "title": title})
        listing = types_pb2.Listing(listing_id=listing_id, title=title)
        return self._stubs.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(listing=listing)).decision

    def tell(self, decision, kind, means="moderator"):
        """Report what happened."""
        outcome = transparency_pb2.Outcome(
            outcome_id=str(uuid4()), decision_id=decision.decision_id, kind=KIND_NUMBERS[kind], means=MEANS_NUMBERS[means]
        )
        (result,) = self._stubs.transparency.RecordOutcomes(transparency_pb2.RecordOutcomesRequest(outcomes=[outcome])).results
        assert not result.HasField("error")

    def options(self, folder, **changed):
        """Words that name its store and its export, in which some listings were edited since."""
        file = folder / "listings.jsonl"
        rows = ({**each, "title": changed.get(f"listing_{each['id']}", each["title"])} for each in self.listings)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return ["--outcomes", self.service.store, "--listings", str(file)]


@pytest.fixture
def platform(start_small, connect):
    """One with five listings: a removal, an upheld complaint, a notice upheld, automation alone, and one that was held."""
    service = start_small()
    made = Platform(service, connect(service))
    sold, cushion, coded, automatic, held = map(
        made.post,
        ("elephant tusk 2 kg", "elephant tusk shaped cushion", "white gold, long nose", "elephant tusk, dm", "elephant tusk lamp"),
    )
    made.tell(sold, "removed")
    made.tell(cushion, "removed")
    made.tell(cushion, "complaint_received", "unknown")
    made.tell(cushion, "complaint_upheld")
    made.tell(coded, "notice_received", "unknown")
    made.tell(coded, "removed")
    made.tell(automatic, "removed", "automated")
    made.tell(held, "held")
    return made


def run(*words):
    return CliRunner().invoke(command, [*map(str, words)], catch_exceptions=False)


def test_outcomes_of_a_service_become_labels(platform, tmp_path):
    """Three of five listings were decided on by people."""
    output = tmp_path / "labels.jsonl"
    done = run("labels", *platform.options(tmp_path), "--output", output)
    assert {each.text: each.offer for each in read_labeled(output)} == {
        "elephant tusk 2 kg": True,
        "elephant tusk shaped cushion": False,
        "white gold, long nose": True,
    }
    assert done.stdout.splitlines()[0].startswith("8 outcomes: 3 labeled texts (2 offers, 1 benign; on 1 people disagreed")


def test_the_secrets_tell_a_text_that_was_edited(platform, tmp_path):
    """Its label would be another text's."""
    words = platform.options(tmp_path, listing_0="wooden tusk")
    run("labels", *words, "--secrets", Path(platform.service.folder) / "wildgate.secrets", "--output", tmp_path / "labels.jsonl")
    assert sorted(each.text for each in read_labeled(tmp_path / "labels.jsonl")) == [
        "elephant tusk shaped cushion",
        "white gold, long nose",
    ]


def test_what_is_held_out_is_in_a_file_of_its_own(platform, tmp_path):
    """Both files together are all."""
    files = [tmp_path / name for name in ("train.jsonl", "test.jsonl")]
    run("labels", *platform.options(tmp_path), "--output", files[0], "--held-out", files[1])
    rows = [[json.loads(each) for each in file.read_text(encoding="utf-8").splitlines()] for file in files]
    held = [[is_held_out(LabeledLine(**each)) for each in part] for part in rows]
    assert (sum(map(len, rows)), any(held[0]), all(held[1])) == (3, False, True)


def test_another_tenant_has_no_outcomes(platform, tmp_path):
    """Tenants learn from their own."""
    done = run("labels", *platform.options(tmp_path), "--tenant", "nobody", "--output", tmp_path / "labels.jsonl")
    assert done.stdout.startswith("0 outcomes: 0 labeled texts")


def test_a_store_without_its_texts_is_a_usage_error(tmp_path):
    """And so is the other way round."""
    done = CliRunner().invoke(command, ["labels", "--outcomes", "sqlite:///none.db", "--output", str(tmp_path / "x")])
    assert (done.exit_code, "--listings" in done.stderr) == (2, True)


def test_a_store_that_is_not_there_is_an_error(run_wildgate, tmp_path):
    """With its path."""
    (tmp_path / "own.jsonl").write_text("", encoding="utf-8")
    done = run_wildgate("model", "labels", "--outcomes", "sqlite:///none.db", "--listings", "own.jsonl", "--output", "x")
    assert (done.returncode, "there is no store none.db" in done.stderr) == (2, True)


@pytest.mark.train
def test_the_command_trains_on_outcomes(platform, lexicons, english, first_encoder_alone, invented_data, tmp_path, monkeypatch):
    """From the store to models that are served beside a fusion of their own."""
    pytest.importorskip("sklearn", reason="needs the extra train")
    from wildgate_service.model import train  # noqa: PLC0415  (needs the extra)

    for name, value in {**english, "embeddings": tmp_path}.items():
        monkeypatch.setitem(train.train_heads.__kwdefaults__, name, value)
    monkeypatch.setenv("WILDGATE_CACHE", str(first_encoder_alone))
    monkeypatch.setattr("wildgate_service.cli.model.default_lexicons", lambda: lexicons)
    done = run("train", "--data", invented_data, *platform.options(tmp_path), "--output", tmp_path / "models")
    assert (done.exit_code, done.stdout.startswith("8 outcomes: 3 labeled texts")) == (0, True)
    assert find_models(tmp_path / "models", fusion=PRIORS).heads == tmp_path / "models" / "heads-v1"


@pytest.mark.train
def test_outcomes_need_their_texts(invented_data, tmp_path):
    """Training without them would learn nothing from people, and not say so."""
    pytest.importorskip("sklearn", reason="needs the extra train")
    done = CliRunner().invoke(
        command, ["train", "--data", str(invented_data), "--outcomes", "sqlite:///x.db", "--output", str(tmp_path / "m")]
    )
    assert (done.exit_code, "--outcomes and --listings go together" in done.stderr) == (2, True)
