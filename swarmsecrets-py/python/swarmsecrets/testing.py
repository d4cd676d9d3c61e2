"""The conformance suites: what every plugin must do. Call the one of its protocol from the plugin's tests.

A suite raises `AssertionError` where the plugin breaks a promise, and says which.

>>> from swarmsecrets import testing
>>> records = []
>>> class InMemory:
...     def append(self, record):
...         records.append(record)
>>> testing.check_audit_sink(InMemory, lambda: records)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Literal, Protocol

from swarmsecrets import _native
from swarmsecrets._plugins import (
    ApproverAdapter,
    AuditSinkAdapter,
    CredentialSetterAdapter,
    HealthProbeAdapter,
    SecretSourceAdapter,
    TransportAdapter,
)
from swarmsecrets.approval import Approver, ChangeRequest
from swarmsecrets.audit import AuditRecord, AuditSink
from swarmsecrets.credentials import CredentialSetter
from swarmsecrets.health import HealthProbe
from swarmsecrets.request import Duration, duration
from swarmsecrets.source import SecretSource
from swarmsecrets.transport import Transport

_LIMIT = timedelta(seconds=30)


@dataclass(frozen=True)
class _Sinks:
    opened: Callable[[], AuditSink]
    records: Callable[[], Iterable[AuditRecord]]

    def open(self) -> AuditSinkAdapter:
        return AuditSinkAdapter(self.opened(), _LIMIT)

    def read_back(self) -> str:
        return json.dumps([record.to_dict() for record in self.records()])


def check_audit_sink(open: Callable[[], AuditSink], read_back: Callable[[], Iterable[AuditRecord]]) -> None:
    """Each call of `open` opens the same sink anew, as another process would; it is empty at first. `read_back` gives all records that
    it holds at that moment, in order."""
    _native.check_audit_sink(_Sinks(open, read_back))


class Office(Protocol):
    """Where people decide. There are `alice`, `bob` and `svc-agent`, who asks for all changes."""

    keys: Mapping[str, str]
    """The public keys of those who sign, each with whose it is."""
    accounts: Mapping[str, str]
    """The accounts of those whose decisions are read back, each with whose it is."""

    def open(self) -> Approver:
        """The approver, opened anew as another process would."""
        ...

    def decide(self, request: ChangeRequest, person: str, verdict: Literal["approve", "deny"]) -> None:
        """One of the people decides on a request that was made known, in the way in which they do."""
        ...

    def told(self, request: ChangeRequest) -> int:
        """How often people were told of the request."""
        ...


class _Office:
    def __init__(self, office: Office) -> None:
        self.office = office
        self.keys, self.accounts = list(office.keys.items()), list(office.accounts.items())

    def open(self) -> ApproverAdapter:
        return ApproverAdapter(self.office.open(), _LIMIT)

    def decide(self, request: _native.ChangeRequest, person: str, verdict: Literal["approve", "deny"]) -> None:
        self.office.decide(ChangeRequest(request), person, verdict)

    def told(self, request: _native.ChangeRequest) -> int:
        return self.office.told(ChangeRequest(request))


def check_approver(office: Office) -> None:
    """Makes requests known, lets people decide, and judges what comes back."""
    _native.check_approver(_Office(office))


@dataclass(frozen=True)
class _Connections:
    to: Callable[[str, str], Transport]

    def connect(self, url: str, key: str) -> TransportAdapter:
        return TransportAdapter(self.to(url, key), _LIMIT)


def check_transport(connect: Callable[[str, str], Transport]) -> None:
    """`connect` makes a transport to the Portainer at a URL, with an API key. That Portainer is a simulated one."""
    _native.check_transport(_Connections(connect))


class Condition(Enum):
    """How the service does that a probe is asked about."""

    WORKING = "working"
    BROKEN = "broken"
    """It answers, and what it says is that it does not work."""
    UNREACHABLE = "unreachable"
    """Nothing answers."""
    SILENT = "silent"
    """Something takes the question and never answers."""


@dataclass(frozen=True)
class _Probes:
    put: Callable[[Condition], None]
    probe: HealthProbeAdapter
    value: str
    patience: timedelta
    silence_is_unhealthy: bool

    def set(self, condition: str) -> None:
        self.put(Condition(condition))


def check_health_probe(
    probe: HealthProbe,
    set: Callable[[Condition], None],
    *,
    value: str,
    patience: Duration = "10s",
    silence_is_unhealthy: bool = False,
) -> None:
    """`set` puts the service into a condition; `value` stands in its answers and must not be shown. `patience` is how long the probe may
    take. A probe may document that a service without an answer is unhealthy, and not inconclusive. It is handed no containers."""
    limit = duration(patience)
    _native.check_health_probe(_Probes(set, HealthProbeAdapter(probe, limit), value, limit, silence_is_unhealthy))


@dataclass(frozen=True)
class _Sources:
    opened: Callable[[], SecretSource]
    put: Callable[[str, _native.SecretValue], None]
    reference: Callable[[str], str]

    def source(self) -> SecretSourceAdapter:
        return SecretSourceAdapter(self.opened(), _LIMIT)


def check_secret_source(
    open: Callable[[], SecretSource],
    put: Callable[[str, _native.SecretValue], None],
    reference: Callable[[str], str] = str,
) -> None:
    """Each call of `open` opens the same source anew. `put` puts a value where a reference leads, as a new version; `reference` makes one
    of a plain name."""
    _native.check_secret_source(_Sources(open, put, reference))


class Trouble(Enum):
    """What stands in a setter's way."""

    NONE = "none"
    WRONG_ADMIN = "wrong_admin"
    """The administrator's password is wrong."""
    DOWN = "down"
    """Nothing listens where it connects to."""
    LOST_ANSWER_TO_SET = "lost_answer_to_set"
    """The change is carried out, and its answer is lost, once."""
    LOST_ANSWER_TO_REVOKE = "lost_answer_to_revoke"
    LOST_ANSWER_TO_UNDO = "lost_answer_to_undo"


class System(Protocol):
    """The system whose passwords a setter changes, as its administrator sees it."""

    def user(self, name: str, password: _native.SecretValue) -> _native.SecretValue:
        """Makes a user with this password (of two that take turns both, the second shut), and gives the secret's value."""
        ...

    def setter(self, name: str, trouble: Trouble) -> CredentialSetter:
        """A setter for that user, who need not be there."""
        ...

    def value(self, name: str, password: _native.SecretValue) -> _native.SecretValue:
        """A value as `user` would give it, without a user being made."""
        ...

    def odd_names(self) -> Iterable[str]:
        """Names that a careless statement would trip over, as far as the system takes them."""
        ...


@dataclass(frozen=True)
class _System:
    system: System

    def user(self, name: str, password: _native.SecretValue) -> _native.SecretValue:
        return self.system.user(name, password)

    def setter(self, name: str, trouble: str) -> CredentialSetterAdapter:
        return CredentialSetterAdapter(self.system.setter(name, Trouble(trouble)), _LIMIT)

    def value(self, name: str, password: _native.SecretValue) -> _native.SecretValue:
        return self.system.value(name, password)

    def odd_names(self) -> list[str]:
        return list(self.system.odd_names())


def check_credential_setter(system: System) -> None:
    """Runs rotations on the system, undoes them at each point, and gets in their way."""
    _native.check_credential_setter(_System(system))
