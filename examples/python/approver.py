"""An approver: a board in SQLite. It signs nothing: the policy says whose its accounts are, and who can write to the file can approve."""

import sqlite3
from datetime import datetime, timezone
from typing import Literal

from swarmsecrets.approval import ChangeRequest, ReadBack

TABLES = """
CREATE TABLE IF NOT EXISTS requests (digest TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decisions (digest TEXT NOT NULL, verdict TEXT NOT NULL, account TEXT NOT NULL, at TEXT NOT NULL);
"""


class Board:
    name = "the board"

    def __init__(self, path: str) -> None:
        self.path = path
        with sqlite3.connect(path) as database:
            database.executescript(TABLES)

    def request(self, request: ChangeRequest) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute("INSERT OR IGNORE INTO requests VALUES (?, ?)", (request.digest, request.text))

    def decisions(self, request: ChangeRequest) -> list[ReadBack]:
        with sqlite3.connect(self.path) as database:
            query = "SELECT digest, verdict, account, at FROM decisions WHERE digest = ?"
            rows = database.execute(query, (request.digest,)).fetchall()
        return [ReadBack(digest, verdict, account, at, "the board") for digest, verdict, account, at in rows]

    def decide(self, digest: str, account: str, verdict: Literal["approve", "deny"]) -> None:
        """What the board's own page would do, once it knows who has logged in."""
        row = (digest, verdict, account, datetime.now(timezone.utc).isoformat())
        with sqlite3.connect(self.path) as database:
            database.execute("INSERT INTO decisions VALUES (?, ?, ?, ?)", row)
