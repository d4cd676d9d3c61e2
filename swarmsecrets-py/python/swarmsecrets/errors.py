"""What can go wrong. Each kind of error has a class under `Error`, and says its kind for programs.

>>> import swarmsecrets
>>> client = swarmsecrets.SimSwarm().client()
>>> try:
...     client.plan_rotation("no_such_secret")
... except swarmsecrets.Error as error:
...     print(error.kind)
not_found
"""

from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """Something went wrong. No message ever carries a secret's value."""

    kind: str = "error"
    """What went wrong, for programs: `not_found`, `conflict`, … The names are those of the command's JSON."""
    _kinds: ClassVar[dict[str, type[Error]]] = {}

    def __init_subclass__(cls) -> None:
        # The class of a kind is ours: one that a plugin derives from it stands for itself alone.
        Error._kinds.setdefault(cls.kind, cls)


class UnauthorizedError(Error):
    """The credential is missing, wrong or expired (401)."""

    kind = "unauthorized"


class ForbiddenError(Error):
    """The account may not do this (403)."""

    kind = "forbidden"


class NotFoundError(Error):
    """There is no such object."""

    kind = "not_found"


class ConflictError(Error):
    """Somebody else was there first."""

    kind = "conflict"


class InUseError(Error):
    """The object cannot be removed while something uses it."""

    kind = "in_use"


class InvalidError(Error):
    """The input is not acceptable."""

    kind = "invalid"


class TooLargeError(Error):
    """The value or the answer is larger than allowed."""

    kind = "too_large"


class RateLimitedError(Error):
    """Too many requests (429)."""

    kind = "rate_limited"


class UnreachableError(Error):
    """No connection could be made: nothing was sent."""

    kind = "unreachable"


class TimeoutError(Error):  # noqa: A001 - under this package's name
    """No answer in time: what was sent may or may not have been done."""

    kind = "timeout"


class ProtocolError(Error):
    """The answer was not what the protocol says, or the server failed: what was sent may have been done."""

    kind = "protocol"


class StaleError(Error):
    """The world is not as the plan says any more."""

    kind = "stale"


class RefusedError(Error):
    """The world does not allow it."""

    kind = "refused"


class AmbiguousError(Error):
    """The name may mean more than one secret."""

    kind = "ambiguous"


class DeniedError(Error):
    """A guardrail says no."""

    kind = "denied"


class NeedsApprovalError(Error):
    """A guardrail asks for a word that was not given: `confirm=True`, or an approval."""

    kind = "needs_approval"


class JournalError(Error):
    """The journal could not be read or written."""

    kind = "journal"


class AuditError(Error):
    """The audit record could not be written, or an audit trail is not as it was written."""

    kind = "audit"


class SettingsError(Error):
    """The settings are missing, partial or contradictory."""

    kind = "settings"


class IoError(Error):
    """A file could not be read or written."""

    kind = "io"


def raised(kind: str, message: str, causes: list[str | BaseException]) -> Error:
    """The exception for an error of this kind, chained to its causes: what Rust says of them, or a plugin's own exceptions."""
    error = Error._kinds.get(kind, Error)(message)
    below: BaseException = error
    for cause in causes:
        below.__cause__ = cause if isinstance(cause, BaseException) else Error(cause)
        below = below.__cause__
    return error
