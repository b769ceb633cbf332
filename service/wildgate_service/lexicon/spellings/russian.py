"""Russian in Latin letters, in the schemes that people meet: press and maps, passports, and chat."""

from __future__ import annotations

from collections.abc import Iterator

CYRILLIC = ("\u0400", "\u04ff")
SIGNS = str.maketrans("", "", "'`’ʹ\"")


def russian_in_latin(form: str, language: str, reading: str) -> Iterator[str]:
    """Schemes of iuliia, then Wikipedia's as chats write it: j for y before a vowel, h for kh, 4 for ch."""
    del language, reading
    if not any(CYRILLIC[0] <= char <= CYRILLIC[1] for char in form):
        return
    import iuliia  # noqa: PLC0415  (its schemes load only where Russian is compiled)

    written = [scheme.translate(form).translate(SIGNS) for scheme in (iuliia.WIKIPEDIA, iuliia.ICAO_DOC_9303, iuliia.YANDEX_MAPS)]
    press = written[0]
    yield from written
    yield press.replace("ya", "ja").replace("yu", "ju")
    yield press.replace("kh", "h")
    yield press.replace("kh", "h").replace("shch", "sch").replace("ch", "4")
