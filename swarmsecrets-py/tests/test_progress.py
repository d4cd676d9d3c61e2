"""Iterating over what happens."""

import pytest

import swarmsecrets


def plan(client: swarmsecrets.Client) -> swarmsecrets.Plan:
    return client.plan_rotation("report_password", value=swarmsecrets.Generate())


def test_what_happens_is_iterated_over(client: swarmsecrets.Client) -> None:
    running = client.apply(plan(client), confirm=True, stream=True)
    seen = list(running)
    assert {progress.kind for progress in seen} == {"event", "sending"}
    report = running.report()
    assert report.outcome == "applied"
    assert {progress.rotation for progress in seen if progress.kind == "event"} == {report.rotation}
    assert list(running) == [], "it has ended"


def test_what_is_refused_is_raised_where_it_is_waited_for(client: swarmsecrets.Client) -> None:
    running = client.apply(plan(client), stream=True)
    with pytest.raises(swarmsecrets.Error) as caught:
        next(running)
    assert caught.value.kind == "denied"
    with pytest.raises(swarmsecrets.Error):
        running.report()


def test_leaving_a_block_asks_it_to_stop(client: swarmsecrets.Client) -> None:
    with client.apply(plan(client), confirm=True, stream=True) as running:
        next(running)
    report = running.report()
    assert report.outcome in ("applied", "rolled_back", "not_started")
    if report.outcome == "not_started":
        assert client.resume(report.rotation, confirm=True).outcome != "conflict"


async def test_the_same_is_awaited(swarm: swarmsecrets.SimSwarm) -> None:
    client = swarm.async_client()
    planned = await client.plan_rotation("report_password", value=swarmsecrets.Generate())
    async with client.apply(planned, confirm=True, stream=True) as running:
        kinds = [progress.kind async for progress in running]
    assert "sending" in kinds
    assert (await running.report()).outcome == "applied"
    refused = client.apply(planned, stream=True)
    with pytest.raises(swarmsecrets.Error):
        await anext(refused)


def test_what_is_open_is_listed(client: swarmsecrets.Client) -> None:
    assert client.unfinished() == []
    report = client.apply(plan(client), confirm=True)
    assert [one.rotation for one in client.unfinished()] == [report.rotation]
