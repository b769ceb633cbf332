"""Monitoring: what a service shows of itself: numbers, health, traces. Never a text, a key or a seller.

Each process counts in plain Python numbers (`tally`) and writes them once a second to memory that all share (`board`). A process of its own
reads that memory when it is asked (`exporter`), says what of it means ready (`health`), and shows it as Prometheus reads it (`exposition`).
`metrics` is the table of all there is; `calls` is what a worker counts, `writing` what the writer does. `traces` is OpenTelemetry.
"""
