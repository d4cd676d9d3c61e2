"""A credential setter: a program that keeps its users in a folder, each a file of the hashes of at most two passwords."""

import hashlib
import pathlib

from swarmsecrets import SecretValue, errors
from swarmsecrets.credentials import Account


class UserFile:
    def __init__(self, folder: pathlib.Path, user: str) -> None:
        self.folder, self.user, self.path = folder, user, folder / user

    def account(self) -> Account:
        return Account(f"the users in {self.folder.name}", self.user, way="holds_two")

    def next_value(self, current: SecretValue, password: SecretValue) -> SecretValue:
        return password

    def set(self, rotation: str, current: SecretValue, next: SecretValue) -> None:
        held, new = self.read(), self.hashed(next)
        if new not in held and self.hashed(current) not in held:
            raise errors.StaleError(f"user {self.user} has another password")
        if new not in held and len(held) > 1:
            raise errors.ConflictError(f"user {self.user} has two passwords already")
        self.write(held | {new})

    def verify(self, value: SecretValue) -> bool:
        return (not self.folder.exists() or self.path.exists()) and self.hashed(value) in self.read()

    def revoke(self, rotation: str, old: SecretValue) -> None:
        if self.read() == {self.hashed(old)}:
            raise errors.RefusedError(f"user {self.user} would have no password")
        self.write(self.read() - {self.hashed(old)})

    def undo(self, rotation: str, current: SecretValue) -> None:
        self.write(self.read() & {self.hashed(current)})

    def hashed(self, value: SecretValue) -> str:
        return hashlib.scrypt(value.expose(), salt=self.user.encode(), n=1024, r=8, p=1).hex()

    def read(self) -> frozenset[str]:
        try:
            return frozenset(self.path.read_text().split())
        except FileNotFoundError:
            gone = errors.NotFoundError if self.folder.exists() else errors.UnreachableError
            raise gone(f"there is no user {self.user} in {self.folder}") from None

    def write(self, hashes: frozenset[str]) -> None:
        new = self.path.with_name(f".{self.user}.new")
        new.write_text("\n".join(hashes))
        new.replace(self.path)
