"""A transport: over `http.client`, to where only this program knows the way."""

import contextlib
import http.client
import urllib.parse
from collections.abc import Iterator

from swarmsecrets import SecretValue, errors
from swarmsecrets.transport import Request, Response


class Http:
    def __init__(self, url: str, key: SecretValue) -> None:
        self.url, self.key = urllib.parse.urlsplit(url), key

    def send(self, request: Request) -> Response:
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.url.netloc, timeout=60)
        try:
            connection.connect()
        except OSError:
            raise errors.UnreachableError(f"cannot {request.what}: no connection to {self.url.netloc}") from None
        query = "?" + urllib.parse.urlencode(request.query) if request.query else ""
        headers = {"X-API-Key": self.key.expose().decode(), "Content-Type": "application/json", **request.headers}
        try:
            connection.request(request.method, request.path + query, body=request.body(), headers=headers)
            answer = connection.getresponse()
        except OSError:
            # From here on it may have arrived.
            raise errors.TimeoutError(f"cannot {request.what}: no answer from {self.url.netloc}") from None
        return Response(answer.status, self.pieces(connection, answer), dict(answer.headers))

    def pieces(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        with contextlib.closing(connection):
            while piece := answer.read1(65536):
                yield piece
