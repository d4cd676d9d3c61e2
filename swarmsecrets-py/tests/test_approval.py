"""Change requests and approvals, as operators, approvers and agents use them; and what must not get past them."""

import asyncio
import base64
import hmac
import http.server
import json
import pathlib
import pickle
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import pytest

import swarmsecrets
from swarmsecrets import approval, errors, testing
from swarmsecrets.approval import Approval, ChangeRequest, Decision, ReadBack
from swarmsecrets.audit import AuditRecord

SECRET = "report_password"
Verdict = Literal["approve", "deny"]


class Trail:
    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def append(self, record: AuditRecord) -> None:
        self.records.append(record)

    def refused(self) -> str:
        return "\n".join(str(record.outcome) for record in self.records if record.step == 0)


class Place:
    """A simulated world under a policy by which everything needs an approval, and approvers with keys."""

    def __init__(self, folder: pathlib.Path, people: int = 1, more: str = "") -> None:
        self.folder, self.swarm, self.trail = folder, swarmsecrets.SimSwarm(), Trail()
        public = {who: approval.keygen(folder / f"{who}.key") for who in ("alice", "bob")}
        approvers = ", ".join(f'{{ identity = "{who}", key = "{key}" }}' for who, key in public.items())
        self.policy = swarmsecrets.Policy.parse(f"""
            schema = 1
            phase = "assisted"
            [approval]
            folder = "{folder}/requests"
            state = "{folder}/state"
            people = {people}
            approvers = [{approvers}]
            {more}
        """)

    def client(self, agent_id: str = "agent-7", **settings: Any) -> swarmsecrets.Client:
        return self.swarm.client(agent_id=agent_id, policy=self.policy, audit=self.trail, **settings)

    def says(self, request: ChangeRequest, who: str, verdict: Verdict = "approve") -> Decision:
        sign = approval.approve if verdict == "approve" else approval.deny
        return sign(request, key=self.folder / f"{who}.key", identity=who, comment="seen")


def asked(client: swarmsecrets.Client) -> tuple[swarmsecrets.Plan, ChangeRequest]:
    plan = client.plan_rotation(SECRET, value=swarmsecrets.Generate(), reason="monthly")
    return plan, client.request_change(plan)


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Place:
    return Place(tmp_path)


def test_what_another_person_approved_is_carried_out_once(place: Place) -> None:
    client = place.client()
    plan, request = asked(client)
    with pytest.raises(errors.NeedsApprovalError):
        client.apply(plan, confirm=True)
    with pytest.raises(errors.NeedsApprovalError, match="1 more person"):
        client.apply(plan, approval=request, confirm=True)
    decision = place.says(request, "alice")
    decision.put(place.folder / "requests")
    report = client.apply(plan, approval=request, confirm=True)
    assert report.outcome == "applied"
    leaves = [record.to_dict()["actor"]["leave"] for record in place.trail.records if record.step > 0]
    assert leaves and all(one["approvers"] == ["alice"] and one["request"] == request.digest for one in leaves)
    # The same world as before, and the same approval.
    place.swarm = swarmsecrets.SimSwarm()
    again = place.client()
    with pytest.raises(errors.ConflictError, match="used before"):
        again.apply(plan, approval=Approval(request, decision), confirm=True)
    assert "used before" in place.trail.refused()


def test_an_approval_is_no_word_of_the_key_holder(place: Place) -> None:
    client = place.client()
    plan, request = asked(client)
    with pytest.raises(errors.Error):
        client.apply(plan, approval=Approval(request, place.says(request, "alice")))
    assert client.apply(plan, approval=Approval(request, place.says(request, "alice")), confirm=True).outcome == "applied"


def test_a_request_is_a_document_for_people_and_programs(place: Place) -> None:
    plan, request = asked(place.client())
    assert request.plan == plan and request.text.startswith(f"change request {request.digest}\n")
    assert "agent-7" in request.text and "monthly" in request.text
    document = request.to_dict()
    assert document["digest"] == request.digest and document["approvals"] == 1 and document["risk"]["level"]
    request.to_file(place.folder / "copy.json")
    stored = place.folder / "requests" / f"{request.digest}.request.json"
    for same in (
        ChangeRequest.from_file(place.folder / "copy.json"),
        ChangeRequest.from_file(stored),
        pickle.loads(pickle.dumps(request)),
    ):
        assert same == request and hash(same) == hash(request)
    with pytest.raises(AttributeError):
        request.digest = "another"  # type: ignore[misc]
    decision = place.says(request, "alice", "deny")
    assert pickle.loads(pickle.dumps(decision)) == decision
    assert decision.to_dict()["comment"] == "seen" and "deny by 'alice'" in repr(decision)


