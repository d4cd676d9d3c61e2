"""What a client is given beside the way to Portainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypedDict

from swarmsecrets import _native
from swarmsecrets._plugins import (
    ApproverAdapter,
    AuditSinkAdapter,
    CredentialSetterAdapter,
    HealthProbeAdapter,
    SecretSourceAdapter,
)
from swarmsecrets.approval import Approver
from swarmsecrets.audit import AuditSink
from swarmsecrets.credentials import Password, Passwords
from swarmsecrets.errors import Error
from swarmsecrets.health import Probe, Probes
from swarmsecrets.policy import Policy
from swarmsecrets.request import Duration, duration
from swarmsecrets.source import Source

Path = str | PathLike[str]


class Settings(TypedDict, total=False):
    """What a client is given beside the way to Portainer."""

    agent_id: str | None
    """The AI agent that acts, if one does: it stands in the audit trail."""
    journal: Path | None
    """The folder for journals and the audit trail; without it, the one of the command."""
    journal_database: _native.SecretValue | None
    """The URL of a PostgreSQL that keeps the journals instead, so that several hosts share them. The folder has the audit trail."""
    probes: Probes
    """The probes that are asked whether services work (`swarmsecrets.health`)."""
    passwords: Passwords
    """The passwords that are changed in step with secrets (`swarmsecrets.credentials`)."""
    sources: Sequence[Source]
    """The sources that values may be fetched from (`swarmsecrets.source`)."""
    audit: AuditSink | None
    """Where the audit trail goes, instead of the folder."""
    policy: Path | Policy | None
    """The policy that holds for all that the client does (`swarmsecrets.policy`): its file, which is read when the client is made, or a
    `Policy`. The one that is installed on the machine holds beside it, except in a simulation."""
    approvers: Mapping[str, Approver]
    """Ways to those who approve (`swarmsecrets.approval`), each by its name in the policy."""
    fingerprint_key: _native.SecretValue | None
    """A key (16 bytes or more) by which values are known again, as the one in the file that `SWARMSECRETS_FINGERPRINT_KEY_FILE` names is for
    the command. It binds a value in hand to its approval: without it a change request says that any value may be handed over later. New
    versions carry its fingerprint of their value as a label, and policies may forbid that earlier values come back (`history`)."""
    plugin_timeout: Duration
    """How long a plugin of Python's may take for one answer: 30 seconds."""


@dataclass(frozen=True)
class Given:
    """The settings, as Rust reads them."""

    agent_id: str | None
    journal: Path | None
    journal_database: _native.SecretValue | None
    probes: list[tuple[str, Any]]
    passwords: list[tuple[str, Any]]
    sources: list[Any]
    audit: AuditSinkAdapter | None
    policy: _native.Policy | None
    approvers: list[tuple[str, ApproverAdapter]]
    fingerprint_key: _native.SecretValue | None
    failures: list[Error]
    """What the plugins have failed with and no report has told yet."""

    @classmethod
    def of(
        cls,
        *,
        agent_id: str | None = None,
        journal: Path | None = None,
        journal_database: _native.SecretValue | None = None,
        probes: Probes | None = None,
        passwords: Passwords | None = None,
        sources: Sequence[Source] = (),
        audit: AuditSink | None = None,
        policy: Path | Policy | None = None,
        approvers: Mapping[str, Approver] | None = None,
        fingerprint_key: _native.SecretValue | None = None,
        plugin_timeout: Duration = "30s",
    ) -> Given:
        limit, failures = duration(plugin_timeout), list[Error]()

        def probe(given: Any) -> Any:
            return given if isinstance(given, _native.Probe) else HealthProbeAdapter(given, limit, failures)

        def password(given: Password | _native.Password) -> Any:
            if isinstance(given, _native.Password):
                return given
            return (CredentialSetterAdapter(given.setter, limit, failures), given.current)

        each = [(services, one) for services, some in (probes or {}).items() for one in _each(some)]
        return cls(
            agent_id=agent_id,
            journal=journal,
            journal_database=journal_database,
            probes=[(services, probe(one)) for services, one in each],
            passwords=[(secret, password(one)) for secret, one in (passwords or {}).items()],
            sources=[one if isinstance(one, _native.Source) else SecretSourceAdapter(one, limit, failures) for one in sources],
            audit=None if audit is None else AuditSinkAdapter(audit, limit, failures),
            policy=_policy(policy),
            approvers=[(name, ApproverAdapter(one, limit, failures)) for name, one in (approvers or {}).items()],
            fingerprint_key=fingerprint_key,
            failures=failures,
        )


def _policy(given: Path | Policy | None) -> _native.Policy | None:
    if given is None:
        return None
    return (given if isinstance(given, Policy) else Policy.read(given))._native


def _each(probes: Probe | Sequence[Probe]) -> Sequence[Probe]:
    return probes if isinstance(probes, Sequence) else [probes]
