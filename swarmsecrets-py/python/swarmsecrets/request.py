"""What is asked for: rotations, and how long things may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypedDict

from swarmsecrets import _native
from swarmsecrets._native import Generate, SecretValue
from swarmsecrets.errors import InvalidError
from swarmsecrets.source import FromSource

Way = Generate | FromSource
"""How a value is made when a plan is carried out: it is generated, or fetched from a source."""
Value = SecretValue | Way
"""Where a value comes from: it is handed over, generated, or fetched from a source."""
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


def written(time: Duration | None) -> str | None:
    """The time as settings write it."""
    return f"{time // timedelta(milliseconds=1)}ms" if isinstance(time, timedelta) else time


class Limits(TypedDict, total=False):
    """How a rotation goes, beside what it is of. The defaults are those of the command; a revocation has its own, which are shorter,
    move all services at once, and keep nothing."""

    strategy: Literal["swap", "overlap", "revoke"]
    """`overlap` where the client changes a password in step, else `swap`; `revoke` keeps no old version."""
    grace: Duration
    """How long the replaced version is kept: 24 hours."""
    stability: Duration
    """How long all tasks of a service must have run before it counts as healthy: 10 seconds."""
    deadline: Duration
    """How long one service may take to get there: 5 minutes."""
    canary: str
    """The service to update first, alone; without it, the one that labels tell."""
    skip_canary: bool
    """Whether none goes first, alone."""
    concurrency: int
    """How many services are updated at a time: 1."""
    failures: int
    """How many times a service may fail and be tried again before everything is put back: 0."""
    after: Iterable[tuple[str, str]]
    """Pairs of services, of which the first is updated after the second."""
    allow_jobs: bool
    """Run jobs again that mount the secret."""
    allow_redeploy: bool
    """Write a stack's file even if that changes more than secrets."""
    allow_owner: bool
    """Go on if the new version cannot be given its owner."""


Names = str | Iterable[str]
"""One secret, or several that are rotated together."""


@dataclass(frozen=True)
class Group:
    """All secrets of a stack, or that carry labels: `client.rotate(Group(stack="shop"), …)`."""

    stack: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Asked:
    """A rotation that somebody asks for, as Rust reads it."""

    secrets: list[tuple[str, Way | None]]
    stack: str | None
    labels: list[tuple[str, str]]
    way: Way | None
    strategy: str | None
    grace: timedelta | None
    stability: timedelta | None
    deadline: timedelta | None
    canary: str | None
    skip_canary: bool
    concurrency: int | None
    failures: int | None
    after: list[tuple[str, str]]
    allow_jobs: bool
    allow_redeploy: bool
    allow_owner: bool
    reason: str | None


@dataclass(frozen=True)
class AskedFirst:
    """A first version that somebody asks for, as Rust reads it."""

    name: str
    way: Way | None
    labels: dict[str, str]
    reason: str | None


def asked(of: Names | Group, value: Values, reason: str | None, limits: Limits) -> Asked:
    """The rotation of these secrets."""
    unknown = limits.keys() - Limits.__annotations__.keys()
    if unknown:
        raise TypeError(f"a rotation has no limit `{sorted(unknown)[0]}`")
    group = of if isinstance(of, Group) else Group()
    names = [of] if isinstance(of, str) else [] if isinstance(of, Group) else list(of)
    if not names and not isinstance(of, Group):
        raise InvalidError("name at least one secret")
    if isinstance(of, Group) and of.stack is None and not of.labels:
        raise InvalidError("a group is of a stack, or of secrets that carry labels: name either")
    if isinstance(value, FromSource) and len(names) != 1:
        raise InvalidError("a value of a source is for one secret: give each its own, by name")
    recipe = {name: value.get(name) if isinstance(value, Mapping) else value for name in names}

    def time(limit: Duration | None) -> timedelta | None:
        return None if limit is None else duration(limit)

    return Asked(
        secrets=[(name, made(one)) for name, one in recipe.items()],
        stack=group.stack,
        labels=list(group.labels.items()),
        way=made(value),
        strategy=limits.get("strategy"),
        grace=time(limits.get("grace")),
        stability=time(limits.get("stability")),
        deadline=time(limits.get("deadline")),
        canary=limits.get("canary"),
        skip_canary=limits.get("skip_canary", False),
        concurrency=limits.get("concurrency"),
        failures=limits.get("failures"),
        after=list(limits.get("after", ())),
        allow_jobs=limits.get("allow_jobs", False),
        allow_redeploy=limits.get("allow_redeploy", False),
        allow_owner=limits.get("allow_owner", False),
        reason=reason,
    )


def made(value: Values) -> Way | None:
    """How the value is made, if it is not handed over."""
    return value if isinstance(value, Generate | FromSource) else None


def handed_over(value: Values) -> SecretValue | list[tuple[str, SecretValue]] | None:
    """The values that are handed over, without those that are made."""
    if isinstance(value, SecretValue):
        return value
    if isinstance(value, Mapping):
        return [(name, one) for name, one in value.items() if isinstance(one, SecretValue)]
    return None
