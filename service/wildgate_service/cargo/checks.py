"""What a rule can ask of a booking that its lists cannot say. Each check answers with the reason, or "" if it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wildgate_service.cargo.booking import UNSPECIFIED, Booking
from wildgate_service.cargo.tables import Goods, Patterns

CHAPTER = 2  # digits
LIGHT_KILOGRAMS = 1000


def usual_trade(booking: Booking, patterns: Patterns) -> str:
    """Whether all goods named are what the origin is known to ship, under a code that fits."""
    told = _told(booking, patterns)
    if not told or code_unlike_goods(booking, patterns) or not _all_usual(booking, told):
        return ""
    return f"{_words(booking)} from {booking.origin.words if booking.origin else ''}"


def unusual_origin(booking: Booking, patterns: Patterns) -> str:
    """Whether there are goods that the origin is not known to ship, among those of which the table says who does."""
    country = booking.origin.country if booking.origin else ""
    strange = [words for name, words in booking.goods if _usual_from(name, patterns) and country not in _usual_from(name, patterns)]
    return f"{', '.join(strange)} from {booking.origin.words}" if strange and booking.origin else ""


def code_unlike_goods(booking: Booking, patterns: Patterns) -> str:
    """Whether the HS code is of a chapter in which none of the goods stand."""
    told = _told(booking, patterns)
    if not (booking.code and told) or any(booking.code[:CHAPTER] in goods.chapters for goods in told):
        return ""
    return f"HS {booking.code} for {_words(booking)}"


def heading_of_wildlife(booking: Booking, patterns: Patterns) -> str:
    """Whether the HS code is of a heading in which wildlife stands."""
    return next((f"HS {booking.code}: {title}" for code, title in patterns.headings.items() if booking.code.startswith(code)), "")


def light_or_by_air(booking: Booking, _: Patterns) -> str:
    """Whether it goes by air, or weighs less than a ton."""
    if booking.air:
        return "by air"
    return f"{booking.kilograms:,.0f} kg" if booking.kilograms is not None and booking.kilograms < LIGHT_KILOGRAMS else ""


def private_person_ships_a_lot(booking: Booking, patterns: Patterns) -> str:
    """Whether a private person ships or gets goods of trade by the ton."""
    lot = booking.private and booking.kilograms is not None and booking.kilograms >= patterns.load.lot_kilograms
    return f"{booking.kilograms:,.0f} kg of {_words(booking)}" if lot and _told(booking, patterns) else ""


def weight_unlike_goods(booking: Booking, patterns: Patterns) -> str:
    """Whether containers weigh far less or more than the goods named make them."""
    ranges = [goods.kilograms for goods in _told(booking, patterns) if goods.kilograms]
    if not (ranges and booking.units and booking.kilograms):
        return ""
    unit = booking.kilograms / booking.units
    least, most = min(low for low, _ in ranges) * patterns.load.light, max(high for _, high in ranges) * patterns.load.heavy
    return "" if least <= unit <= most else f"{unit:,.0f} kg a twenty-foot unit of {_words(booking)}"


CHECKS: dict[str, Callable[[Booking, Patterns], str]] = {
    each.__name__: each
    for each in (
        usual_trade,
        unusual_origin,
        code_unlike_goods,
        heading_of_wildlife,
        light_or_by_air,
        private_person_ships_a_lot,
        weight_unlike_goods,
    )
}


def _told(booking: Booking, patterns: Patterns) -> list[Goods]:
    """The goods that are named and say something."""
    return [patterns.goods[name] for name, _ in booking.goods if name != UNSPECIFIED]


def _all_usual(booking: Booking, told: Iterable[Goods]) -> bool:
    return booking.origin is not None and all(booking.origin.country in goods.usual_from for goods in told)


def _usual_from(name: str, patterns: Patterns) -> frozenset[str]:
    return patterns.goods[name].usual_from


def _words(booking: Booking) -> str:
    return ", ".join(words for name, words in booking.goods if name != UNSPECIFIED)
