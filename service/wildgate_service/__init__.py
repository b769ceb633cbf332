"""Wildgate's scoring service: from a listing to a decision, a record and a report.

Read `pipeline` first; `types` holds every value that passes between the stages.
"""

__version__ = "0.1.0"
