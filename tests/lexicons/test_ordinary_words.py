"""The list of ordinary words: read, checked, and in step with the fold."""

import pytest
from wildgate_service.errors import LexiconError
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.ordinary import FILE, HOMOGRAPHS, ordinary_words_of, read_ordinary_words
from wildgate_service.normalize import fold


def test_the_shipped_list_holds_words_one_letter_from_wildlife():
    """One does not sell a "timer" for a tiger; "taiyuan" is a city and 报批 an application, whatever pinyin and homophones say."""
    assert {"timer", "taiyuan", "报批"} <= read_ordinary_words(default_lexicons()).keys()


def test_the_shipped_list_is_folded():
    """It is compared with folded words."""
    assert [word for word in read_ordinary_words(default_lexicons()) if fold(word).strip() != word] == []


def test_the_shipped_homographs_mean_something_else():
    """Varicose veins in Turkish, "their" in Italian; a pangolin is one everywhere."""
    words = ordinary_words_of((default_lexicons() / HOMOGRAPHS).read_text(encoding="utf-8"), HOMOGRAPHS)
    assert (words["varis"], words["loro"], "pangolin" in words) == ("tr", "it", False)


def test_notes_are_skipped(tmp_path):
    """A line that begins with # says where the words come from."""
    (tmp_path / FILE).write_text("# source\nword\tlanguages\nivery\ten:2.0\n", encoding="utf-8")
    assert read_ordinary_words(tmp_path) == {"ivery": "en"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "ordinary_words.tsv:1: columns must be word, languages"),
        ("# note\nword\n", "ordinary_words.tsv:2: columns must be word, languages"),
        ("word\tlanguages\nivery\n", "ordinary_words.tsv:2: a line is a word, a tab"),
        ("word\tlanguages\n\ten:3.0\n", "ordinary_words.tsv:2: a line is a word, a tab"),
        ("# note\nword\tlanguages\nivery\ten:3.0\nivery\tde:3.0\n", "ordinary_words.tsv:4: ivery stands twice"),
    ],
)
def test_a_broken_list_is_refused_with_its_line(tmp_path, content, message):
    """So that an editor finds it."""
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError) as caught:
        read_ordinary_words(tmp_path)
    assert str(caught.value).startswith(message)


def test_a_missing_list_is_refused(tmp_path):
    """And the sentence says what writes it."""
    with pytest.raises(LexiconError, match="make_ordinary_words"):
        read_ordinary_words(tmp_path)


def test_a_list_in_another_encoding_is_refused_with_its_line(tmp_path):
    """UTF-8 only."""
    (tmp_path / FILE).write_bytes(b"word\tlanguages\n\xff\ten:3.0\n")
    with pytest.raises(LexiconError, match=r"ordinary_words\.tsv:2: not UTF-8"):
        read_ordinary_words(tmp_path)
