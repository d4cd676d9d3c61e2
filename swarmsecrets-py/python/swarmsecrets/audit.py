"""The audit trail: who did what, when and why, written before and after each mutation.

The trail that swarmsecrets keeps itself is `audit.jsonl` in the folder of the journals. `verify` checks that it is as it was written, and
`query` looks something up in it:

>>> import pathlib, tempfile, swarmsecrets
>>> folder = tempfile.TemporaryDirectory()
>>> with swarmsecrets.SimSwarm().serve() as served:
...     client = swarmsecrets.Client(served.url, api_key=served.api_key, endpoint=1, journal=folder.name)
...     client.create("api_token", value=swarmsecrets.Generate(), confirm=True, reason="a new service").outcome
'applied'
>>> trail = pathlib.Path(folder.name) / "audit.jsonl"
>>> verdict = swarmsecrets.audit.verify(trail)
>>> verdict.whole, verdict.records, verdict.open
(True, 2, ())
>>> for record in swarmsecrets.audit.query(trail, secret="api_token", outcome="done"):
...     print(record.n, record.action, "-", record.actor.reason)
1 create secret api_token - a new service
>>> folder.cleanup()
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Protocol

from swarmsecrets import _documents, _native
from swarmsecrets.errors import InvalidError

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Actor:
    """Who acts."""

    account: str
    agent: str | None
    reason: str | None


@dataclass(frozen=True)
class AuditRecord:
    """What is written about one mutation, before and after. It holds no value."""

    at: str
    actor: Actor
    environment: int
    rotation: str
    plan: str
    """The plan's digest."""
    phase: Literal["intent", "outcome"]
    step: int
    """The number of the mutation in its rotation; intent and outcome share it."""
    direction: Literal["forward", "restore"]
    action: str
    outcome: str | None
    simulated: bool
    _document: str = field(repr=False, compare=False, default="")

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """The record that a document tells."""
        return _documents.read(cls, {**document, "_document": json.dumps(document)})

    def to_dict(self) -> dict[str, Any]:
        """The document, as a line of the command's audit file."""
        document: dict[str, Any] = json.loads(self._document)
        return document


@dataclass(frozen=True)
class Entry(AuditRecord):
    """A record of a trail, and its place there."""

    n: int = field(kw_only=True)
    """Its place, from 0. It stands in line `n + 1`."""


@dataclass(frozen=True)
class End:
    """The last record of a trail."""

    n: int
    hash: str
    """It stands for all records up to this one: keep it elsewhere to see later that none of them is missing."""


@dataclass(frozen=True)
class Compared:
    """How a trail stands to a checkpoint."""

    records: int
    """How many records the trail had then."""
    at: str
    """When that was signed."""
    key: str
    """The name of the key that signed it."""
    held: bool | None
    """Whether the trail still has them. None if it could not be read that far, because something before is wrong."""


@dataclass(frozen=True)
class Verdict:
    """What a check of a trail found. It is true (`if verify(path):`) where the trail is whole."""

    file: str
    records: int
    """How many records stand there as they were written: all of them, or those before the problem."""
    first_at: str | None
    """The time of the first of them."""
    last_at: str | None
    """The time of the last of them. Clocks may be set back: it need not be the latest."""
    end: End | None
    """The last of them; None if there is none."""
    whole: bool
    """Whether every record stands as it was written, in its place. That the last ones were cut off is seen with a checkpoint alone."""
    problem: str | None
    """What is wrong, with its line and record."""
    open: tuple[Entry, ...]
    """Intents without an outcome: such a mutation may have been done, and nobody wrote down how it went."""
    checkpoints: tuple[Compared, ...] = ()
    """How the trail stands to the checkpoints that were given."""
    _document: str = field(repr=False, compare=False, default="")

    @classmethod
    def _of(cls, text: str) -> Verdict:
        document = json.loads(text)
        times = {"first_at": document["from"], "last_at": document["until"]}
        verdict = _documents.read(cls, {**document, **times, "_document": text})
        return replace(verdict, open=tuple(map(Entry.of, document["open"])))

    def __bool__(self) -> bool:
        return self.whole

    def to_dict(self) -> dict[str, Any]:
        """The document of `swarmsecrets audit verify --json`."""
        document: dict[str, Any] = json.loads(self._document)
        return document


