"""The simulated world."""

import pytest

import swarmsecrets
import swarmsecrets.errors


def test_clients_of_one_world_share_it(swarm: swarmsecrets.SimSwarm) -> None:
    one, two = swarm.client(), swarm.client()
    report = one.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert two.rollback(report.rotation, confirm=True).outcome == "rolled_back"


def test_time_passes_when_it_is_let(swarm: swarmsecrets.SimSwarm) -> None:
    before = swarm.now
    swarm.advance("1h")
    assert swarm.now > before
    assert repr(swarm) == f"<SimSwarm at {swarm.now}>"


def test_it_is_served_over_http(swarm: swarmsecrets.SimSwarm, tmp_path) -> None:
    with swarm.serve(speed=100) as served:
        client = swarmsecrets.Client(served.url, api_key=served.api_key, endpoint=1, journal=tmp_path)
        report = client.rotate(
            "report_password", value=swarmsecrets.Generate(), confirm=True, stability="1s", deadline="30s"
        )
        assert report.outcome == "applied" and report.simulated
        assert served.api_key not in repr(served) + repr(client)
    with pytest.raises(swarmsecrets.Error) as caught:
        client.inventory()
    assert caught.value.kind == "unreachable"


def test_a_user_that_is_not_there_is_said(swarm: swarmsecrets.SimSwarm) -> None:
    with pytest.raises(swarmsecrets.errors.NotFoundError, match="no user `nobody`"):
        swarm.serve("nobody")


def test_rusts_log_goes_to_logging(
    swarm: swarmsecrets.SimSwarm, tmp_path, caplog: pytest.LogCaptureFixture, made_up: str
) -> None:
    caplog.set_level("DEBUG")
    with swarm.serve(speed=100) as served:
        client = swarmsecrets.Client(served.url, api_key=served.api_key, endpoint=1, journal=tmp_path)
        client.create("logged", value=swarmsecrets.SecretValue(made_up), confirm=True)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("swarmsecrets_portainer")]
    assert any("sends a mutation" in text and "create secret" in text for text in said), said
    assert made_up not in caplog.text and served.api_key not in caplog.text


def test_a_journal_of_ones_own_is_not_ignored_in_silence(swarm: swarmsecrets.SimSwarm, tmp_path, made_up: str) -> None:
    url = swarmsecrets.SecretValue(f"postgres://app:{made_up}@127.0.0.1/journals")
    for settings in ({"journal": tmp_path}, {"journal_database": url}):
        with pytest.raises(swarmsecrets.errors.InvalidError, match="keeps its journal itself"):
            swarm.client(**settings)


def test_a_database_that_cannot_be_one_is_said_without_its_password(tmp_path, made_up: str) -> None:
    url = swarmsecrets.SecretValue(f"mysql://app:{made_up}@127.0.0.1/journals")
    with pytest.raises(swarmsecrets.Error) as caught:
        swarmsecrets.Client("http://127.0.0.1:1", api_key="made-up-key", endpoint=1, journal=tmp_path, journal_database=url)
    assert caught.value.kind == "settings" and made_up not in str(caught.value)
