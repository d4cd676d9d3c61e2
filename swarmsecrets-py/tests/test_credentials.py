"""Passwords that are changed in step, by setters that are written in Python."""

from typing import Any

import pytest

import swarmsecrets
from swarmsecrets import errors
from swarmsecrets.credentials import Account, Password


class System:
    """A system in memory that holds two passwords, and a setter for its one user."""

    def __init__(self, password: str) -> None:
        self.passwords = [password]
        self.calls: list[str] = []
        self.broken: str | None = None

    def account(self) -> Account:
        return Account("a system of the tests", "app", way="holds_two")

    def next_value(self, current: swarmsecrets.SecretValue, password: swarmsecrets.SecretValue) -> swarmsecrets.SecretValue:
        return password

    async def set(self, rotation: str, current: swarmsecrets.SecretValue, next: swarmsecrets.SecretValue) -> None:
        self.called("set")
        assert current.expose().decode() in self.passwords
        self.passwords = [current.expose().decode(), next.expose().decode()]

    def verify(self, value: swarmsecrets.SecretValue) -> bool:
        self.called("verify")
        return value.expose().decode() in self.passwords

    def revoke(self, rotation: str, old: swarmsecrets.SecretValue) -> None:
        self.called("revoke")
        self.passwords = [password for password in self.passwords if password != old.expose().decode()]

    def undo(self, rotation: str, current: swarmsecrets.SecretValue) -> None:
        self.called("undo")
        self.passwords = [current.expose().decode()]

    def called(self, method: str) -> None:
        self.calls.append(method)
        if self.broken == method:
            raise errors.RefusedError("the system says no")


@pytest.fixture
def system(made_up: str) -> System:
    return System(made_up)


def client(swarm: swarmsecrets.SimSwarm, system: System, made_up: str) -> swarmsecrets.Client:
    return swarm.client(passwords={"report_password": Password(system, swarmsecrets.SecretValue(made_up))})


def test_the_password_changes_before_the_services_and_ends_after_them(
    swarm: swarmsecrets.SimSwarm, system: System, made_up: str
) -> None:
    report = client(swarm, system, made_up).rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert report.outcome == "applied"
    assert len(system.passwords) == 1 and made_up not in system.passwords
    assert [call for call in system.calls if call != "verify"] == ["set", "revoke"]


@pytest.mark.parametrize("broken", ["set"])
def test_the_old_password_stays_if_the_new_one_cannot_be_set(
    swarm: swarmsecrets.SimSwarm, system: System, made_up: str, broken: str
) -> None:
    system.broken = broken
    report = client(swarm, system, made_up).rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert report.outcome in ("not_started", "rolled_back")
    assert system.passwords == [made_up]


def test_other_secrets_are_rotated_without_it(swarm: swarmsecrets.SimSwarm, system: System, made_up: str) -> None:
    report = client(swarm, system, made_up).rotate("db_password", value=swarmsecrets.Generate(), confirm=True)
    assert report.outcome == "applied"
    assert system.calls == []


def test_a_leaked_password_is_ended_first(swarm: swarmsecrets.SimSwarm, system: System, made_up: str) -> None:
    report = client(swarm, system, made_up).revoke("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert report.outcome == "applied"
    assert made_up not in system.passwords


def test_an_account_that_is_none_is_said(swarm: swarmsecrets.SimSwarm, system: System, made_up: str) -> None:
    class Odd(System):
        def account(self) -> Any:
            return "app"

    with pytest.raises(errors.ProtocolError, match="expected a swarmsecrets.credentials.Account"):
        client(swarm, Odd(made_up), made_up)