Moment = datetime | str
"""A `datetime` with a time zone, or text: `2026-11-22T09:30:00Z`, or `2026-11-22` for its midnight in UTC."""


@dataclass(frozen=True)
class _Asked:
    """Which records are asked for, as Rust reads it."""

    secret: str | None
    rotation: str | None
    agent: str | None
    account: str | None
    since: str | None
    until: str | None
    outcome: str | None
    limit: int | None


Path = str | PathLike[str]


def verify(path: Path, *, checkpoint: Path | Sequence[Path] = (), key: str | None = None) -> Verdict:
    """Checks a trail from its first record to its last, without changing it. It is read line by line.

    `checkpoint` names one or several files that `checkpoint` or `swarmsecrets audit checkpoint` has written, and `key` the public key that
    signed them: then records that were cut off at the end, and a trail that was written anew, are found as well.

    What is wrong with the trail is told by the verdict, and not raised; a file that cannot be read is, and so is a checkpoint that this key
    has not signed (`errors.AuditError`).
    """
    files = [checkpoint] if isinstance(checkpoint, (str, PathLike)) else list(checkpoint)
    if key is not None and not files:
        raise InvalidError("`key` is given, and no `checkpoint` that it should have signed")
    return Verdict._of(_native.verify_audit(path, files, key))


def checkpoint(path: Path, *, key: Path, out: Path) -> dict[str, Any]:
    """Checks a whole trail and signs how far it goes, with the private key in the file `key`, as `swarmsecrets keygen` writes it. The
    checkpoint goes to `out`, in the place of the last one: keep it where whoever can write the trail cannot.

    A trail that lacks what the last checkpoint there tells of is not signed: that raises `errors.AuditError`.
    """
    document: dict[str, Any] = json.loads(_native.sign_audit(path, key, out))
    return document


def query(
    path: str | PathLike[str],
    *,
    secret: str | None = None,
    rotation: str | None = None,
    agent: str | None = None,
    account: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    outcome: Literal["done", "refused", "unknown", "open"] | None = None,
    limit: int | None = None,
) -> tuple[Entry, ...]:
    """The records of a trail that have all that is asked for, in its order. All of it is checked on the way: of a trail that is not as it
    was written, this raises `errors.AuditError`. Part of a record at the end is passed over, and logged.

    `secret` is a version's name, or what stands before the version in it: `db` finds `db`, `db_v2` and `db_2026-11-22` in the words of a
    record, which hold no names of logical secrets. Changes of passwords, of stack files and commands in containers name no secret: look for
    their `rotation`. `since` is the first moment that counts, `until` the first that does not. `open` are intents whose
    outcome was never written down. `limit` keeps the last records.
    """
    asked = _Asked(secret, rotation, agent, account, _written("since", since), _written("until", until), outcome, limit)
    document = json.loads(_native.query_audit(path, asked))
    return tuple(map(Entry.of, document["records"]))


def _written(name: str, moment: Moment | None) -> str | None:
    if isinstance(moment, datetime):
        if moment.utcoffset() is None:
            raise InvalidError(f"`{name}` has no time zone: write datetime(..., tzinfo=timezone.utc)")
        return moment.isoformat()
    return moment


class AuditSink(Protocol):
    """Takes audit records. A mutation does not happen unless its intent was taken."""

    def append(self, record: AuditRecord) -> None | Awaitable[None]:
        """Appends a record, and returns when it is durable. Raise if it is not: then the mutation does not happen."""
        ...
