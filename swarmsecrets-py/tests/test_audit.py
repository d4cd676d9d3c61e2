"""Audit trails."""

import base64
import dataclasses
import http.server
import json
import pathlib
import threading
import time
from datetime import datetime, timezone
from typing import Any

import pytest

import swarmsecrets
from swarmsecrets import audit, errors


@pytest.fixture
def trail(swarm: swarmsecrets.SimSwarm, tmp_path: pathlib.Path) -> pathlib.Path:
    """The trail of two first versions, of which one was made by an agent."""
    with swarm.serve() as served:
        for name, agent in (("made", "agent-7"), ("other", None)):
            settings: dict[str, Any] = {"agent_id": agent} if agent else {}
            client = swarmsecrets.Client(
                served.url, api_key=served.api_key, endpoint=1, journal=tmp_path, **settings
            )
            report = client.create(name, value=swarmsecrets.Generate(), confirm=True, reason=f"for {name}")
            assert report.outcome == "applied"
    return tmp_path / "audit.jsonl"


def numbers(entries: tuple[audit.Entry, ...]) -> list[int]:
    return [entry.n for entry in entries]


def test_a_trail_as_it_was_written_is_whole(trail: pathlib.Path) -> None:
    verdict = audit.verify(trail)
    lines = [json.loads(line) for line in trail.read_text().splitlines()]
    assert verdict and verdict.whole and verdict.problem is None
    assert (verdict.records, verdict.file, verdict.open) == (len(lines), str(trail), ())
    assert verdict.end == audit.End(lines[-1]["n"], lines[-1]["hash"])
    assert (verdict.first_at, verdict.last_at) == (lines[0]["record"]["at"], lines[-1]["record"]["at"])
    assert verdict.to_dict()["from"] == verdict.first_at
    assert audit.verify(str(trail)) == verdict
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.whole = False  # type: ignore[misc]


def test_what_was_done_to_a_trail_is_told(trail: pathlib.Path) -> None:
    text = trail.read_text()
    first, *rest = text.splitlines(keepends=True)
    for changed, problem in (
        (text.replace("agent-7", "agent-8"), "line 1: audit record 0: its content was changed"),
        ("".join(rest), "line 1: audit record 0: found number 1 in its place"),
        (first + first, "line 2: audit record 1: found number 0 in its place"),
        (first + "[]\n", "line 2: audit record 1: it is JSON, but no audit record"),
    ):
        trail.write_text(changed)
        verdict = audit.verify(trail)
        assert not verdict and verdict.problem is not None and verdict.problem.startswith(problem)
        with pytest.raises(errors.AuditError, match=problem) as caught:
            audit.query(trail)
        assert isinstance(caught.value, swarmsecrets.Error) and caught.value.kind == "audit"
        assert trail.read_text() == changed


def test_part_of_a_record_is_told_and_passed_over(trail: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    text = trail.read_bytes()
    trail.write_bytes(text[:-10])
    verdict = audit.verify(trail)
    assert not verdict.whole and "nothing was done on the strength of it" in str(verdict.problem)
    caplog.set_level("WARNING")
    assert len(audit.query(trail)) == verdict.records
    assert "written in part" in caplog.text


def test_an_intent_without_an_outcome_is_open(trail: pathlib.Path) -> None:
    lines = trail.read_text().splitlines(keepends=True)
    trail.write_text("".join(lines[:3]))
    verdict = audit.verify(trail)
    assert verdict.whole and numbers(verdict.open) == [2]
    (open_one,) = verdict.open
    assert open_one.phase == "intent" and open_one.actor.account == "admin" and open_one.to_dict()["n"] == 2
    assert audit.query(trail, outcome="open") == verdict.open


def test_records_are_found(trail: pathlib.Path) -> None:
    everything = audit.query(trail)
    assert numbers(everything) == list(range(len(everything)))
    made = audit.query(trail, secret="made")
    assert made and all(entry.actor.agent == "agent-7" and "made" in entry.action for entry in made)
    assert audit.query(trail, agent="agent-7") == made == audit.query(trail, rotation=made[0].rotation)
    assert audit.query(trail, secret="mad") == ()
    assert audit.query(trail, account="admin") == everything
    assert all(entry.outcome == "done" for entry in audit.query(trail, outcome="done"))
    assert audit.query(trail, limit=1) == everything[-1:]
    assert audit.query(trail, since=everything[0].at) == everything
    assert audit.query(trail, until="2000-01-01") == ()
    assert audit.query(trail, since=datetime(2000, 1, 1, tzinfo=timezone.utc)) == everything
    with pytest.raises(dataclasses.FrozenInstanceError):
        made[0].n = 9  # type: ignore[misc]


def test_mistakes_are_said(trail: pathlib.Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"secret": "bad/name"}, "is not a secret name"),
        ({"rotation": "r-1"}, "is not a rotation id"),
        ({"since": "yesterday"}, "`since`: `yesterday` is no time"),
        ({"until": datetime(2026, 1, 1)}, "`until` has no time zone"),
        ({"outcome": "failed"}, "done, refused, unknown or open"),
        ({"limit": 0}, "`limit` is 0"),
        ({"since": "2026-01-02", "until": "2026-01-01"}, "exchange the two"),
    ]
    for asked, says in wrong:
        with pytest.raises(errors.InvalidError, match=says):
            audit.query(trail, **asked)
    with pytest.raises(errors.NotFoundError, match="there is no audit trail"):
        audit.verify(trail.parent / "nowhere")
    with pytest.raises(errors.AuditError, match="cannot read"):
        audit.verify(trail.parent)


