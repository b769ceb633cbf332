"""What it takes to read a word as another, and which words a text may be run together of."""

import pytest
from wildgate_service.match.corrected import Change, apply
from wildgate_service.match.misspelling import Spelled, Speller
from wildgate_service.match.run_together import parted
from wildgate_service.match.slips import cost, shape_keys

WORDS = frozenset({"jaguar", "con", "cabeza", "piel", "de", "rhino", "horn", "شبل", "فهد", "회색앵무", "새끼"})


@pytest.mark.parametrize(
    ("written", "meant", "price"),
    [
        ("ivory", "ivory", 0),
        ("ivxry", "ivory", 1),
        ("ivry", "ivory", 0.75),
        ("ivorxy", "ivory", 1),
        ("ivroy", "ivory", 0.5),
        ("ivoory", "ivory", 0.5),
        ("ivpry", "ivory", 0.5),
        ("ivuky", "ivory", 1),
        ("iv0ry", "ivory", 0.25),
        ("8ai9a", "saiga", 0.5),
        ("hron", "horn", 0.5),
    ],
)
def test_a_slip_costs_less_than_another_letter(written, meant, price):
    """Swapped, doubled and neighboring letters and like shapes are cheap, other letters are not."""
    assert cost(written, meant) == price


def test_words_that_look_alike_share_a_key():
    """However many letters are misread, and where a digit has two readings."""
    assert set(shape_keys("taktako9a")) & set(shape_keys("tartaruga"))
    assert set(shape_keys("8ea8h0k8e")) & set(shape_keys("seashorse"))
    assert not set(shape_keys("pangolin")) & set(shape_keys("tartaruga"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("jaguarconcabeza", ["jaguar", "con", "cabeza"]),
        ("rhinohorn", ["rhino", "horn"]),
        ("شبلفهد", ["شبل", "فهد"]),
        ("회색앵무새끼", ["회색앵무", "새끼"]),
        ("jaguarxcabeza", []),
        ("jaguar", []),
    ],
)
def test_words_run_together_are_parted_whole_or_not_at_all(text, pieces):
    """Every letter belongs to a known word."""
    assert parted(text, WORDS) == pieces


def test_words_run_together_are_parted_where_that_makes_a_form():
    """Short ones only beside what they stand beside in a form, unless they make one among themselves."""
    words = frozenset({"rhino", "horn", "cups"})
    speller = Speller(Spelled.of(frozenset({"rhino", "horn"}), frozenset(), frozenset({"rhino horn"}), known=words))
    texts = ("blue horncups", "rhino horncups", "blue rhinohorn")
    assert [[each.text for each in speller.corrected(text, text.split())] for text in texts] == [
        [],
        ["rhino horn cups"],
        ["blue rhino horn"],
    ]


def test_a_masked_word_that_may_be_a_common_one_needs_a_word_beside_it():
    """Where the letters seen fit an ordinary word as well, only a form of several words says which is meant."""
    words = frozenset({"tusk", "elephant"})
    speller = Speller(Spelled.of(words, frozenset(), frozenset({"tusk", "elephant tusk"}), common=frozenset({"task", "tusk"})))
    texts = ("a t*sk", "elephant t*sk", "an el*phant")
    assert [[each.text for each in speller.corrected(text, text.split())] for text in texts] == [
        [],
        ["elephant tusk"],
        ["an elephant"],
    ]


def test_a_sign_at_the_end_may_be_a_letter_or_the_end_of_a_sentence():
    """The word beside it tells."""
    words = frozenset({"corn", "corno", "elefante", "rinoceronte"})
    phrases = frozenset({"corn", "elefante", "corno di", "di rinoceronte"})
    speller = Speller(Spelled.of(words, frozenset(), phrases))
    texts = ("c.rn. di rinoceronte", "fresh c.rn.", "un _l_f_nt_")
    assert [[each.text for each in speller.corrected(text, text.split())][:1] for text in texts] == [
        ["corno di rinoceronte"],
        ["fresh corn"],
        ["un elefante"],
    ]


def test_a_corrected_text_leads_back_to_its_source():
    """Over words put right, blanks put in and letters taken out."""
    corrected = apply(
        "pirl dejaguar hooorn!",
        [
            Change(0, 4, "piel", "misspelling", 0.5),
            Change(7, 7, " ", "run_together", 0.0),
            Change(16, 18, "", "repeats", 0.25),
        ],
    )
    assert corrected.text == "piel de jaguar horn!"
    assert corrected.to_source(0, 4)[:2] == (0, 4)
    assert corrected.to_source(0, 14)[:2] == (0, 13)
    assert corrected.to_source(8, 14)[:2] == (7, 13)
    assert corrected.to_source(15, 19)[:2] == (14, 20)
    assert corrected.to_source(19, 20) is None
