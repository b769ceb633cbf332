"""How right the service is: what `wildgate model eval` and the benchmarks measure, and how they say it.

`verdicts` has the engine and its tiers answer a text, `rates` and `figures` count, `calibration` asks what the probabilities are worth,
`comparison` holds two sets of models against each other, `measuring` puts all together, `shown` prints it.
"""

TIERS = ("all", "lexicon", "screen", "encoder")
HALVES = ("all", "reported", "development")
