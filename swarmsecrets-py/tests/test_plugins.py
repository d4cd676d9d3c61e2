"""What adapters make of plugins that fail, hang or answer rubbish."""

import asyncio
import time
import traceback
from datetime import timedelta
from typing import Any

import pytest

import swarmsecrets
from swarmsecrets import errors, health, plugins
from swarmsecrets.audit import AuditRecord
from swarmsecrets.health import Containers, Health, Target


class Probe:
    name = "a probe of the tests"

    def __init__(self, said: Any = None) -> None:
        self.said = said

    def baseline(self, target: Target, containers: Containers) -> Any:
        return {"tasks": len(target.tasks)}

    def check(self, target: Target, baseline: Any, containers: Containers) -> Any:
        return self.said if self.said is not None else Health.healthy()


class Sink:
    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def append(self, record: AuditRecord) -> None:
        self.records.append(record)


def rotate(swarm: swarmsecrets.SimSwarm, **settings: Any) -> swarmsecrets.Report:
    return swarm.client(**settings).rotate("report_password", value=swarmsecrets.Generate(), confirm=True)


def test_a_probe_is_asked_before_and_after(swarm: swarmsecrets.SimSwarm) -> None:
    seen: list[tuple[str, tuple[str, ...], object]] = []

    class Watching(Probe):
        async def baseline(self, target: Target, containers: Containers) -> Any:
            await asyncio.sleep(0)
            seen.append((target.service, target.versions, None))
            return ["usual"]

        def check(self, target: Target, baseline: Any, containers: Containers) -> Health:
            seen.append((target.service, target.versions, baseline))
            return Health.healthy()

    assert rotate(swarm, probes={"reports": Watching()}).outcome == "applied"
    assert seen == [("reports", ("report_password",), None), ("reports", ("report_password_v2",), ["usual"])]


def test_what_a_probe_says_counts(swarm: swarmsecrets.SimSwarm) -> None:
    report = rotate(swarm, probes={"reports": Probe(Health.unhealthy("it \x1b[31mfails"))})
    assert report.outcome == "rolled_back"
    assert report.consumers[0].reason is not None and "it  [31mfails" in report.consumers[0].reason


@pytest.mark.parametrize("said", [7, "healthy", {"health": "healthy"}])
def test_rubbish_is_told_what_was_expected(swarm: swarmsecrets.SimSwarm, said: object) -> None:
    report = rotate(swarm, probes={"reports": Probe(said)})
    assert report.consumers[0].outcome == "inconclusive"
    expected = f"the health probe Probe answered `check` with {type(said).__name__}: expected a swarmsecrets.health.Health"
    assert expected in str(report.consumers[0].reason)


def test_an_exception_is_a_typed_error_with_its_traceback(swarm: swarmsecrets.SimSwarm, made_up: str) -> None:
    class Failing(Probe):
        def baseline(self, target: Target, containers: Containers) -> Any:
            raise ValueError(f"cannot use {made_up}")

    report = rotate(swarm, probes={"reports": Failing()})
    assert report.outcome == "not_started"
    assert "failed in `baseline` with ValueError" in repr(report.to_dict())
    assert made_up not in repr(report) + repr(report.to_dict())
    (failure,) = report.failures
    assert isinstance(failure, errors.ProtocolError) and isinstance(failure.__cause__, ValueError)
    assert "in baseline" in "".join(traceback.format_exception(failure))


def test_an_exception_of_a_transport_is_raised_with_its_traceback(tmp_path) -> None:
    class Broken:
        def send(self, request: object) -> Any:
            raise KeyError("no such route")

    with pytest.raises(errors.ProtocolError, match="the transport Broken failed in `send` with KeyError") as caught:
        swarmsecrets.Client.over(Broken(), endpoint=1, journal=tmp_path).inventory()
    assert isinstance(caught.value.__cause__, KeyError)
    assert "in send" in "".join(traceback.format_exception(caught.value))


def test_an_error_of_ours_keeps_its_kind(swarm: swarmsecrets.SimSwarm) -> None:
    class Refused(Probe):
        def baseline(self, target: Target, containers: Containers) -> Any:
            raise errors.ForbiddenError("no way in")

    (failure,) = rotate(swarm, probes={"reports": Refused()}).failures
    assert isinstance(failure, errors.ForbiddenError) and str(failure) == "the health probe Refused: no way in"


def test_an_error_that_is_derived_from_ours_keeps_its_kind_too(swarm: swarmsecrets.SimSwarm) -> None:
    class Odd(errors.ForbiddenError):
        def __init__(self, code: int, more: int) -> None:
            super().__init__(f"code {code}")

    class Refused(Probe):
        def baseline(self, target: Target, containers: Containers) -> Any:
            raise Odd(7, 8)

    (failure,) = rotate(swarm, probes={"reports": Refused()}).failures
    assert failure.kind == "forbidden" and isinstance(failure.__cause__, Odd)