@pytest.mark.parametrize(("old", "new"), [("monthly", "yearly"), ('"approvals": 2', '"approvals": 1'), ("_v2", "_v3")])
def test_a_request_that_was_edited_is_refused(tmp_path: pathlib.Path, old: str, new: str) -> None:
    text = asked(Place(tmp_path, people=2).client())[1].to_json()
    assert old in text
    with pytest.raises(errors.InvalidError):
        ChangeRequest.from_json(text.replace(old, new, 1))
    with pytest.raises(errors.InvalidError):
        ChangeRequest.from_json(text[:-20])


def test_an_edited_decision_is_forged(place: Place) -> None:
    client = place.client()
    plan, request = asked(client)
    denied = place.says(request, "alice", "deny").to_dict()
    forged = Decision.from_json(json.dumps({**denied, "decision": "approve"}))
    with pytest.raises(errors.DeniedError, match="forged"):
        client.apply(plan, approval=Approval(request, forged), confirm=True)
    assert "forged" in place.trail.refused()


@pytest.mark.parametrize("agent_id", ["alice", "ALICE"])
def test_who_asks_does_not_approve(place: Place, agent_id: str) -> None:
    client = place.client(agent_id)
    plan, request = asked(client)
    with pytest.raises(errors.DeniedError, match="cannot approve it"):
        client.apply(plan, approval=Approval(request, place.says(request, "alice")), confirm=True)
    assert "cannot approve it" in place.trail.refused()


def test_two_people_are_two_people(tmp_path: pathlib.Path) -> None:
    place = Place(tmp_path, people=2)
    client = place.client()
    plan, request = asked(client)
    alice, bob = (place.says(request, who) for who in ("alice", "bob"))
    with pytest.raises(errors.DeniedError, match="counts as one person"):
        client.apply(plan, approval=Approval(request, alice, alice), confirm=True)
    assert client.apply(plan, approval=Approval(request, alice, bob), confirm=True).outcome == "applied"


def test_a_denial_is_not_left_out(place: Place) -> None:
    client = place.client()
    plan, request = asked(client)
    place.says(request, "bob", "deny").put(place.folder / "requests")
    with pytest.raises(errors.DeniedError, match="denied by `bob`"):
        client.apply(plan, approval=Approval(request, place.says(request, "alice")), confirm=True)


def test_another_plan_is_refused(place: Place) -> None:
    client = place.client()
    _, request = asked(client)
    other = client.plan_rotation("db_password", value=swarmsecrets.Generate())
    with pytest.raises(errors.DeniedError, match="is about to run"):
        client.apply(other, approval=Approval(request, place.says(request, "alice")), confirm=True)


def test_a_decision_on_another_request_is_refused(place: Place) -> None:
    client = place.client()
    plan, request = asked(client)
    elsewhere = client.request_change(plan, reason="something else")
    with pytest.raises(errors.DeniedError, match="another change request"):
        client.apply(plan, approval=Approval(request, place.says(elsewhere, "alice")), confirm=True)


def test_an_expired_request_is_good_for_nothing(place: Place) -> None:
    client = place.client()
    plan, request = asked(client)
    decision = place.says(request, "alice")
    place.swarm.advance("31m")
    with pytest.raises(errors.NeedsApprovalError, match="expired"):
        client.apply(plan, approval=Approval(request, decision), confirm=True)
    assert "expired" in place.trail.refused()


def test_a_value_in_hand_is_bound(place: Place, made_up: str) -> None:
    key = swarmsecrets.SecretValue("made-up-key-of-fingerprints")
    client, value = place.client(fingerprint_key=key), swarmsecrets.SecretValue(made_up)
    plan = client.plan_rotation(SECRET, value=value)
    request = client.request_change(plan, value)
    assert list(request.to_dict()["fingerprints"]) == [SECRET] and made_up not in request.to_json()
    approved = Approval(request, place.says(request, "alice"))
    with pytest.raises(errors.DeniedError, match="the value of"):
        client.apply(plan, swarmsecrets.SecretValue("made-up-other-value"), approved, confirm=True)
    assert client.apply(plan, value, approved, confirm=True).outcome == "applied"


def test_without_a_policy_nobody_can_be_asked(client: swarmsecrets.Client) -> None:
    plan = client.plan_rotation("payment_api_key", value=swarmsecrets.Generate())
    with pytest.raises(errors.NeedsApprovalError, match="no policy says who approves"):
        client.request_change(plan)


