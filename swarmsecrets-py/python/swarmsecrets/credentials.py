"""Passwords that are changed in step with secrets (`strategy="overlap"`), in the systems that the secrets open.

What they take, such as `shape` (where the password stands in the value: `whole`, `url`, `json:/password`) and `encryption` (of the
connection: `over-the-network`, `always`, `never`), is that of `docs/credentials.md`.

Those of swarmsecrets are made by `postgres`, `mariadb`, `mysql`, `redis` and `commands`. A setter is any object with the methods of
`CredentialSetter`.

>>> from swarmsecrets import SecretValue, credentials
>>> credentials.postgres(
...     "db.example.org", user="app", administrator="postgres",
...     administrator_password=SecretValue("made up"), current=SecretValue("made up too"),
... )
<Password of user app of PostgreSQL at db.example.org:5432>
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Literal, Protocol

from swarmsecrets._native import Password as NativePassword
from swarmsecrets._native import SecretValue

@dataclass(frozen=True)
class Account:
    """Whose password a setter changes. Holds no value."""

    system: str
    """The system and its place, such as `PostgreSQL at db:5432`."""
    user: str
    way: Literal["replaces", "holds_two", "alternates"] = "replaces"
    """`replaces`: a user has one password, and `set` ends the old one. `holds_two`: both log in until `revoke`.
    `alternates`: two users take turns, and the value says which."""


class CredentialSetter(Protocol):
    """Changes a user's password. All methods but the first two may be coroutines.

    Values are whole values of the secret, as services mount it. Each call may come again after a crash or a lost answer, with
    the same rotation and values, and is then harmless and a success. Raise the errors of `swarmsecrets.errors`: of
    `UnreachableError`, `RateLimitedError`, `UnauthorizedError`, `ForbiddenError`, `NotFoundError`, `ConflictError`, `StaleError`,
    `RefusedError` and `InvalidError` nothing was changed; anything else says that it may have been. No message may hold a value.
    """

    def account(self) -> Account:
        """Whose password this changes, and how."""
        ...

    def next_value(self, current: SecretValue, password: SecretValue) -> SecretValue:
        """The next value of the secret: the current one with the new password in its place."""
        ...

    def set(self, rotation: str, current: SecretValue, next: SecretValue) -> None | Awaitable[None]:
        """Makes the next one valid. Where two are held, the current one stays valid."""
        ...

    def verify(self, value: SecretValue) -> bool | Awaitable[bool]:
        """Whether a value logs in, over a connection of its own. Raises where neither can be said."""
        ...

    def revoke(self, rotation: str, old: SecretValue) -> None | Awaitable[None]:
        """Makes the old one invalid, when nothing uses it any more."""
        ...

    def undo(self, rotation: str, current: SecretValue) -> None | Awaitable[None]:
        """Makes the current one the only valid one again, whether or not `set` was done."""
        ...


@dataclass(frozen=True)
class Password:
    """A setter, and the value that the secret has now: Swarm gives no value back, so it is handed over each time."""

    setter: CredentialSetter
    current: SecretValue


Passwords = Mapping[str, Password | NativePassword]
"""Passwords by the names of the secrets."""


def _password(
    administrator_password: SecretValue | None, current: SecretValue | None, **settings: Any
) -> NativePassword:
    given = {name.replace("_", "-"): value for name, value in settings.items() if value is not None}
    return NativePassword(json.dumps(given), administrator_password, current)


def postgres(
    host: str,
    *,
    administrator: str,
    administrator_password: SecretValue,
    current: SecretValue,
    user: str | None = None,
    users: tuple[str, str] | None = None,
    port: int | None = None,
    database: str | None = None,
    shape: str | None = None,
    encryption: str | None = None,
    ca_file: str | PathLike[str] | None = None,
) -> NativePassword:
    """The password of a role of PostgreSQL, or of two that take turns. """
    return _password(
        administrator_password,
        current,
        system="postgres",
        host=host,
        port=port,
        administrator=administrator,
        database=database,
        user=user,
        users=users,
        shape=shape,
        encryption=encryption,
        ca_file=ca_file and fspath(ca_file),
    )


def _server(system: str, given: dict[str, Any]) -> NativePassword:
    passwords = given.pop("administrator_password"), given.pop("current")
    ca_file = given.pop("ca_file")
    return _password(*passwords, system=system, ca_file=ca_file and fspath(ca_file), **given)


def mariadb(
    host: str,
    *,
    administrator: str,
    administrator_password: SecretValue,
    current: SecretValue,
    user: str,
    user_host: str | None = None,
    port: int | None = None,
    shape: str | None = None,
    encryption: str | None = None,
    ca_file: str | PathLike[str] | None = None,
) -> NativePassword:
    """The password of a user of MariaDB, which holds two."""
    return _server("mariadb", dict(locals()))


def mysql(
    host: str,
    *,
    administrator: str,
    administrator_password: SecretValue,
    current: SecretValue,
    user: str,
    user_host: str | None = None,
    port: int | None = None,
    shape: str | None = None,
    encryption: str | None = None,
    ca_file: str | PathLike[str] | None = None,
) -> NativePassword:
    """The password of a user of MySQL, which holds two. Not tested on a server."""
    return _server("mysql", dict(locals()))


def redis(
    host: str,
    *,
    administrator: str,
    administrator_password: SecretValue,
    current: SecretValue,
    user: str,
    port: int | None = None,
    shape: str | None = None,
    encryption: str | None = None,
    ca_file: str | PathLike[str] | None = None,
) -> NativePassword:
    """The password of a user of Redis' access control list, which holds two."""
    return _server("redis", dict(locals()))


def commands(
    service: str,
    user: str,
    *,
    set: Sequence[str],
    test_new: Sequence[str],
    test_old: Sequence[str],
    undo: Sequence[str],
    revoke: Sequence[str] | None = None,
) -> NativePassword:
    """A password that commands in a container of `service` change, which read both values from files there."""
    lines = {"set": set, "test_new": test_new, "test_old": test_old, "undo": undo, "revoke": revoke}
    given = {name: line and list(line) for name, line in lines.items()}
    return _password(None, None, system="exec", service=service, user=user, **given)
