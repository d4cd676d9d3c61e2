"""What agents may try with an approval, from Python: each attempt is refused, and stands in the audit trail. SECURITY.md lists these tests."""

import pathlib
import threading
from typing import Any

import pytest

import swarmsecrets
from swarmsecrets import approval, errors
from swarmsecrets.approval import Approval, ChangeRequest
from swarmsecrets.audit import AuditRecord

SECRET = "report_password"


class Trail:
    """Keeps the records."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def append(self, record: AuditRecord) -> None:
        self.records.append(record)

    def refused(self) -> list[str]:
        return [str(record.outcome) for record in self.records if record.step == 0]


class Office:
    """A policy by which everything needs an approval, and an approver with a key."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.key = folder / "alice.key"
        public = approval.keygen(self.key)
        self.policy = swarmsecrets.Policy.parse(
            f"schema = 1\nphase = 'assisted'\n[approval]\nfolder = '{folder}/requests'\nstate = '{folder}/state'\n"
            f"approvers = [{{ identity = 'alice', key = '{public}' }}]\n"
        )

    def client(self, swarm: swarmsecrets.SimSwarm, trail: Trail) -> swarmsecrets.Client:
        return swarm.client(policy=self.policy, agent_id="agent-7", audit=trail)

    def approved(self, client: swarmsecrets.Client, secret: str = SECRET) -> tuple[swarmsecrets.Plan, Approval]:
        plan = client.plan_rotation(secret, value=swarmsecrets.Generate())
        request = client.request_change(plan)
        return plan, self.approve(request)

    def approve(self, request: ChangeRequest) -> Approval:
        return Approval(request, approval.approve(request, key=self.key, identity="alice"))


@pytest.fixture
def office(tmp_path: pathlib.Path) -> Office:
    return Office(tmp_path)


def versions(swarm: swarmsecrets.SimSwarm, name: str = SECRET) -> list[str]:
    return [version.name for version in swarm.client().inventory().secret(name).versions]


def test_a_world_that_moved_after_the_approval_is_refused_and_told(office: Office, swarm: swarmsecrets.SimSwarm) -> None:
    trail = Trail()
    client = office.client(swarm, trail)
    plan, approved = office.approved(client)
    assert swarm.client().rotate(SECRET, value=swarmsecrets.Generate(), confirm=True).outcome == "applied"
    with pytest.raises((errors.StaleError, errors.ConflictError)) as refused:
        client.apply(plan, approval=approved, confirm=True)
    assert trail.refused() == [f"refused: {refused.value}"]
    assert versions(swarm) == [SECRET, f"{SECRET}_v2"]


def test_an_approval_of_another_plan_is_refused_and_told(office: Office, swarm: swarmsecrets.SimSwarm) -> None:
    trail = Trail()
    client = office.client(swarm, trail)
    _, approved = office.approved(client, "redis_password")
    plan, _ = office.approved(client)
    with pytest.raises(errors.DeniedError, match="is about to run"):
        client.apply(plan, approval=approved, confirm=True)
    assert "is about to run" in trail.refused()[0] and versions(swarm) == [SECRET]


def test_a_policy_that_was_exchanged_after_the_approval_is_refused_and_told(office: Office, swarm: swarmsecrets.SimSwarm) -> None:
    trail = Trail()
    plan, approved = office.approved(office.client(swarm, trail))
    office.policy = swarmsecrets.Policy.parse(office.policy.text + "# another comment\n")
    with pytest.raises(errors.DeniedError, match="polic"):
        office.client(swarm, trail).apply(plan, approval=approved, confirm=True)
    assert "polic" in trail.refused()[0] and versions(swarm) == [SECRET]


def test_a_clock_that_was_set_back_makes_no_approval_good_again(office: Office, swarm: swarmsecrets.SimSwarm) -> None:
    trail = Trail()
    client = office.client(swarm, trail)
    plan, approved = office.approved(client)
    swarm.advance("31m")
    with pytest.raises(errors.NeedsApprovalError, match="expired"):
        client.apply(plan, approval=approved, confirm=True)
    # The same world as before, and the same time.
    back = swarmsecrets.SimSwarm()
    assert back.now < swarm.now
    with pytest.raises(errors.NeedsApprovalError, match="expired"):
        office.client(back, trail).apply(plan, approval=approved, confirm=True)
    assert ["expired" in told for told in trail.refused()] == [True, True]
    assert versions(swarm) == versions(back) == [SECRET]


def test_of_several_that_use_one_approval_at_once_one_carries_it_out(office: Office) -> None:
    # Each in a world of its own, so that nothing but the approval is in their way.
    swarms = [swarmsecrets.SimSwarm() for _ in range(4)]
    trails = [Trail() for _ in swarms]
    clients = [office.client(swarm, trail) for swarm, trail in zip(swarms, trails, strict=True)]
    plan, approved = office.approved(clients[0])
    begin, outcomes = threading.Barrier(len(clients)), dict[int, str]()

    def apply(n: int) -> None:
        begin.wait()
        try:
            outcomes[n] = clients[n].apply(plan, approval=approved, confirm=True).outcome
        except errors.Error as error:
            outcomes[n] = error.kind

    threads = [threading.Thread(target=apply, args=(n,)) for n in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.values()) == ["applied", "conflict", "conflict", "conflict"]
    for n, (swarm, trail) in enumerate(zip(swarms, trails, strict=True)):
        won = outcomes[n] == "applied"
        assert versions(swarm) == [SECRET, f"{SECRET}_v2"][: 1 + won]
        assert ["was used before" in told for told in trail.refused()] == ([] if won else [True])


class Swapped:
    """Leads to another environment than the one that is asked for."""

    def __init__(self, served: Any) -> None:
        from transport import Http

        self.http = Http(served.url, swarmsecrets.SecretValue(served.api_key))

    def send(self, request: Any) -> Any:
        renumbered = Renumbered(request)
        answer = self.http.send(renumbered)
        return answer


class Renumbered:
    """A request for environment 2, as environment 1 is asked."""

    def __init__(self, request: Any) -> None:
        self.request = request

    @property
    def path(self) -> str:
        return str(self.request.path).replace("/endpoints/2/", "/endpoints/1/")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)


def test_an_approval_for_one_environment_is_none_where_its_number_is_another(
    office: Office, swarm: swarmsecrets.SimSwarm, tmp_path: pathlib.Path
) -> None:
    with swarm.serve(speed=100) as served:
        swapped, trails = Swapped(served), [Trail(), Trail()]
        first, second = (
            swarmsecrets.Client.over(swapped, endpoint=n, journal=tmp_path / str(n), policy=office.policy, audit=trail)
            for n, trail in zip((1, 2), trails, strict=True)
        )
        plan, approved = office.approved(first)
        with pytest.raises(errors.DeniedError, match="approved for environment 1 .* and this is environment 2"):
            second.apply(plan, approval=approved, confirm=True)
        assert "and this is environment 2" in trails[1].refused()[0]
    assert versions(swarm) == [SECRET] and trails[0].records == []


def test_a_plan_for_one_swarm_is_stale_in_another_and_that_is_told() -> None:
    trail = Trail()
    here, there = (swarmsecrets.SimSwarm(seed) for seed in (0, 1))
    plan = here.client().plan_rotation(SECRET, value=swarmsecrets.Generate())
    with pytest.raises(errors.StaleError) as refused:
        there.client(audit=trail).apply(plan, confirm=True)
    assert trail.refused() == [f"refused: {refused.value}"] and versions(there) == [SECRET]