def test_keys_are_not_overwritten_and_not_shown(place: Place) -> None:
    path = place.folder / "alice.key"
    private = path.read_text().strip()
    with pytest.raises(errors.Error) as caught:
        approval.keygen(path)
    assert private not in str(caught.value) and path.read_text().strip() == private
    _, request = asked(place.client())
    (place.folder / "not.key").write_text(private[:-4])
    with pytest.raises(errors.InvalidError) as caught:
        approval.approve(request, key=place.folder / "not.key", identity="alice")
    assert private[:-4] not in str(caught.value)


def test_it_is_awaited_alike(place: Place) -> None:
    client = place.swarm.async_client(agent_id="agent-7", policy=place.policy)

    async def work() -> str:
        plan = await client.plan_rotation(SECRET, value=swarmsecrets.Generate())
        request = await client.request_change(plan)
        with pytest.raises(errors.NeedsApprovalError):
            await client.apply(plan, approval=request, confirm=True)
        return (await client.apply(plan, approval=Approval(request, place.says(request, "alice")), confirm=True)).outcome

    assert asyncio.run(work()) == "applied"


CHAT = '[approvers.chat]\nkind = "program"\nidentities = { U1 = "alice", U2 = "agent-7" }'


class Chat:
    """A chat with one answer to all requests."""

    name = "a chat"

    def __init__(self, answer: Callable[[ChangeRequest], Any]) -> None:
        self.answer, self.asked = answer, list[str]()

    async def request(self, request: ChangeRequest) -> None:
        await asyncio.sleep(0)
        self.asked.append(request.digest)

    def decisions(self, request: ChangeRequest) -> Any:
        return self.answer(request)


def read(account: str, verdict: Verdict = "approve", **other: Any) -> Callable[[ChangeRequest], Any]:
    def answer(request: ChangeRequest) -> list[ReadBack]:
        at = datetime.fromisoformat(request.to_dict()["created"].replace("Z", "+00:00"))
        return [ReadBack(**{"request": request.digest, "verdict": verdict, "account": account, "at": at, "reference": "M1", **other})]

    return answer


def attempt(folder: pathlib.Path, answer: Callable[[ChangeRequest], Any], more: str = CHAT, **settings: Any) -> Any:
    client = Place(folder, more=more).client(approvers={"chat": Chat(answer)}, **settings)
    plan, request = asked(client)
    return client.apply(plan, approval=request, confirm=True)


