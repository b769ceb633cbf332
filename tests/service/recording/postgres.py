"""A PostgreSQL server for the tests: in a folder of its own, on a Unix socket, of a user without rights, gone when they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import psycopg
import pytest
from wildgate_service.store import open_store

INSTALLED = Path("/usr/lib/postgresql")  # where Debian has it, outside of PATH
SETTINGS = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "''", "max_connections": "60", "shared_buffers": "64MB"}
TEMPLATE = "template_store"


def binaries():
    """The folder of initdb and pg_ctl."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if not folders:
        pytest.fail("these tests need a PostgreSQL server: apt-get install postgresql", pytrace=False)
    return folders[-1].parent


class Server:
    """It refuses to run as root, so it runs as `postgres` there, which the package makes."""

    def __init__(self, **settings):
        # Not subprocess's `user`: that forks, where else it does not, and a fork goes badly with gRPC in this process.
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.role = "postgres" if self._user else os.environ.get("USER", "postgres")
        self.folder = Path(tempfile.mkdtemp(prefix="wg-pg-", dir="/tmp"))  # a socket's path must be short
        if self._user:
            shutil.chown(self.folder, "postgres", "postgres")
        self.data = self.folder / "data"
        self._settings = SETTINGS | settings
        self._binaries = binaries()
        self._numbers = count()

    def run(self, program, *arguments):
        """A program of PostgreSQL, as its user."""
        command = [*self._user, str(self._binaries / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def make(self):
        """Initialize the folder of data, and start."""
        self.run("initdb", "-D", self.data, "-A", "trust", "-E", "UTF8", "--no-sync", "-U", self.role)
        self.start()

    def start(self):
        """Start on what is in the folder."""
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        log = self.folder / "log"
        self.run("pg_ctl", "-D", self.data, "-l", log, "-o", f"-k {self.folder} {options}", "-w", "start")

    def stop(self, mode="immediate"):
        """Stop: `immediate` kills it, as a crash would."""
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def url(self, database, role=None):
        """Of a database, there or not."""
        return f"postgresql://{role or self.role}@/{database}?host={self.folder}"

    def execute(self, statement, database="postgres"):
        """Run a statement as its owner."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            return connection.execute(statement)

    def fresh_url(self):
        """Of an empty database."""
        name = f"store_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self.url(name)

    def fresh_store(self):
        """Of a database that has the tables already, which is quicker to make."""
        if not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'").rowcount:  # noqa: S608
            self.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
            open_store(self.url(TEMPLATE)).close()
            self.execute("DELETE FROM wildgate.logs", TEMPLATE)  # each store makes its own
        name = f"store_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    def close(self):
        """Stop it and remove all."""
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
