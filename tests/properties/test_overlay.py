"""Whatever is changed in a lexicon folder, a delta laid over what is served answers as a compilation from scratch does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wildgate_service.lexicon import load_compiled
from wildgate_service.lexicon.compiler import Compiler, lexicon_in_memory
from wildgate_service.match import find_contexts, match
from wildgate_service.normalize import normalize
from wildgate_service.types import Listing

FORMS = {
    "en": ("elephant ivory", "ivory tusk", "ivory", "rhino horn", "rhinohorn", "tiger tooth", "ivory dress", "tusk", "pangolin scales"),
    "ru": ("бивень слона", "рог носорога", "слоновая кость", "бивень"),
    "zh-Hans": ("象牙", "象牙手镯", "犀牛角", "穿山甲"),
    "vi": ("ngà voi", "sừng tê giác", "ngà"),
}
FURTHER = ({}, {"fuzzy": True}, {"match": "prefix"})
KINDS = ("species", "product", "code_word", "trade_cue", "benign_context")
TEXTS = (
    "Elephant ivory tusk for sale",
    "ivory dress, ivory tusk, rhino horn",
    "1v0ry tu5k and r h i n o  h o r n",
    "ivorry tusc, pangollin scales, tigre tooth",
    "iv*ry tusk rhinohornforsale tigertooth ivorytusk",
    "象牙手镯 犀 牛 角 xiangya xiangyashouzhuo",
    "бивень слона, рог носорога, biven slona, рoг",
    "ngà voi, nga voi, sừng tê giác, sung te giac",
    "🐘 tusk, 🦏 horn, yrovi tusk",
)
TAXA = {"elephant": "elephant", "rhinoceros": "rhino", "tiger": "big_cat"}
GROUPS = ("elephant", "rhino", "big_cat", "pangolin")


@st.composite
def rules(draw):
    """A rule without its id, in any language and of any kind."""
    language = draw(st.sampled_from(sorted(FORMS)))
    kind = draw(st.sampled_from(KINDS))
    rule = {
        "title": "A rule",
        "status": draw(st.sampled_from(("test", "test", "test", "deprecated"))),
        "description": "Detects things.",
        "language": language,
        "taxa": [draw(st.sampled_from(sorted(TAXA)))] if kind in KINDS[:3] else [],
        "kind": kind,
        "level": "company_only" if kind == "trade_cue" else draw(st.sampled_from(("alone", "with_company"))),
        "entries": [
            {"form": form, "gloss": draw(st.sampled_from(("one", "two"))), **draw(st.sampled_from(FURTHER))}
            for form in draw(st.lists(st.sampled_from(FORMS[language]), min_size=1, max_size=3, unique=True))
        ],
        "falsepositives": [],
        "references": ["unreviewed"],
        "visibility": draw(st.sampled_from(("public", "restricted"))),
        "examples": {"match": ["a", "b", "c"], "no_match": ["d", "e", "f"]},
        "author": "tests",
        "reviewed_by": "",
        "date": "2026-01-01",
        "modified": "2026-01-01",
    }
    if kind == "benign_context":
        rule["cancels"] = {"groups": [draw(st.sampled_from((*GROUPS[:3], "*")))], "within": draw(st.sampled_from((0, 30)))}
    if kind == "product" and draw(st.booleans()):
        rule["entries"][0]["requires"] = {"kinds": ["trade_cue"], "within": 20}
    return rule


NUMBER = st.integers(0, 9)
EDIT = st.one_of(
    st.tuples(st.just("write"), NUMBER, rules()),
    st.tuples(st.just("write"), NUMBER, rules()),
    st.tuples(st.just("delete"), NUMBER),
    st.tuples(st.just("move"), NUMBER, NUMBER),
    st.tuples(st.just("regroup"), st.sampled_from(sorted(TAXA)), st.sampled_from(GROUPS)),
    st.tuples(st.just("protect"), st.sampled_from(sorted(TAXA)), st.sampled_from(("I", "II"))),
    st.tuples(st.just("release"), NUMBER),
    st.tuples(st.just("go back"), NUMBER),
)


class Folder:
    """Ten places for rules in three files, and the tables beside them; all that edits change."""

    def __init__(self) -> None:
        self.rules: dict[int, dict] = {}
        self.places = {number: number for number in range(10)}
        self.taxa, self.appendices, self.version = dict(TAXA), dict.fromkeys(TAXA, "I"), 0
        self.history: list[tuple] = []

    def edit(self, what, *of) -> None:
        """Change one thing, or all back to what they were some edits ago."""
        self.history.append((dict(self.rules), dict(self.places), dict(self.taxa), dict(self.appendices), self.version))
        if what == "write":
            self.rules[of[0]] = of[1]
        elif what == "delete":
            self.rules.pop(of[0], None)
        elif what == "move":
            one, other = of
            self.places[one], self.places[other] = self.places[other], self.places[one]
        elif what == "regroup":
            self.taxa[of[0]] = of[1]
        elif what == "protect":
            self.appendices[of[0]] = of[1]
        elif what == "release":
            self.version = of[0]
        else:
            before = self.history[max(0, len(self.history) - 1 - of[0])]
            self.rules, self.places, self.taxa, self.appendices = map(dict, before[:4])
            self.version = before[4]

    def write(self, root: Path) -> None:
        """Write the files as they are now."""
        shutil.rmtree(root, ignore_errors=True)
        (root / "rules" / "xx").mkdir(parents=True)
        (root / "VERSION").write_text(f"1.0.{self.version}\n", encoding="utf-8")
        taxa = "".join(f"{taxon},Name of {taxon},species,{group},{taxon}\n" for taxon, group in self.taxa.items())
        (root / "taxa.csv").write_text(f"taxon,scientific_name,rank,group,common_name\n{taxa}", encoding="utf-8")
        rows = "".join(f"{taxon},CITES,{appendix},,,,CITES,\n" for taxon, appendix in self.appendices.items())
        (root / "protection.csv").write_text(f"taxon,list,appendix,market,valid_from,valid_to,source,note\n{rows}", encoding="utf-8")
        (root / "unions.csv").write_text("union,market,source\n", encoding="utf-8")
        (root / "ordinary_words.tsv").write_text("word\tlanguages\ntusks\ten\nxiangya\tzh\n", encoding="utf-8")
        at_least_one = {"id": "en-first", **_FIRST}
        files = {"a": [at_least_one], "b": [], "c": []}
        for number in sorted(self.rules, key=self.places.__getitem__):
            files["abc"[self.places[number] % 3]].append({"id": f"en-rule-{number}", **self.rules[number]})
        for name, listed in files.items():
            if listed:
                text = "".join(f"# rule\n{yaml.safe_dump([rule], allow_unicode=True)}\n" for rule in listed)
                (root / "rules" / "xx" / f"{name}.yml").write_text(text, encoding="utf-8")


_FIRST = {
    "title": "A rule",
    "status": "test",
    "description": "Detects things.",
    "language": "en",
    "taxa": ["elephant"],
    "kind": "product",
    "level": "alone",
    "entries": [{"form": "elephant tusk", "gloss": "tusk"}],
    "falsepositives": [],
    "references": ["unreviewed"],
    "visibility": "public",
    "examples": {"match": ["a", "b", "c"], "no_match": ["d", "e", "f"]},
    "author": "tests",
    "reviewed_by": "",
    "date": "2026-01-01",
    "modified": "2026-01-01",
}


def spelled(search, text):
    """The readings of a text with its words put right."""
    return [each.text for each in search.speller.corrected(text, text.split())]


def everything(lexicon):
    """What a lexicon answers and says of itself, apart from the numbers by which it names its rules."""
    searches = (lexicon.taxon_search, lexicon.context_search)
    return {
        "answers": [(match(text, lexicon), find_contexts(text, lexicon)) for text in (normalize(Listing(title=each)) for each in TEXTS)],
        "forms": [(lexicon.rules[form.rule], *(getattr(form, name) for name in form.__struct_fields__[1:])) for form in lexicon.forms],
        "rows": lexicon.rows,
        "requirements": lexicon.requirements,
        "tables": (lexicon.languages, lexicon.taxa, lexicon.unions, lexicon.places("DE")),
        "glue": sorted(searches[0].glue),
        "spelled": [[spelled(search, text.casefold()) for text in TEXTS] for search in searches],
        "content": lexicon.version.partition("+")[0],
    }


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EDIT, min_size=1, max_size=4), st.lists(EDIT, min_size=1, max_size=5))
def test_overlay_answers_as_a_lexicon_compiled_from_scratch(before, edits):
    """Edit after edit over one base, rules moved and taken back, and in the same order everywhere."""
    folder = Folder()
    for edit in before:
        folder.edit(*edit)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "lexicons"
        folder.write(root)
        compiler = Compiler(root, Path(name) / "out")
        served = base = load_compiled(compiler.compile())
        for edit in edits:
            folder.edit(*edit)
            folder.write(root)
            served = load_compiled(compiler.compile(), served)
            scratch = everything(lexicon_in_memory(root))
            assert served.base is base
            assert [name for name, value in everything(served).items() if value != scratch[name]] == []
            again = load_compiled(Compiler(root, Path(name) / "elsewhere").compile())
            assert (served.version, served.digest) == (again.version, again.digest)