def test_what_an_account_of_the_policy_said_counts(tmp_path: pathlib.Path) -> None:
    chat = Chat(read("U1"))
    client = Place(tmp_path, more=CHAT).client(approvers={"chat": chat})
    plan, request = asked(client)
    assert chat.asked == [request.digest]
    assert client.apply(plan, approval=request, confirm=True).outcome == "applied"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (read("U9"), errors.DeniedError, "does not say whose it is"),
        (read("U2"), errors.DeniedError, "`agent-7` asked for the change"),
        (read("U1", "deny"), errors.DeniedError, "denied by `alice`"),
        (read("U1", request="0" * 64), errors.DeniedError, "is about another change request"),
        (read("U1", request="soon"), errors.InvalidError, "approver Chat"),
        (read("U1", at="2020-01-01T00:00:00Z"), errors.DeniedError, "before the change request itself"),
        (read("U1", at=datetime.now()), errors.InvalidError, "has no time zone"),
        (read("U1", at="today"), errors.ProtocolError, "no decision"),
        (read("U1", reference=7), errors.ProtocolError, "expected text as `reference`"),
        (lambda request: [], errors.NeedsApprovalError, "1 more person"),
        (lambda request: 7, errors.ProtocolError, "answered `decisions` with int"),
        (lambda request: ["approve"], errors.ProtocolError, "answered `decisions` with str"),
        (lambda request: iter([1 // 0]), errors.ProtocolError, "failed in `decisions` with ZeroDivisionError"),
    ],
)
def test_what_an_approver_brings_is_judged(
    tmp_path: pathlib.Path, answer: Callable[[ChangeRequest], Any], error: type[errors.Error], words: str
) -> None:
    with pytest.raises(error, match=words):
        attempt(tmp_path, answer)


def test_an_approver_that_cannot_tell_is_a_refusal_on_record(tmp_path: pathlib.Path) -> None:
    def failing(request: ChangeRequest) -> list[Decision]:
        raise errors.UnreachableError("the chat is down")

    place = Place(tmp_path, more=CHAT)
    client = place.client(approvers={"chat": Chat(failing)})
    plan, request = asked(client)
    with pytest.raises(errors.UnreachableError, match="the chat is down"):
        client.apply(plan, approval=request, confirm=True)
    assert "the chat is down" in place.trail.refused()


def test_an_approver_that_the_policy_does_not_name_brings_nothing(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.DeniedError, match="does not say whose the accounts there are"):
        attempt(tmp_path, read("U1"), more="")


def test_an_approver_that_the_policy_names_is_not_left_out(tmp_path: pathlib.Path) -> None:
    client = Place(tmp_path, more=CHAT).client()
    plan = client.plan_rotation(SECRET, value=swarmsecrets.Generate())
    with pytest.raises(errors.SettingsError, match="the policy names the approver `chat`"):
        client.request_change(plan)


class Receiver(http.server.BaseHTTPRequestHandler):
    """A receiver of webhooks: all that it was sent is approved by one account."""

    secret = b"made-up-secret-of-a-receiver"
    known: ClassVar[dict[str, dict[str, Any]]] = {}
    account = "U1"

    def signature(self, digest: str, time: str, body: bytes) -> str:
        message = f"{digest}.{time}.".encode() + body
        return "v1," + base64.b64encode(hmac.new(self.secret, message, "sha256").digest()).decode()

    def checked(self, body: bytes) -> str:
        digest = self.headers["webhook-id"]
        assert self.headers["webhook-signature"] == self.signature(digest, self.headers["webhook-timestamp"], body)
        return digest

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.known[self.checked(body)] = json.loads(body)
        self.send_response(202)
        self.end_headers()

    def do_GET(self) -> None:
        digest = self.checked(b"")
        given = {"request": digest, "decision": "approve", "account": self.account, "at": self.known[digest]["created"], "reference": "1"}
        body = json.dumps({"schema": 1, "decisions": [{"read_back": given}]}).encode()
        now = str(int(time.time()))
        self.send_response(200)
        for name, value in (("id", digest), ("timestamp", now), ("signature", self.signature(digest, now, body))):
            self.send_header(f"webhook-{name}", value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(("account", "good"), [("U1", True), ("U9", False)])
def test_an_approver_of_the_policy_is_asked(tmp_path: pathlib.Path, account: str, good: bool) -> None:
    handler = type("Handler", (Receiver,), {"account": account})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "secret").write_bytes(Receiver.secret)
        url = f"http://127.0.0.1:{server.server_port}"
        client = Place(
            tmp_path,
            more=f"""
            [approvers.hook]
            kind = "webhook"
            url = "{url}/requests"
            answers = "{url}/decisions"
            secret_file = "{tmp_path}/secret"
            identities = {{ U1 = "alice" }}
            """,
        ).client()
        plan, request = asked(client)
        assert Receiver.known[request.digest] == request.to_dict()
        if good:
            assert client.apply(plan, approval=request, confirm=True).outcome == "applied"
        else:
            with pytest.raises(errors.DeniedError, match="does not say whose it is"):
                client.apply(plan, approval=request, confirm=True)
        server.shutdown()


def test_an_approver_that_hangs_is_left(tmp_path: pathlib.Path) -> None:
    async def silent(request: ChangeRequest) -> list[Decision]:
        await asyncio.sleep(3600)
        return []

    with pytest.raises(errors.TimeoutError, match="approver Chat"):
        attempt(tmp_path, silent, plugin_timeout=timedelta(milliseconds=300))


def test_an_approver_without_its_methods_or_name_is_refused() -> None:
    class Nameless(Chat):
        name = ""

    for wrong, words in ((object(), "it has no `request`"), (Nameless(read("U1")), "has no `name`")):
        with pytest.raises(errors.InvalidError, match=words):
            swarmsecrets.SimSwarm().client(approvers={"chat": wrong})  # type: ignore[dict-item]


class BoardOffice:
    """The board of the examples, where everybody has an account."""

    keys: dict[str, str] = {}
    accounts = {"U1": "alice", "U2": "bob", "U3": "svc-agent"}

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self) -> Any:
        from approver import Board

        return Board(self.path)

    def decide(self, request: ChangeRequest, person: str, verdict: Verdict) -> None:
        account = next(account for account, who in self.accounts.items() if who == person)
        self.open().decide(request.digest, account, verdict)

    def told(self, request: ChangeRequest) -> int:
        import sqlite3

        with sqlite3.connect(self.path) as database:
            row = database.execute("SELECT count(*) FROM requests WHERE digest = ?", (request.digest,)).fetchone()
        return int(row[0])


def test_the_board_keeps_its_promises(tmp_path: pathlib.Path) -> None:
    testing.check_approver(BoardOffice(str(tmp_path / "board.sqlite")))


def test_an_approver_that_forgets_a_denial_is_found(tmp_path: pathlib.Path) -> None:
    class Forgetful(BoardOffice):
        def decide(self, request: ChangeRequest, person: str, verdict: Verdict) -> None:
            if verdict == "approve":
                super().decide(request, person, verdict)

    with pytest.raises(AssertionError, match="who denies is told"):
        testing.check_approver(Forgetful(str(tmp_path / "board.sqlite")))
