"""Transports that are written in Python."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator

import pytest

import swarmsecrets
from swarmsecrets import errors
from swarmsecrets.transport import Request, Response


class Scripted:
    """Answers by path."""

    def __init__(self, answers: dict[str, Response]) -> None:
        self.answers = answers
        self.seen: list[Request] = []

    def send(self, request: Request) -> Response:
        self.seen.append(request)
        return self.answers.get(request.path, Response(404, b'{"message":"not found"}'))


class Http:
    """Over `http.client`, with bodies in pieces."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = urllib.parse.urlsplit(url), key

    def send(self, request: Request) -> Response:
        connection = http.client.HTTPConnection(self.url.netloc, timeout=10)
        path = request.path + ("?" + urllib.parse.urlencode(request.query) if request.query else "")
        headers = {"X-API-Key": self.key, "Content-Type": "application/json", **request.headers}
        connection.request(request.method, path, body=request.body(), headers=headers)
        answer = connection.getresponse()

        def pieces() -> Iterator[bytes]:
            while piece := answer.read(8192):
                yield piece
            connection.close()

        return Response(answer.status, pieces(), dict(answer.headers))


def test_a_rotation_goes_over_it(swarm: swarmsecrets.SimSwarm, tmp_path, made_up: str) -> None:
    with swarm.serve(speed=100) as served:
        client = swarmsecrets.Client.over(Http(served.url, served.api_key), endpoint=1, journal=tmp_path)
        value = swarmsecrets.SecretValue(made_up)
        report = client.rotate("report_password", value=value, confirm=True, stability="1s", deadline="30s")
        assert report.outcome == "applied" and report.simulated
        assert made_up not in repr(report) + "".join(path.read_text() for path in tmp_path.rglob("*.jsonl"))


def test_refusals_have_their_kind(tmp_path) -> None:
    refusing = Scripted({"/api/users/me": Response(401, json.dumps({"message": "Invalid API key"}).encode())})
    client = swarmsecrets.Client.over(refusing, endpoint=1, journal=tmp_path)
    with pytest.raises(errors.UnauthorizedError, match="Invalid API key"):
        client.inventory()
    assert {request.method for request in refusing.seen} == {"GET"}
    assert all(request.body() is None for request in refusing.seen)


@pytest.mark.parametrize("rubbish", [None, b"{}", {"status": 200}])
def test_rubbish_is_told_what_was_expected(tmp_path, rubbish) -> None:
    class Odd:
        def send(self, request: Request) -> Response:
            return rubbish  # type: ignore[no-any-return]

    with pytest.raises(errors.ProtocolError, match="expected a swarmsecrets.transport.Response"):
        swarmsecrets.Client.over(Odd(), endpoint=1, journal=tmp_path).inventory()
