"""Errors of writing: what a reader still reads is read and named, what is another word is not."""

import pytest
from wildgate_service.lexicon.gathering import Placed
from wildgate_service.lexicon.linking import Sources, link
from wildgate_service.lexicon.objects import object_of
from wildgate_service.lexicon.rules import Entry, Examples, Rule
from wildgate_service.match import match
from wildgate_service.match.tables import TaxonRow, compiled_in_memory
from wildgate_service.match.views import GARBLED
from wildgate_service.normalize import normalize
from wildgate_service.types import Level, Listing, RuleKind

FORMS = {
    "en": ("rhino horn", "bear bile", "saiga antelope horn", "tiger skin rug", "pangolin scales", "hornbill"),
    "es": ("piel de jaguar", "mono tití"),
    "id": ("telur penyu segar",),
    "tl": ("apdo ng oso",),
    "vi": ("vi cá mập khô",),
    "ar": ("صقر شاهين",),
    "ko": ("회색앵무 새끼",),
    "hi": ("भालू का पित्त",),
    "th": ("งาช้างทั้งกิ่ง", "หนังเสือโคร่ง", "ของป่า"),
    "lo": ("ໜັງເສືອໂຄ່ງ", "ນ້ຳມັນໝີ"),
    "my": ("ဆင်စွယ်တစ်စုံ",),
    "km": ("ភ្លុកដំរី",),
}
ORDINARY = {"sin": "en es", "bale": "en", "bera": "ms", "horns": "en"}
COMMON = frozenset({"con", "cabeza", "and", "garras"})


def _rule(language, forms):
    return Rule(
        id=f"{language}-x",
        title=language,
        status="test",
        description="Detects what a test wants.",
        language=language,
        taxa=("elephant",),
        kind=RuleKind.PRODUCT,
        level=Level.ALONE,
        entries=tuple(Entry(form, f"gloss of {form}") for form in forms),
        falsepositives=(),
        references=("https://example.org",),
        visibility="public",
        examples=Examples((), ()),
        author="tests",
        reviewed_by="",
        date="2026-01-01",
        modified="2026-01-01",
    )


LEXICON = compiled_in_memory(
    link(
        Sources(
            [Placed("", object_of(_rule(language, forms) for language, forms in FORMS.items()), 0)],
            {"elephant": TaxonRow("Elephantidae", "elephant", ())},
            "1.0.0",
            {},
            ordinary=ORDINARY,
            common=COMMON,
        )
    )
)


def found_in(title):
    """(form, surface, views) of each taxon match of a listing."""
    return {(each.form, each.surface, each.views) for each in match(normalize(Listing(title=title)), LEXICON).taxa}


@pytest.mark.parametrize(
    ("written", "form", "surface", "view"),
    [
        ("Bera bile powdr", "bear bile", "Bera bile", "slip"),
        ("Rihno hron", "rhino horn", "Rihno hron", "slip"),
        ("8ai9a ante1upe hokn", "saiga antelope horn", "8ai9a ante1upe hokn", "slip"),
        ("Pan9u1in 8ca1e8", "pangolin scales", "Pan9u1in 8ca1e8", "slip"),
        ("Telur pehyu segar", "telur penyu segar", "Telur pehyu segar", "slip"),
        ("apdo ng oos", "apdo ng oso", "apdo ng oos", "slip"),
        ("vi cá mậập khô", "vi cá mập khô", "vi cá mậập khô", "slip"),
        ("piel de jaguarconcabeza", "piel de jaguar", "piel de jaguar", "run_together"),
        ("صقرررر شاهين", "صقر شاهين", "صقرررر شاهين", "repeats"),
        ("งาช้้างทัั้งกิ่ง", "งาช้างทั้งกิ่ง", "งาช้้างทัั้งกิ่ง", "slip"),
        ("งาชางทั้งกิ่ง", "งาช้างทั้งกิ่ง", "งาชางทั้งกิ่ง", "slip"),
        ("หนันันันังเสืเสืเสือโคโคโคร่ร่ร่ง", "หนังเสือโคร่ง", "หนันันันังเสืเสืเสือโคโคโคร่ร่ร่ง", "repeats"),
        ("ໜງເສືອໂຄ່ງ", "ໜັງເສືອໂຄ່ງ", "ໜງເສືອໂຄ່ງ", "slip"),
        ("ນ້ຳມັນໝແທ້", "ນ້ຳມັນໝີ", "ນ້ຳມັນໝ", "slip"),
        ("ဆငစွယ်တစ်စုံ", "ဆင်စွယ်တစ်စုံ", "ဆငစွယ်တစ်စုံ", "slip"),
        ("भालूलूलू का पित्त", "भालू का पित्त", "भालूलूलू का पित्त", "repeats"),
    ],
)
def test_an_error_is_read_and_named(written, form, surface, view):
    """With all of what was written for the form."""
    assert (form, surface, (view,)) in found_in(written)


@pytest.mark.parametrize(
    "written",
    [
        "tiger sin rug",  # ordinary in English
        "bear bale",
        "rxixo hozn",  # four other letters
        "horxbxll",  # two letters that are simply others
        "ของป้า",  # auntie's, not of the forest
        "ນ້ຳມັນໝາກພ້າວ",  # coconut oil: the last letter has a vowel of its own, which stands behind it
        "oos",
    ],
)
def test_what_is_another_word_is_not_read(written):
    """Nor what nobody would read as the form."""
    assert found_in(written) == set()


def test_a_word_of_another_language_bears_a_form_beside_it():
    """Bera is a Malay word; before bile it is a bear."""
    assert found_in("bera bile") == {("bear bile", "bera bile", ("slip",))}
    assert found_in("bera") == set()


def test_a_long_form_with_a_slip_keeps_its_level():
    """A short one needs company."""
    levels = {each.form: each.level for each in match(normalize(Listing(title="rihno horn, hornbil")), LEXICON).taxa}
    assert levels == {"rhino horn": Level.ALONE, "hornbill": Level.WITH_COMPANY}


@pytest.mark.parametrize(
    ("written", "form", "surface"),
    [
        ("Rgini hlrn ffom afrjca", "rhino horn", "Rgini hlrn"),
        ("Tkgef skjn rhg wuth hesd", "tiger skin rug", "Tkgef skjn rhg"),
        ("8ai9a amte1ope hokh ni2e8t", "saiga antelope horn", "8ai9a amte1ope hokh"),
    ],
)
def test_where_every_word_is_wrong_forms_are_read_with_two_letters_of_a_word_wrong(written, form, surface):
    """The view says so, beside that of a misspelling or slip."""
    views = {views for found, where, views in found_in(written) if (found, where) == (form, surface)}
    assert {GARBLED in each for each in views} == {True}


def test_two_letters_of_a_word_are_not_put_right_among_words():
    """What stands among words of some language is written as it is meant."""
    assert found_in("Rgini hlrn con cabeza and garras") == set()


def test_that_every_word_is_wrong_is_company_for_a_long_form():
    """Without another word, a form that may be misread counts there, and nowhere else; a shorter one does not."""
    texts = {"Tkgef skjn rhg wuth hesd", "Rgini hlrn ffom afrjca", "Hornbilk yel", "Rhno hlrn con cabeza and garras"}
    counting = {text: [each.counts for each in match(normalize(Listing(title=text)), LEXICON).taxa] for text in texts}
    assert {text for text, counts in counting.items() if any(counts)} == {"Tkgef skjn rhg wuth hesd"}
    assert all(counting.values())
