"""Bookings of cargo: what ways, goods and codes have covered wildlife before, and a file of bookings ranked by it.

    booking  ── what a listing of kind CARGO_BOOKING says, in its attributes or its text          booking.py, routes.py
    patterns ── the rules of `patterns.toml` that hold for it, each with why                      patterns.py, checks.py
    rank     ── a CSV of bookings into a CSV in the order of risk, on all cores, in bounded memory  columns.py, ranking.py, sorting.py

Risk is a rank among bookings and no probability: its points were set by hand. It never changes what the policy asks.
"""

from wildgate_service.cargo.booking import Booking, booking_of
from wildgate_service.cargo.patterns import Pattern, patterns_of, risk_of, why, with_patterns
from wildgate_service.cargo.routes import Place
from wildgate_service.cargo.tables import CargoTables, load_tables

__all__ = ["Booking", "CargoTables", "Pattern", "Place", "booking_of", "load_tables", "patterns_of", "risk_of", "why", "with_patterns"]
