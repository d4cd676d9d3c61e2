"""Clients that change nothing, and clients of a server that holds the API key."""

import asyncio
import os
import pathlib
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

import swarmsecrets
from swarmsecrets import errors
from swarmsecrets.policy import Policy

WRITING = ["apply", "rotate", "revoke", "create", "resume", "rollback", "close", "retire"]

AUTOMATED = "schema = 1\nphase = 'automated'\n"


class Server:
    """`swarmsecrets run` before a simulated world, for one agent."""

    def __init__(self, folder: pathlib.Path, policy: str, token: str) -> None:
        command = os.environ.get("SWARMSECRETS_TEST_COMMAND", "")
        if not pathlib.Path(command).is_file():
            pytest.fail("the command is not there: run these tests by `cargo xtask python`, or build it and name it in SWARMSECRETS_TEST_COMMAND")
        self.folder, self.token = folder, token
        self.address = f"unix:{folder}/socket"
        (folder / "token").write_text(token)
        (folder / "callers.toml").write_text("[callers.agent-7]\ntoken-file = 'token'\n")
        (folder / "policy.toml").write_text(policy)
        words = ["run", "--sim", "--callers", "callers.toml", "--socket", str(folder / "socket"), "--policy", "policy.toml"]
        words += ["--sim-state", "world.json"]
        self.process = subprocess.Popen([command, *words], cwd=folder, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.address in self.process.stdout.readline()

    def client(self) -> swarmsecrets.Client:
        return swarmsecrets.Client.connect(self.address, token=self.token)

    def stop(self) -> None:
        with self.process as process:
            process.terminate()
        assert process.returncode == 0


@pytest.fixture
def serve(tmp_path: pathlib.Path, made_up: str) -> Iterator[Callable[[str], Server]]:
    servers: list[Server] = []

    def start(policy: str) -> Server:
        servers.append(Server(tmp_path, policy, f"{made_up}-{secrets.token_hex(8)}"))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_a_read_only_client_reads_and_plans_and_has_no_way_to_change(swarm: swarmsecrets.SimSwarm) -> None:
    looking = swarm.client(agent_id="agent-7", policy=Policy.parse(AUTOMATED)).read_only()
    assert looking.inventory().secrets
    plan = looking.plan_rotation("report_password", value=swarmsecrets.Generate())
    assert plan.digest and looking.explain("report_password").decision and looking.unfinished() == []
    seen, names = set[int](), set[str]()
    todo: list[object] = [looking]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, str | int | type):
            continue
        seen.add(id(one))
        for name in dir(one):
            if not name.startswith("__"):
                names.add(name)
                if not callable(member := getattr(one, name)):
                    todo.append(member)
    assert not names & set(WRITING), names
    # The client that it was made from is not to be had from it either.
    assert "_session" not in names


def test_an_async_one_does_the_same(swarm: swarmsecrets.SimSwarm) -> None:
    looking = swarm.async_client().read_only()

    async def look() -> int:
        return len((await looking.inventory()).secrets)

    assert asyncio.run(look()) > 0
    assert not any(hasattr(looking, name) for name in WRITING)


def test_a_server_carries_out_for_a_client_without_an_api_key(serve: Callable[[str], Server]) -> None:
    client = serve(AUTOMATED).client()
    seen = client.inventory()
    assert seen.simulated and "report_password" in [secret.name for secret in seen.secrets]
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
    told = []
    report = client.apply(plan, observer=told.append, reason="it is old")
    assert report.outcome == "applied" and [one.kind for one in told].count("sending") > 1
    assert client.rollback(report.rotation or "").outcome == "rolled_back"
    assert client.due() == [] or client.due()[0].secret
    assert [one.outcome for one in client.retire()] == []


def test_a_server_takes_no_value_no_foreign_plan_and_no_wrong_token(
    serve: Callable[[str], Server], swarm: swarmsecrets.SimSwarm, made_up: str, walk: Callable[[object], str]
) -> None:
    server = serve(AUTOMATED)
    client = server.client()
    foreign = swarm.client().plan_rotation("report_password", value=swarmsecrets.Generate())
    with pytest.raises(errors.StaleError):
        client.apply(foreign, confirm=True)
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
    value = swarmsecrets.SecretValue(made_up)
    for attempt in (
        lambda: client.plan_rotation("report_password", value=value),
        lambda: client.apply(plan, value, confirm=True),
        lambda: client.close("r-0123456789abcdef0123", reason="seen to", confirm=True),
    ):
        with pytest.raises((errors.InvalidError, errors.DeniedError)) as caught:
            attempt()
        assert made_up not in str(caught.value)
    stranger = swarmsecrets.Client.connect(server.address, token=secrets.token_hex(24))
    with pytest.raises(errors.UnauthorizedError):
        stranger.inventory()
    assert server.token not in walk(client)


def test_without_leave_a_server_changes_nothing_and_its_audit_trail_says_so(serve: Callable[[str], Server]) -> None:
    server = serve("schema = 1\nphase = 'read-only'\n")
    client = server.client()
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
    with pytest.raises(errors.DeniedError):
        client.apply(plan, confirm=True)
    trail = (server.folder / "world.json.journal" / "audit.jsonl").read_text()
    assert "agent-7" in trail and "denied" in trail


def test_what_may_not_be_begun_may_not_be_undone_either(swarm: swarmsecrets.SimSwarm) -> None:
    done = swarm.client().rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    looking = swarm.client(agent_id="agent-7", policy=Policy.parse("schema = 1\nphase = 'read-only'\n"))
    with pytest.raises(errors.DeniedError):
        looking.rollback(done.rotation or "", confirm=True)
    with pytest.raises(errors.DeniedError):
        looking.close(done.rotation or "", reason="seen to", confirm=True)
    person = swarm.client(policy=Policy.parse("schema = 1\nphase = 'read-only'\n"))
    assert person.rollback(done.rotation or "", confirm=True).outcome == "rolled_back"


def test_a_server_that_is_not_there_is_said() -> None:
    begun = time.monotonic()
    client = swarmsecrets.Client.connect("unix:/nonexistent/socket", token=secrets.token_hex(24))
    with pytest.raises(errors.UnreachableError):
        client.inventory()
    assert time.monotonic() - begun < 10
    with pytest.raises(errors.SettingsError):
        swarmsecrets.Client.connect("http://example.org", token=secrets.token_hex(24))
