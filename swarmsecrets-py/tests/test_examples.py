"""The examples do what they say, and the plugins among them keep their promises."""

import http.server
import json
import pathlib
import runpy
import threading
import time
from collections.abc import Iterator

import pytest

import swarmsecrets
from swarmsecrets import errors, testing

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"


def test_they_are_short() -> None:
    assert sorted(EXAMPLES.glob("*.py"))
    code = {path.name: sum(1 for line in path.read_text().splitlines() if line.strip()) for path in EXAMPLES.glob("*.py")}
    assert [name for name, lines in code.items() if lines > 40] == []


def test_the_script_rotates(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "rotate.py"))
    assert capsys.readouterr().out.splitlines()[-1] == "applied"


def test_the_audit_sink_keeps_its_promises(tmp_path: pathlib.Path) -> None:
    from audit_sink import SqliteAudit

    path = str(tmp_path / "audit.sqlite")
    testing.check_audit_sink(lambda: SqliteAudit(path), SqliteAudit(path).records)


def test_the_source_keeps_its_promises(tmp_path: pathlib.Path) -> None:
    from secret_source import Vault

    path = str(tmp_path / "vault.sqlite")
    testing.check_secret_source(lambda: Vault(path), Vault(path).put)


def test_the_transport_keeps_its_promises() -> None:
    from transport import Http

    testing.check_transport(lambda url, key: Http(url, swarmsecrets.SecretValue(key)))


def test_the_credential_setter_keeps_its_promises(tmp_path: pathlib.Path) -> None:
    from credential_setter import UserFile

    class Troubled(UserFile):
        trouble = testing.Trouble.NONE

        def read(self) -> frozenset[str]:
            if self.trouble is testing.Trouble.WRONG_ADMIN:
                raise errors.UnauthorizedError("the administrator's password is wrong")
            return super().read()

        def write(self, hashes: frozenset[str]) -> None:
            super().write(hashes)
            if self.trouble.value.startswith("lost_answer"):
                raise errors.TimeoutError("no answer")

    class System:
        def user(self, name: str, password: swarmsecrets.SecretValue) -> swarmsecrets.SecretValue:
            (tmp_path / name).write_text(UserFile(tmp_path, name).hashed(password))
            return password

        def setter(self, name: str, trouble: testing.Trouble) -> Troubled:
            setter = Troubled(tmp_path / "gone" if trouble is testing.Trouble.DOWN else tmp_path, name)
            setter.trouble = trouble
            return setter

        def value(self, name: str, password: swarmsecrets.SecretValue) -> swarmsecrets.SecretValue:
            return password

        def odd_names(self) -> list[str]:
            return ['"quoted"', "a\\b", "ünï-Ω", "with blanks"]

    testing.check_credential_setter(System())


class Page:
    """A page on this machine, in a condition."""

    def __init__(self, value: str) -> None:
        self.condition = testing.Condition.WORKING
        self.value = value
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if page.condition is testing.Condition.SILENT:
                    time.sleep(3)
                    return
                self.send_response(500 if page.condition is testing.Condition.BROKEN else 200)
                self.end_headers()
                self.wfile.write(json.dumps({"version": "1.0", "error": page.value}).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.handler = Handler
        self.server: http.server.ThreadingHTTPServer | None = None
        self.port = 0
        self.set(testing.Condition.WORKING)

    def set(self, condition: testing.Condition) -> None:
        self.condition = condition
        self.stop()
        if condition is not testing.Condition.UNREACHABLE:
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
            self.port = self.server.server_port
            threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@pytest.fixture
def page(made_up: str) -> Iterator[Page]:
    page = Page(made_up)
    yield page
    page.stop()


def test_the_health_probe_keeps_its_promises(page: Page, made_up: str) -> None:
    from health_probe import SameVersion

    probe = SameVersion(f"http://127.0.0.1:{page.port}/")
    testing.check_health_probe(probe, page.set, value=made_up, patience="10s")
