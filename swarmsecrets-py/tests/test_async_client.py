"""The same, awaited."""

import asyncio

import pytest

import swarmsecrets


async def test_a_rotation_is_awaited(swarm: swarmsecrets.SimSwarm, made_up: str) -> None:
    client = swarm.async_client(agent_id="agent-7")
    report = await client.rotate("report_password", value=swarmsecrets.SecretValue(made_up), confirm=True)
    assert report.outcome == "applied"
    assert (await client.rollback(report.rotation, confirm=True)).outcome == "rolled_back"
    assert (await client.inventory()).secret("report_password").current == "report_password"


async def test_other_tasks_go_on_meanwhile(swarm: swarmsecrets.SimSwarm) -> None:
    client = swarm.async_client()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    ticking.cancel()
    assert ticks > 1


async def test_what_is_cancelled_can_be_resumed(swarm: swarmsecrets.SimSwarm, made_up: str) -> None:
    client = swarm.async_client()
    value = swarmsecrets.SecretValue(made_up)
    begun: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def observe(progress: swarmsecrets.Progress) -> None:
        if progress.kind == "event":
            loop.call_soon_threadsafe(begun.put_nowait, str(progress.rotation))

    rotating = asyncio.create_task(client.rotate("report_password", value=value, confirm=True, observer=observe))
    rotation = await begun.get()
    rotating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rotating
    for _ in range(400):
        try:
            report = await client.resume(rotation, value, confirm=True)
            break
        except swarmsecrets.Error as error:
            # It ends what it has in hand first, or has ended.
            if error.kind != "conflict":
                raise
            await asyncio.sleep(0.01)
    assert report.outcome in ("applied", "not_started", "rolled_back")
