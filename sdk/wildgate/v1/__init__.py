"""Messages and stubs generated from `proto/wildgate/v1`; do not edit.

The clients translate them to and from the plain types of `wildgate`, so callers seldom need them.
"""
