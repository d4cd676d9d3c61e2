"""An audit sink: a table of SQLite that grows only. Its own triggers refuse changes, by mistake at least."""

import json
import sqlite3

from swarmsecrets.audit import AuditRecord

TABLE = """
CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'records stay as they are'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'records stay'); END;
"""


class SqliteAudit:
    def __init__(self, path: str) -> None:
        self.path = path
        with sqlite3.connect(path) as database:
            database.executescript(TABLE)

    def append(self, record: AuditRecord) -> None:
        # One connection for each record: records come from several threads, and each must be durable when this returns.
        with sqlite3.connect(self.path) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("INSERT INTO audit (record) VALUES (?)", (json.dumps(record.to_dict()),))

    def records(self) -> list[AuditRecord]:
        with sqlite3.connect(self.path) as database:
            rows = database.execute("SELECT record FROM audit ORDER BY number").fetchall()
        return [AuditRecord.of(json.loads(text)) for (text,) in rows]
