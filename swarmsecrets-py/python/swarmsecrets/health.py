"""Health probes: what is asked whether a service works.

A probe is any object with a `name`, `baseline` and `check`; those of swarmsecrets are made by `http`, `tcp`, `command` and
`logs`. A client asks those that it is given, about the services that they are for:

>>> import swarmsecrets
>>> from swarmsecrets.health import Health
>>> class AllTasksAreBack:
...     name = "all tasks are back"
...     def baseline(self, target, containers):
...         return len(target.tasks)
...     def check(self, target, baseline, containers):
...         return Health.healthy() if len(target.tasks) >= baseline else Health.unhealthy("tasks are missing")
>>> client = swarmsecrets.SimSwarm().client(probes={"reports": AllTasksAreBack()})
>>> client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True).outcome
'applied'
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Literal, Protocol

from swarmsecrets import _native
from swarmsecrets.request import Duration, written

Containers = _native.Containers


@dataclass(frozen=True)
class Task:
    """A running task."""

    id: str
    node: str | None
    created: str


@dataclass(frozen=True)
class Target:
    """The service that a probe is asked about, as it is at this moment."""

    id: str
    service: str
    stack: str | None
    versions: tuple[str, ...]
    """The versions that its spec mounts."""
    tasks: tuple[Task, ...]
    """Its running tasks, those on their way out left aside."""


@dataclass(frozen=True)
class Health:
    """What a probe says. The reason is for an operator: it holds no value, and one line of it is kept."""

    status: Literal["healthy", "unhealthy", "inconclusive"]
    reason: str = ""

    @classmethod
    def healthy(cls) -> Health:
        """It works."""
        return cls("healthy")

    @classmethod
    def unhealthy(cls, reason: str) -> Health:
        """It does not: the service is put back."""
        return cls("unhealthy", reason)

    @classmethod
    def inconclusive(cls, reason: str) -> Health:
        """The probe cannot tell: a person must look."""
        return cls("inconclusive", reason)


class HealthProbe(Protocol):
    """Asks a service whether it works. Both methods may be coroutines. A probe changes nothing but through `containers`.

    What it raises in `baseline` ends the rotation before it begins; what it raises in `check` is inconclusive.
    """

    @property
    def name(self) -> str:
        """What reports and journals call it: stable, and free of credentials."""
        ...

    def baseline(self, target: Target, containers: Containers) -> Any | Awaitable[Any]:
        """Looks at the service before it is touched, to know what is usual: anything that JSON can hold, up to 16 KiB."""
        ...

    def check(self, target: Target, baseline: Any, containers: Containers) -> Health | Awaitable[Health]:
        """Asks how the service is, on the version that it is on now."""
        ...


Probe = HealthProbe | _native.Probe
Probes = Mapping[str, Probe | Sequence[Probe]]
"""Probes by the service that they are for, or by `label=value` for several."""


def _probe(**settings: Any) -> _native.Probe:
    given = {name.replace("_", "-"): value for name, value in settings.items() if value is not None}
    return _native.Probe(json.dumps(given))


def http(
    url: str,
    *,
    status: int | None = None,
    body_contains: str | None = None,
    requests: int | None = None,
    deadline: Duration | None = None,
    ca_file: str | PathLike[str] | None = None,
) -> _native.Probe:
    """Asks a URL, and compares its status and latency with those before."""
    return _probe(
        kind="http",
        url=url,
        status=status,
        body_contains=body_contains,
        requests=requests,
        deadline=written(deadline),
        ca_file=ca_file and fspath(ca_file),
    )


def tcp(
    address: str,
    *,
    tls: bool | None = None,
    deadline: Duration | None = None,
    ca_file: str | PathLike[str] | None = None,
) -> _native.Probe:
    """Connects to `host:port`, with TLS if asked."""
    return _probe(kind="tcp", address=address, tls=tls, deadline=written(deadline), ca_file=ca_file and fspath(ca_file))


def command(*words: str, deadline: Duration | None = None) -> _native.Probe:
    """Runs a program with arguments in a container of the service: it works if that exits with 0."""
    return _probe(kind="command", command=list(words), deadline=written(deadline))


def logs(*, deadline: Duration | None = None) -> _native.Probe:
    """Reads the service's log for failed logins and new errors."""
    return _probe(kind="logs", deadline=written(deadline))
