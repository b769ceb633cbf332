"""Annex I of Implementing Regulation (EU) 2024/2835: the regulator's eleven sheets, filled from what was recorded, and checked.

Read `annex` first: `template` holds the official sheets, `mapping` says in which category a listing stands, `facts` and `matters` what
is counted; `by_category`, `appeals`, `automated` and `platform` fill the sheets; `write` writes them. `check` reads sheets, anybody's.
"""
