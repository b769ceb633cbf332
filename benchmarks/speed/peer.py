"""One word filter in an environment of its own, asked on standard input; needs nothing but that filter. Run by peers.py.

Usage: python peer.py NAME FORMS   where FORMS is a file of JSON, a list of strings
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import sys
import time
import types
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

Filter = Callable[[str], bool]
UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x9FFF))


def load(module: str) -> Any:  # noqa: ANN401  (packages without types)
    """A package of this environment."""
    return importlib.import_module(module)


def pyahocorasick(forms: list[str]) -> Filter:
    """Whole words where words are spaced, anywhere where they are not."""
    automaton = load("ahocorasick").Automaton()
    for form in map(folded, forms):
        automaton.add_word(form, form)
    automaton.make_automaton()

    def stops(text: str) -> bool:
        text = folded(text)
        return any(_is_whole(text, end + 1 - len(found), end + 1) for end, found in automaton.iter(text))

    return stops


def folded(text: str) -> str:
    """NFKC and case folding."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _is_whole(text: str, start: int, end: int) -> bool:
    return not (_joins(text[start - 1 : start], text[start]) or _joins(text[end : end + 1], text[end - 1]))


def _joins(outside: str, inside: str) -> bool:
    return outside.isalnum() and inside.isalnum() and not any(low <= ord(inside) <= high for low, high in UNSPACED)


def flashtext(forms: list[str]) -> Filter:
    """All keywords in one trie."""
    processor = load("flashtext").KeywordProcessor()
    for form in forms:
        processor.add_keyword(form)
    return lambda text: bool(processor.extract_keywords(text))


def better_profanity(forms: list[str]) -> Filter:
    """Its own list replaced by the forms."""
    words = load("better_profanity").Profanity()
    words.load_censor_words(forms)
    return lambda text: bool(words.contains_profanity(text))


def presidio_analyzer(forms: list[str]) -> Filter:
    """A deny list as one recognizer."""
    presidio, engines, spacy = load("presidio_analyzer"), load("presidio_analyzer.nlp_engine"), load("spacy")

    class Blank(engines.SpacyNlpEngine):  # type: ignore[misc,name-defined]
        """Tokens and nothing else, so that the recognizer is what is measured."""

        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    registry = presidio.RecognizerRegistry(recognizers=[])
    registry.recognizers = [presidio.PatternRecognizer(supported_entity="FORM", deny_list=forms)]
    analyzer = presidio.AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    return lambda text: bool(analyzer.analyze(text=text, language="en", entities=["FORM"]))


def llm_guard(forms: list[str]) -> Filter:
    """Its scanner alone: the package around it loads torch, and its logger is replaced, which would write a line for each text."""
    found = importlib.util.find_spec("llm_guard")
    for name in ("llm_guard", "llm_guard.input_scanners"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(place) / Path(*name.split(".")[1:])) for place in found.submodule_search_locations]  # type: ignore[union-attr]
        sys.modules[name] = package
    silent = types.ModuleType("llm_guard.util")
    silent.get_logger = _silent_logger  # type: ignore[attr-defined]
    sys.modules["llm_guard.util"] = silent
    scanner = load("llm_guard.input_scanners.ban_substrings").BanSubstrings(forms, match_type="word", case_sensitive=False)
    return lambda text: not scanner.scan(text)[1]


class _Silent:
    """Takes what structlog's loggers take."""

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _silent_logger() -> _Silent:
    return _Silent()


def alt_profanity_check(_: list[str]) -> Filter:
    """Its own model; forms cannot be given."""
    predict = load("profanity_check").predict
    return lambda text: bool(predict([text])[0])


def wildgate(_: list[str]) -> Filter:
    """The whole pipeline, as a service runs it."""
    return _wildgate(load("wildgate_service.local").local_engine())


def wildgate_lexicons(_: list[str]) -> Filter:
    """Without screen and encoder."""
    engine = load("wildgate_service.local").local_engine()
    return _wildgate(load("msgspec").structs.replace(engine, classifier=None, screen=None))


def _wildgate(engine: object) -> Filter:
    pipeline, kinds = load("wildgate_service.pipeline"), load("wildgate_service.types")
    return lambda text: pipeline.score_listing(engine, kinds.Listing(description=text)).action != kinds.Action.ALLOW


MAKERS: dict[str, Callable[[list[str]], Filter]] = {
    "wildgate": wildgate,
    "wildgate-lexicons": wildgate_lexicons,
    "pyahocorasick": pyahocorasick,
    "flashtext": flashtext,
    "better-profanity": better_profanity,
    "presidio-analyzer": presidio_analyzer,
    "llm-guard": llm_guard,
    "alt-profanity-check": alt_profanity_check,
}


def answer(stops: Filter, texts: list[str], seconds: float) -> dict[str, list[Any]]:
    """Microseconds and whether it is stopped of each text, until the time is over; at least of one."""
    taken: list[float] = []
    stopped: list[bool] = []
    began = time.perf_counter()
    for text in texts:
        start = time.perf_counter_ns()
        stopped.append(stops(text))
        taken.append((time.perf_counter_ns() - start) / 1e3)
        if time.perf_counter() - began > seconds:
            break
    return {"microseconds": taken, "stopped": stopped}


def main(name: str, forms: Path) -> None:
    """Make the filter, say how long it took, answer."""
    logging.disable(logging.CRITICAL)
    began = time.perf_counter()
    stops = MAKERS[name](json.loads(forms.read_text(encoding="utf-8")))
    stops("warm")
    print(json.dumps({"build_seconds": round(time.perf_counter() - began, 3)}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(answer(stops, asked["texts"], asked["seconds"])), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
