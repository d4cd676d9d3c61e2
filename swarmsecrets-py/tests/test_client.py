"""What can be done with a client that waits."""

import threading
import time

import pytest

import swarmsecrets


def current(client: swarmsecrets.Client) -> str:
    return client.inventory().secret("report_password").current


def test_a_rotation_needs_the_key_holders_word(client: swarmsecrets.Client, made_up: str) -> None:
    before = current(client)
    with pytest.raises(swarmsecrets.Error) as caught:
        client.rotate("report_password", value=swarmsecrets.SecretValue(made_up))
    assert caught.value.kind == "denied"
    assert made_up not in str(caught.value)
    assert current(client) == before


def test_a_rotation_is_applied_and_rolled_back(client: swarmsecrets.Client, made_up: str) -> None:
    before = current(client)
    events: list[swarmsecrets.Progress] = []
    value = swarmsecrets.SecretValue(made_up)
    report = client.rotate("report_password", value=value, confirm=True, reason="a test", observer=events.append)
    assert report.outcome == "applied" and report.simulated and report.to_dict()["schema"] == 1
    assert report.secrets[0].current is not None and report.secrets[0].current.name == current(client) != before
    assert {event.kind for event in events} >= {"event", "sending"}
    assert made_up not in repr(events) and made_up not in repr(report)
    assert client.rollback(report.rotation, confirm=True).outcome == "rolled_back"
    assert current(client) == before


def test_the_old_version_goes_after_its_grace(swarm: swarmsecrets.SimSwarm, client: swarmsecrets.Client) -> None:
    report = client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True, grace="24h")
    assert client.retire(confirm=True)[0].rotation == report.rotation
    assert len(client.inventory().secret("report_password").versions) == 2
    swarm.advance("25h")
    client.retire(confirm=True)
    assert len(client.inventory().secret("report_password").versions) == 1


def test_a_leaked_value_is_revoked(client: swarmsecrets.Client) -> None:
    report = client.revoke("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert report.outcome == "applied"
    assert len(client.inventory().secret("report_password").versions) == 1


def test_a_revocation_moves_all_at_once_and_keeps_nothing(client: swarmsecrets.Client) -> None:
    plan = client.plan_rotation("db_password", value=swarmsecrets.Generate(), strategy="revoke")
    document = plan.to_dict()
    assert document["rollout"]["concurrency"] > 1000 and document["timing"]["grace_ms"] == 0
    with pytest.raises(swarmsecrets.Error, match="a revocation keeps no old version"):
        client.revoke("db_password", value=swarmsecrets.Generate(), grace="24h", confirm=True)


def test_what_is_open_is_closed_by_a_persons_word(client: swarmsecrets.Client) -> None:
    report = client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert client.close(report.rotation, reason="seen to by hand", confirm=True).closed
    with pytest.raises(swarmsecrets.Error, match="has ended"):
        client.close(report.rotation, reason="again", confirm=True)


def test_several_secrets_have_a_value_each(client: swarmsecrets.Client, made_up: str) -> None:
    names = ["report_password", "db_password"]
    values = {name: swarmsecrets.SecretValue(f"{made_up}-{name}") for name in names}
    report = client.rotate(names, value=values, confirm=True)
    assert report.outcome == "applied"
    assert sorted(secret.name for secret in report.secrets) == sorted(names)
    with pytest.raises(swarmsecrets.Error, match=names[1]):
        client.rotate(names, value={names[0]: values[names[0]]}, confirm=True)


def test_a_bad_rotation_id_is_said(client: swarmsecrets.Client) -> None:
    for attempt in (client.resume, client.rollback):
        with pytest.raises(swarmsecrets.Error) as caught:
            attempt("no such id", confirm=True)
        assert caught.value.kind == "invalid"


def test_other_threads_go_on_meanwhile(client: swarmsecrets.Client) -> None:
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        for _ in range(3):
            client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True, grace="0s")
    finally:
        done.set()
        thread.join()
    assert ticks[0] > 3


def test_a_portainer_that_is_not_there_is_said(tmp_path, made_up: str) -> None:
    client = swarmsecrets.Client("http://127.0.0.1:1", api_key=made_up, endpoint=1, journal=tmp_path)
    with pytest.raises(swarmsecrets.Error) as caught:
        client.inventory()
    assert caught.value.kind == "unreachable"
    assert made_up not in str(caught.value)
