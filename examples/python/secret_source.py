"""A source of values: a table of an SQLite file, which keeps every version."""

import sqlite3

from swarmsecrets import SecretValue, errors


class Vault:
    name = "vault"

    def __init__(self, path: str) -> None:
        self.path = path
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE IF NOT EXISTS vault (reference, version INTEGER, value BLOB)")

    def put(self, reference: str, value: SecretValue) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute(
                "INSERT INTO vault SELECT ?1, 1 + COALESCE(MAX(version), 0), ?2 FROM vault WHERE reference = ?1",
                (reference, value.expose()),
            )

    def current(self, reference: str) -> str:
        with sqlite3.connect(self.path) as database:
            found = database.execute("SELECT MAX(version) FROM vault WHERE reference = ?", (reference,)).fetchone()
        if found[0] is None:
            raise errors.NotFoundError("nothing stands there")
        return str(found[0])

    def fetch(self, reference: str, version: str) -> SecretValue:
        with sqlite3.connect(self.path) as database:
            rows = database.execute(
                "SELECT value FROM vault WHERE reference = ? AND version = ?", (reference, int(version))
            ).fetchall()
        if not rows:
            raise errors.NotFoundError("that version is not kept")
        return SecretValue(rows[0][0])
