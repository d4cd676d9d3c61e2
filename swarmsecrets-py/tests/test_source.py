"""Values that are fetched from sources."""

import asyncio
import pathlib
import pickle
import threading
import time

import pytest

import swarmsecrets
from swarmsecrets import FromSource, SecretValue, errors, source, testing


class Vault:
    """Keeps every version, in memory."""

    name = "vault"

    def __init__(self) -> None:
        self.kept: dict[str, list[SecretValue]] = {}

    def put(self, reference: str, value: SecretValue) -> None:
        self.kept.setdefault(reference, []).append(value)

    def current(self, reference: str) -> str:
        if reference not in self.kept:
            raise errors.NotFoundError("nothing stands there")
        return str(len(self.kept[reference]))

    def fetch(self, reference: str, version: str) -> SecretValue:
        kept = self.kept.get(reference, [])
        if not 0 < int(version) <= len(kept):
            raise errors.NotFoundError("that version is not kept")
        return kept[int(version) - 1]


def with_vault() -> tuple[swarmsecrets.Client, Vault]:
    vault = Vault()
    vault.put("kv/db", SecretValue("made up, first"))
    return swarmsecrets.SimSwarm().client(sources=[vault]), vault


def test_the_vault_of_these_tests_keeps_its_promises() -> None:
    vault = Vault()
    testing.check_secret_source(lambda: vault, vault.put)


def test_a_suite_says_which_promise_is_broken() -> None:
    class Forgetful(Vault):
        def current(self, reference: str) -> str:
            super().current(reference)
            return "1"

    vault = Forgetful()
    with pytest.raises(AssertionError, match="each value that is put is a version of its own"):
        testing.check_secret_source(lambda: vault, vault.put)


def test_a_plan_pins_the_version_that_stands_there_now() -> None:
    client, vault = with_vault()
    plan = client.plan_rotation("report_password", value=FromSource("vault", "kv/db"))
    assert "version `1` of `kv/db` in `vault`" in str(plan.diff())
    vault.put("kv/db", SecretValue("made up, by somebody else"))
    given = list[tuple[str, str]]()
    fetch = vault.fetch

    def watched(reference: str, version: str) -> SecretValue:
        given.append((reference, version))
        return fetch(reference, version)

    vault.fetch = watched  # type: ignore[method-assign]
    report = client.apply(pickle.loads(pickle.dumps(plan)), confirm=True)
    assert (report.outcome, given) == ("applied", [("kv/db", "1")])
    (secret,) = [one for one in client.inventory().secrets if one.name == "report_password"]
    labels = {version.name: version.labels for version in secret.versions}
    assert labels["report_password_v2"]["io.swarmsecrets.source"] == "vault:kv/db@1"


def test_several_secrets_have_each_their_own() -> None:
    client, vault = with_vault()
    with pytest.raises(errors.InvalidError, match="for one secret"):
        client.plan_rotation(["report_password", "shop_db"], value=FromSource("vault", "kv/db"))
    vault.put("kv/other", SecretValue("made up, other"))
    value = {"report_password": FromSource("vault", "kv/db"), "cache_password": FromSource("vault", "kv/other")}
    names = [secret.name for secret in client.inventory().secrets]
    value = {name: place for name, place in zip(sorted(names)[:2], value.values(), strict=True)}
    plan = client.plan_rotation(value.keys(), value=value)
    assert [next(iter(one["recipe"])) for one in plan.to_dict()["secrets"]] == ["source", "source"]


def test_a_first_version_may_come_from_a_source() -> None:
    client, _ = with_vault()
    assert client.create("from_vault", value=FromSource("vault", "kv/db"), confirm=True).outcome == "applied"
    with pytest.raises(errors.NotFoundError, match="source `vault`"):
        client.create("other", value=FromSource("vault", "kv/nothing"), confirm=True)


def test_a_source_that_is_not_at_hand_is_named() -> None:
    client = swarmsecrets.SimSwarm().client()
    with pytest.raises(errors.InvalidError, match="`vault` is not at hand"):
        client.plan_rotation("report_password", value=FromSource("vault", "kv/db"))
    vault = Vault()
    with pytest.raises(errors.InvalidError, match="two sources called `vault`"):
        swarmsecrets.SimSwarm().client(sources=[vault, Vault()])


def test_an_exception_a_hanging_method_and_rubbish_are_told() -> None:
    class Broken(Vault):
        def current(self, reference: str) -> str:
            raise ValueError("made up words with a value")

    class Hanging(Vault):
        def current(self, reference: str) -> str:
            threading.Event().wait(30)
            return "1"

    class Rubbish(Vault):
        def fetch(self, reference: str, version: str) -> SecretValue:
            return "not a SecretValue"  # type: ignore[return-value]

    for vault, kind, words in (
        (Broken(), errors.ProtocolError, "failed in `current` with ValueError"),
        (Hanging(), errors.TimeoutError, "no answer to `current`"),
        (Rubbish(), errors.ProtocolError, "expected a swarmsecrets.SecretValue"),
    ):
        vault.put("kv/db", SecretValue("made up"))
        client = swarmsecrets.SimSwarm().client(sources=[vault], plugin_timeout="300ms")
        with pytest.raises(kind, match=words) as told:
            plan = client.plan_rotation("report_password", value=FromSource("vault", "kv/db"))
            client.apply(plan, confirm=True)
        assert "made up words" not in str(told.value)


def test_both_methods_may_be_coroutines() -> None:
    class Awaited:
        name = "vault"

        async def current(self, reference: str) -> str:
            await asyncio.sleep(0)
            return "7"

        async def fetch(self, reference: str, version: str) -> SecretValue:
            await asyncio.sleep(0)
            return SecretValue("made up")

    async def rotate() -> str:
        client = swarmsecrets.SimSwarm().async_client(sources=[Awaited()])
        report = await client.rotate("report_password", value=FromSource("vault", "kv/db"), confirm=True)
        return report.outcome

    assert asyncio.run(rotate()) == "applied"


def test_a_folder_is_a_source(tmp_path: pathlib.Path) -> None:
    (tmp_path / "db").write_text("made up")
    folder = source.folder("rendered", tmp_path)
    assert repr(folder) == "<SecretSource: rendered>"
    client = swarmsecrets.SimSwarm().client(sources=[folder])
    plan = client.plan_rotation("report_password", value=FromSource("rendered", "db"))
    assert client.apply(plan, confirm=True).outcome == "applied"
    (tmp_path / "db").write_text("made up, another")
    stale = client.plan_rotation("report_password", value=FromSource("rendered", "db"))
    # The clock of a file system goes in ticks.
    time.sleep(0.02)
    (tmp_path / "db").write_text("made up, once more")
    with pytest.raises(errors.NotFoundError, match="plan anew"):
        client.apply(stale, confirm=True)
    with pytest.raises(errors.InvalidError, match="no path within the folder"):
        client.plan_rotation("report_password", value=FromSource("rendered", "../db"))
