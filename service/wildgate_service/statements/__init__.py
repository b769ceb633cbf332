"""Statements of reasons: from what was recorded to the EU's transparency database (Regulation (EU) 2022/2065, Article 24(5)).

Read in this order: `facts` (what a statement is made of; no text enters), `mapping` (ground, category, keywords), `make` (the statement, or
why there is none), `check` (the database's rules, which stand in `fields.toml`), `files` (a file a day), `submit` (each once, by `journal`
and `database`). `double` is the database's stand-in for tests.
"""
