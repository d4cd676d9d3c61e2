"""What is asked for: rotations, and how long things may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from swarmsecrets import _native
from swarmsecrets._native import Generate, SecretValue

Value = SecretValue | Generate
"""Where a value comes from: it is handed over, or generated."""
Values = Value | Mapping[str, Value] | None
"""One value for the one secret that takes it, or one for each secret by its name; none where it is handed over later."""
Duration = timedelta | str
"""A `timedelta`, or text like `90s`, `5m`, `24h` and `7d`."""


def duration(time: Duration) -> timedelta:
    """The time as a `timedelta`.

    >>> duration("24h")
    datetime.timedelta(days=1)
    """
    return time if isinstance(time, timedelta) else _native.duration(time)


@dataclass(frozen=True)
class Asked:
    """A rotation that somebody asks for, as Rust reads it."""

    secrets: list[tuple[str, Generate | None]]
    strategy: str
    grace: timedelta
    stability: timedelta
    deadline: timedelta
    canary: str | None
    skip_canary: bool
    concurrency: int
    failures: int
    after: list[tuple[str, str]]
    allow_jobs: bool
    allow_redeploy: bool
    allow_owner: bool
    reason: str | None


@dataclass(frozen=True)
class Limits:
    """How a rotation goes, beside what it is of. The defaults are those of the command."""

    strategy: str = "swap"
    """`swap`, `overlap` or `revoke`."""
    grace: Duration = "24h"
    """How long the replaced version is kept."""
    stability: Duration = "10s"
    """How long all tasks of a service must have run before it counts as healthy."""
    deadline: Duration = "5m"
    """How long one service may take to get there."""
    canary: str | None = None
    """The service to update first, alone; without it, the one that labels tell."""
    skip_canary: bool = False
    """Whether none goes first, alone."""
    concurrency: int = 1
    """How many services are updated at a time."""
    failures: int = 0
    """How many times a service may fail and be tried again before everything is put back."""
    after: Iterable[tuple[str, str]] = ()
    """Pairs of services, of which the first is updated after the second."""
    allow_jobs: bool = False
    """Run jobs again that mount the secret."""
    allow_redeploy: bool = False
    """Write a stack's file even if that changes more than secrets."""
    allow_owner: bool = False
    """Go on if the new version cannot be given its owner."""

    def asked(self, names: str | Iterable[str], value: Values, reason: str | None) -> Asked:
        """The rotation of these secrets."""
        secrets = [names] if isinstance(names, str) else list(names)
        recipe = {name: value.get(name) if isinstance(value, Mapping) else value for name in secrets}
        return Asked(
            secrets=[(name, one if isinstance(one, Generate) else None) for name, one in recipe.items()],
            strategy=self.strategy,
            grace=duration("0s") if self.strategy == "revoke" else duration(self.grace),
            stability=duration(self.stability),
            deadline=duration(self.deadline),
            canary=self.canary,
            skip_canary=self.skip_canary,
            concurrency=self.concurrency,
            failures=self.failures,
            after=list(self.after),
            allow_jobs=self.allow_jobs,
            allow_redeploy=self.allow_redeploy,
            allow_owner=self.allow_owner,
            reason=reason,
        )


def handed_over(value: Values) -> SecretValue | list[tuple[str, SecretValue]] | None:
    """The values that are handed over, without those that are generated."""
    if isinstance(value, SecretValue):
        return value
    if isinstance(value, Mapping):
        return [(name, one) for name, one in value.items() if isinstance(one, SecretValue)]
    return None