def test_a_checkpoint_tells_of_a_tail_that_was_cut(trail: pathlib.Path, tmp_path: pathlib.Path) -> None:
    # The first key of RFC 8032's examples.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    key, kept = tmp_path / "key", tmp_path / "checkpoint"
    key.write_text("swarmsecrets-private-key-1:" + base64.b64encode(seed).decode())
    document = audit.checkpoint(trail, key=key, out=kept)
    lines = trail.read_text().splitlines(keepends=True)
    assert document == json.loads(kept.read_text()) and document["records"] == len(lines)
    for given in (kept, str(kept), [kept, kept]):
        verdict = audit.verify(trail, checkpoint=given, key=public)
        assert verdict.whole and all(one.held and one.records == len(lines) for one in verdict.checkpoints)
    trail.write_text("".join(lines[:-1]))
    assert audit.verify(trail).whole and audit.verify(trail).checkpoints == ()
    verdict = audit.verify(trail, checkpoint=kept, key=public)
    assert not verdict and "were cut off" in str(verdict.problem) and verdict.checkpoints[0].held is False
    with pytest.raises(errors.AuditError, match="were cut off"):
        audit.checkpoint(trail, key=key, out=kept)
    with pytest.raises(errors.InvalidError, match="give `key`"):
        audit.verify(trail, checkpoint=kept)
    with pytest.raises(errors.InvalidError, match="no `checkpoint`"):
        audit.verify(trail, key=public)
    kept.write_text(kept.read_text().replace(f'"records": {len(lines)}', '"records": 1'))
    with pytest.raises(errors.AuditError, match="changed after it was signed"):
        audit.verify(trail, checkpoint=kept, key=public)


def test_the_sinks_of_a_policy_stand_beside_the_file_and_a_sink_of_the_clients(
    swarm: swarmsecrets.SimSwarm, tmp_path: pathlib.Path
) -> None:
    class Own:
        def __init__(self) -> None:
            self.took: list[audit.AuditRecord] = []
            self.room = True

        def append(self, record: audit.AuditRecord) -> None:
            if not self.room:
                raise OSError("no room")
            self.took.append(record)

    own, journal, policy = Own(), tmp_path / "journal", tmp_path / "policy.toml"
    sinks = "".join(
        f"[[audit.sinks]]\nname = '{name}'\nkind = 'file'\nfolder = '{tmp_path / name}'\n{more}"
        for name, more in (("archive", ""), ("mirror", "may_lag = 100\n"))
    )
    policy.write_text(f"schema = 1\nphase = 'automated'\n[audit]\nquorum = 1\n{sinks}")
    with swarm.serve() as served:
        client = swarmsecrets.Client(
            served.url, api_key=served.api_key, endpoint=1, journal=journal, policy=policy, audit=own
        )
        report = client.create("made", value=swarmsecrets.Generate(), confirm=True)
        assert report.outcome == "applied"
        trail, mirror = tmp_path / "journal" / "audit.jsonl", tmp_path / "mirror" / "audit.jsonl"
        # It is fed in the background.
        for _ in range(100):
            if mirror.read_text() == trail.read_text():
                break
            time.sleep(0.1)
        trails = [(tmp_path / name / "audit.jsonl").read_text() for name in ("journal", "archive", "mirror")]
        assert trails[0] == trails[1] == trails[2] and trails[0].count("\n") == len(own.took) >= 2
        own.room = False
        report = client.create("other", value=swarmsecrets.Generate(), confirm=True)
        assert report.outcome != "applied" and "must take each audit record" in str(report.to_dict())
        assert "other" not in [secret.name for secret in client.inventory().secrets]


def test_a_collector_that_the_policy_names_gets_each_record_once_it_takes_them(
    swarm: swarmsecrets.SimSwarm, tmp_path: pathlib.Path
) -> None:
    class Collector(http.server.BaseHTTPRequestHandler):
        bodies: list[str] = []
        takes = False

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == "/v1/logs"
            if self.takes:
                (log_record,) = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
                self.bodies.append(log_record["body"]["stringValue"])
            answer = json.dumps({"partialSuccess": {} if self.takes else {"rejectedLogRecords": "1"}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "schema = 1\nphase = 'automated'\n[[audit.sinks]]\nname = 'siem'\nkind = 'opentelemetry'\n"
        f"url = 'http://127.0.0.1:{server.server_port}'\nmay_lag = 2\nwithin = '2s'\n"
    )
    try:
        with swarm.serve() as served:
            client = swarmsecrets.Client(
                served.url, api_key=served.api_key, endpoint=1, journal=tmp_path / "journal", policy=policy
            )
            assert client.create("made", value=swarmsecrets.Generate(), confirm=True).outcome == "applied"
            # It lacks as much as it may: an intent and its outcome.
            report = client.create("other", value=swarmsecrets.Generate(), confirm=True)
            assert report.outcome != "applied" and "audit sink siem lacks 2 records" in str(report.to_dict())
            Collector.takes = True
            assert client.create("third", value=swarmsecrets.Generate(), confirm=True).outcome == "applied"
        trail = tmp_path / "journal" / "audit.jsonl"
        written = [json.loads(line)["record"] for line in trail.read_text().splitlines()]
        for _ in range(100):
            if len(Collector.bodies) >= len(written):
                break
            time.sleep(0.1)
        assert [json.loads(body) for body in Collector.bodies] == written and len(written) >= 4
        assert all(body in line for body, line in zip(Collector.bodies, trail.read_text().splitlines(), strict=True))
    finally:
        server.shutdown()
        server.server_close()
