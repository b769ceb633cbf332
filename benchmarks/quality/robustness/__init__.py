"""Offers under a disguise: what is still found, and what ordinary texts under the same disguise cost.

`texts` reads the file, `words` chooses what is touched, the family modules disguise, `catalog` lists them, `measure` scores,
`rivals` runs word filters on the same texts, `summary` and `tables` say it shortly.
"""
