"""The simulated world."""

import swarmsecrets


def test_clients_of_one_world_share_it(swarm: swarmsecrets.SimSwarm) -> None:
    one, two = swarm.client(), swarm.client()
    report = one.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    assert two.rollback(report.rotation, confirm=True).outcome == "rolled_back"


def test_time_passes_when_it_is_let(swarm: swarmsecrets.SimSwarm) -> None:
    before = swarm.now
    swarm.advance("1h")
    assert swarm.now > before
    assert repr(swarm) == f"<SimSwarm at {swarm.now}>"
