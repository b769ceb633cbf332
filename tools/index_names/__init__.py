"""The parts of `make_index_names.py`, and the decisions it reads."""
