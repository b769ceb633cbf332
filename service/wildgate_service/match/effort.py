"""Effort: how much may be done to read one text through disguises, so that no text keeps a service busy.

Looks are counted: at a place where a form may stand in disguise, and at a form that another reading of the text holds; what is judged
there costs several. Of what is allowed an ordinary listing takes a fifth at most, many sewn together to 19,000 code points nine
tenths, an offer in the worst of the measured disguises half. Who strews a text with what may be a form nearly everywhere is not
followed to its end: such a text is `crowded`, and the decision heeds that.

Readings and layers are counted apart, by their code points: a long text with something of everything in it, as when many are sewn
together, opens more of them than are searched. That is no sign of anything; the decision says it.
"""

from __future__ import annotations

ALWAYS_LOOKED = 2_000
LOOKS_FOR_EACH = 1.1  # for each code point that was sent, in a long text
ALWAYS_READ = 32_000  # code points of readings, of all layers together, that are searched of any text
READ_FOR_EACH = 16  # of them for each code point that was sent, in a long text
ALWAYS_LAYERED = 1_000  # code points of layers that are read of any text
LAYERED_FOR_EACH = 3  # of them for each code point that was sent
HITS = 4  # of a reading that are sifted at the cost of one look


class Effort:
    """What is left to spend on a text of so many code points as sent."""

    def __init__(self, length: int) -> None:
        self._looks = max(ALWAYS_LOOKED, LOOKS_FOR_EACH * length)
        self._readings = max(ALWAYS_READ, READ_FOR_EACH * length)
        self._layers = ALWAYS_LAYERED + LAYERED_FOR_EACH * length

    @property
    def is_crowded(self) -> bool:
        """Whether there was more to look at than any ordinary text has."""
        return self._looks < 0

    @property
    def is_spent(self) -> bool:
        """Whether something was left undone."""
        return self._looks < 0 or self._readings < 0 or self._layers < 0

    def allows(self, looks: int) -> bool:
        """Spend so many looks; whether they were left."""
        self._looks -= looks
        return self._looks >= 0

    def reads(self, length: int) -> bool:
        """Spend a reading of so many code points; whether it is searched."""
        self._readings -= length
        return not self.is_spent

    def opens(self, length: int) -> bool:
        """Spend a layer of so many code points; whether it is read."""
        self._layers -= length
        return not self.is_spent
