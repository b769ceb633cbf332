"""Hold a store's lock until killed: python durability_lock.py URL."""

from __future__ import annotations

import sqlite3
import sys
import time

store = sys.argv[1]
if store.startswith("sqlite:"):
    connection = sqlite3.connect(store.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
else:
    import psycopg

    database = psycopg.connect(store, options="-c search_path=wildgate")
    database.execute("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE")
print("locked", flush=True)
while True:
    time.sleep(60)