@pytest.mark.parametrize("awaited", [True, False])
def test_a_plugin_that_hangs_is_timed_out(swarm: swarmsecrets.SimSwarm, awaited: bool) -> None:
    class Waiting(Probe):
        async def baseline(self, target: Target, containers: Containers) -> Any:
            await asyncio.sleep(60)

    class Sleeping(Probe):
        def baseline(self, target: Target, containers: Containers) -> Any:
            time.sleep(1.5)

    begun = time.monotonic()
    report = rotate(swarm, probes={"reports": Waiting() if awaited else Sleeping()}, plugin_timeout="200ms")
    assert time.monotonic() - begun < 1.4
    assert report.outcome == "not_started"
    assert "no answer to `baseline` within" in repr(report.to_dict())


@pytest.mark.parametrize(
    ("bad", "missing"), [(object(), "`baseline`"), (type("Nameless", (Probe,), {"name": ""})(), "`name`")]
)
def test_what_is_no_plugin_is_said_at_once(swarm: swarmsecrets.SimSwarm, bad: Any, missing: str) -> None:
    with pytest.raises(errors.InvalidError, match=missing):
        swarm.client(probes={"reports": bad})


def test_a_probe_may_run_commands_while_it_is_asked(swarm: swarmsecrets.SimSwarm) -> None:
    kept: list[tuple[Containers, str]] = []

    class Commanding(Probe):
        def check(self, target: Target, baseline: Any, containers: Containers) -> Health:
            kept.append((containers, target.tasks[0].id))
            code = containers.run(target.tasks[0].id, ["no-such-program"], timedelta(seconds=1))
            return Health.unhealthy(f"exit code {code}")

    reason = rotate(swarm, probes={"reports": Commanding()}).consumers[0].reason
    assert "exit code 126" in str(reason), "of a program that the container does not have"
    containers, task = kept[0]
    with pytest.raises(errors.DeniedError, match="only while the probe is asked"):
        containers.run(task, ["true"], timedelta(seconds=1))


def test_an_audit_sink_takes_every_mutation(swarm: swarmsecrets.SimSwarm) -> None:
    sink = Sink()
    assert rotate(swarm, audit=sink, agent_id="agent-7").outcome == "applied"
    phases = [(record.step, record.phase) for record in sink.records]
    assert phases == [(step, phase) for step in (1, 2, 3) for phase in ("intent", "outcome")]
    assert sink.records[0].actor.agent == "agent-7" and sink.records[0].simulated
    assert sink.records[0].to_dict()["actor"]["agent"] == "agent-7"


def test_without_its_record_nothing_is_changed(swarm: swarmsecrets.SimSwarm) -> None:
    class Full(Sink):
        def append(self, record: AuditRecord) -> None:
            raise OSError("no space left")

    before = swarm.client().inventory().to_dict()["secrets"]
    report = rotate(swarm, audit=Full())
    assert report.outcome != "applied"
    assert any("the audit record was not taken" in warning for warning in report.warnings), report.warnings
    assert swarm.client().inventory().to_dict()["secrets"] == before


def test_real_servers_are_not_asked_about_a_simulation(swarm: swarmsecrets.SimSwarm, made_up: str) -> None:
    with pytest.raises(errors.InvalidError, match="this world is simulated"):
        rotate(swarm, probes={"reports": health.http("http://127.0.0.1:1/")})
    value = swarmsecrets.SecretValue(made_up)
    password = swarmsecrets.credentials.redis(
        "127.0.0.1", user="app", administrator="default", administrator_password=value, current=value
    )
    assert made_up not in repr(password)
    with pytest.raises(errors.InvalidError, match="this world is simulated"):
        swarm.client(passwords={"report_password": password})


def test_settings_that_are_wrong_are_said() -> None:
    with pytest.raises(errors.InvalidError, match="`deadline`: at character 2"):
        health.command("true", deadline="1y")
    with pytest.raises(errors.InvalidError, match="`current` is missing"):
        swarmsecrets.credentials.redis(
            "h",
            user="app",
            administrator="default",
            administrator_password=swarmsecrets.SecretValue("made-up"),
            current=None,  # type: ignore[arg-type]
        )


def test_a_plugin_that_nobody_offers_is_said() -> None:
    with pytest.raises(errors.NotFoundError, match="no installed package offers the plugin `oracle`"):
        plugins.load("oracle")


def test_a_plugin_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint, EntryPoints

    entry = EntryPoint("counter", "collections:Counter", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: EntryPoints([entry]).select(group=group))
    from collections import Counter

    assert plugins.load("counter") is Counter
