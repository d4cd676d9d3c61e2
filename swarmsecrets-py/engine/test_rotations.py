"""Rotations on a real Engine, as a user of the package meets them."""

import asyncio
import pathlib

import pytest
from scene import PICKY, Scene, told

import swarmsecrets
from swarmsecrets import SecretValue, errors
from swarmsecrets.health import Containers, Health, Target

FAST = {"stability": "2s", "deadline": "60s"}


def test_applied_then_retired(scene: Scene) -> None:
    old, new = scene.value(), scene.value()
    secret = scene.secret(old)
    web, api = scene.service("web", secret, replicas=2), scene.service("api", secret)
    client = scene.client()
    assert sorted(one.service for one in client.inventory().secret(secret).consumers) == [api, web]
    report = client.rotate(secret, value=SecretValue(new), confirm=True, grace="0s", **FAST)
    assert (report.outcome, report.simulated) == ("applied", False)
    assert scene.reads(web, new) and scene.reads(api, new)
    assert scene.secrets() == [f"{secret}_v2"]
    kept = "".join(path.read_text() for path in pathlib.Path(scene.folder).rglob("*.jsonl"))
    assert "python-test" in kept and new not in kept and old not in kept


def test_undone_if_the_program_does_not_take_the_value(scene: Scene) -> None:
    old = scene.value()
    secret = scene.secret(old)
    web = scene.service("web", secret, PICKY)
    report = scene.client().rotate(secret, value=SecretValue(scene.value("bad")), confirm=True, **FAST)
    assert report.outcome == "rolled_back"
    assert "exited 3" in str(report.consumers[0].reason)
    assert scene.reads(web, old) and scene.secrets() == [secret]


def test_rollback_and_close(scene: Scene) -> None:
    old, new = scene.value(), scene.value()
    secret = scene.secret(old)
    web = scene.service("web", secret)
    client = scene.client()
    report = client.rotate(secret, value=SecretValue(new), confirm=True, **FAST)
    assert [one.rotation for one in client.unfinished()] == [report.rotation]
    assert client.rollback(report.rotation, confirm=True).outcome == "rolled_back"
    assert scene.reads(web, old) and client.unfinished() == []
    with pytest.raises(errors.RefusedError, match="has ended"):
        client.close(report.rotation, reason="again", confirm=True)


def test_revoked(scene: Scene) -> None:
    new = scene.value()
    secret = scene.secret(scene.value())
    web = scene.service("web", secret)
    report = scene.client().revoke(secret, value=SecretValue(new), confirm=True, **FAST)
    assert report.outcome == "applied"
    assert scene.reads(web, new) and scene.secrets() == [f"{secret}_v2"]


def test_created_first(scene: Scene) -> None:
    name = f"{scene.name}-first"
    report = scene.client().create(name, value=SecretValue(scene.value()), labels={"team": "payments"}, confirm=True)
    assert report.outcome == "applied" and scene.secrets() == [name]
    assert scene.client().inventory().secret(name).versions[0].labels["team"] == "payments"


def test_scoped_account_does_not_see_all(scene: Scene) -> None:
    secret = scene.secret(scene.value())
    scene.service("web", secret)
    inventory = scene.client("SVC_AGENT").inventory()
    assert inventory.visibility == "partial"
    with pytest.raises(errors.NotFoundError):
        inventory.secret(secret)
    with pytest.raises(errors.NotFoundError):
        scene.client("SVC_AGENT").rotate(secret, value=swarmsecrets.Generate(), confirm=True)


def test_stack_is_brought_in_line(scene: Scene) -> None:
    new = scene.value()
    secret = scene.secret(scene.value())
    file = f"""# of the shop
version: "3.8"
services:
  web:
    image: {told("IMAGE")}
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    secrets: [{{source: db, target: pw}}]
    deploy: {{endpoint_mode: dnsrr, update_config: {{monitor: 1s}}}}
secrets:
  db: {{external: true, name: {secret}}}  # rotated
"""
    swarm = scene.portainer("GET", f"/api/endpoints/{told('ENDPOINT')}/docker/swarm")["ID"]
    path = f"/api/stacks/create/swarm/string?endpointId={told('ENDPOINT')}"
    stack = scene.portainer("POST", path, {"name": scene.name, "swarmID": swarm, "stackFileContent": file, "env": []})
    web = f"{scene.name}_web"
    scene.wait_for(web, 1)
    report = scene.client().rotate(secret, value=SecretValue(new), confirm=True, **FAST)
    assert report.outcome == "applied", report.to_dict()
    assert scene.reads(web, new)
    stored = scene.portainer("GET", f"/api/stacks/{stack['Id']}/file")["StackFileContent"]
    assert stored == file.replace(f"name: {secret}}}", f"name: {secret}_v2}}")


def test_probe_of_python_decides(scene: Scene) -> None:
    from datetime import timedelta

    class ReadsGood:
        name = "the program reads a good value"

        def baseline(self, target: Target, containers: Containers) -> None:
            assert len(target.tasks) == 1

        async def check(self, target: Target, baseline: None, containers: Containers) -> Health:
            command = ["sh", "-c", "grep -q ^good /run/secrets/pw"]
            code = await asyncio.to_thread(containers.run, target.tasks[0].id, command, timedelta(seconds=20))
            return Health.healthy() if code == 0 else Health.unhealthy("the value is not good")

    old = scene.value()
    secret = scene.secret(old)
    web = scene.service("web", secret)
    client = scene.client(probes={web: ReadsGood()})
    bad = client.rotate(secret, value=SecretValue(scene.value("bad")), confirm=True, **FAST)
    assert bad.outcome == "rolled_back" and "the value is not good" in str(bad.consumers[0].reason)
    assert scene.reads(web, old)
    assert client.rotate(secret, value=SecretValue(scene.value()), confirm=True, **FAST).outcome == "applied"


async def test_cancelled_in_midway_and_resumed(scene: Scene) -> None:
    new = scene.value()
    secret = scene.secret(scene.value())
    services = [scene.service(name, secret) for name in ("a", "b", "c")]
    client = scene.async_client()
    begun: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def observe(progress: swarmsecrets.Progress) -> None:
        if progress.kind == "sending" and "update service" in str(progress.text):
            loop.call_soon_threadsafe(begun.put_nowait, "")

    plan = await client.plan_rotation(secret, value=SecretValue(new), **FAST)
    rotating = asyncio.create_task(client.apply(plan, SecretValue(new), confirm=True, observer=observe))
    await asyncio.wait_for(begun.get(), 60)
    rotating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rotating
    report = None
    for _ in range(600):
        (open,) = await client.unfinished()
        try:
            report = await client.resume(open.rotation, SecretValue(new), confirm=True)
            break
        except errors.ConflictError:
            # It ends what it has in hand first.
            await asyncio.sleep(0.1)
    assert report is not None and report.outcome == "applied", report
    assert all(scene.reads(service, new) for service in services)


async def test_two_at_once_are_one(scene: Scene) -> None:
    secret = scene.secret(scene.value())
    web = scene.service("web", secret)
    one, other = scene.value(), scene.value()

    async def rotate(value: str) -> str:
        try:
            report = await scene.async_client().rotate(secret, value=SecretValue(value), confirm=True, **FAST)
            return report.outcome
        except swarmsecrets.Error as error:
            return error.kind

    outcomes = await asyncio.gather(rotate(one), rotate(other))
    assert outcomes.count("applied") == 1 and set(outcomes) <= {"applied", "conflict", "stale"}
    assert scene.reads(web, one) != scene.reads(web, other)
    assert scene.secrets() == [secret, f"{secret}_v2"]
