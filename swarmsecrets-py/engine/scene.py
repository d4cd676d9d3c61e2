"""A corner of the real Swarm for each test: `cargo xtask engine` says where the Engine and the gateway are."""

import base64
import json
import os
import pathlib
import secrets
import subprocess
import time
import urllib.request
from typing import Any

import swarmsecrets

SERVE = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
PICKY = 'case "$(cat /run/secrets/pw)" in good*) ;; *) echo "FATAL: password authentication failed"; exit 3 ;; esac\n' + SERVE


def told(name: str) -> str:
    value = os.environ.get(f"SWARMSECRETS_TEST_{name}")
    assert value, f"SWARMSECRETS_TEST_{name} is not set: run these tests with `cargo xtask test`, which starts what they need"
    return value


class Scene:
    """Secrets and services whose names are the test's own, gone when it ends."""

    def __init__(self, name: str) -> None:
        self.name = f"py-{name}-{secrets.token_hex(3)}"
        self.folder = pathlib.Path(told("KEPT")) / "python" / self.name
        self.values: list[str] = []

    def docker(self, *arguments: str, given: str | None = None) -> str:
        command = [told("DOCKER"), "--host", f"unix://{told('SOCKET')}", *arguments]
        ran = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, f"docker {arguments}: {ran.stderr}"
        return ran.stdout.strip()

    def client_settings(self, user: str = "ADMIN") -> dict[str, Any]:
        return {
            "url": told("URL"),
            "api_key": told(f"KEY_{user}"),
            "endpoint": int(told("ENDPOINT")),
            "journal": self.folder / "journal",
            "agent_id": "python-test",
        }

    def client(self, user: str = "ADMIN", **settings: Any) -> swarmsecrets.Client:
        return swarmsecrets.Client(**self.client_settings(user), **settings)

    def async_client(self, user: str = "ADMIN") -> swarmsecrets.AsyncClient:
        return swarmsecrets.AsyncClient(**self.client_settings(user))

    def value(self, hint: str = "good") -> str:
        value = f"{hint}-made-up-{secrets.token_hex(12)}"
        self.values.append(value)
        if recorded := os.environ.get("SWARMSECRETS_TEST_VALUES"):
            with open(recorded, "a") as file:
                file.write(base64.b64encode(value.encode()).decode() + "\n")
        return value

    def secret(self, value: str) -> str:
        name = f"{self.name}-db"
        self.docker("secret", "create", name, "-", given=value)
        return name

    def service(self, name: str, secret: str, script: str = SERVE, replicas: int = 1) -> str:
        name = f"{self.name}-{name}"
        flags = ["--quiet", "--detach", "--no-resolve-image", "--endpoint-mode=dnsrr", "--update-monitor=1s"]
        flags += ["--restart-delay=500ms", f"--replicas={replicas}", "--secret", f"source={secret},target=pw"]
        self.docker("service", "create", *flags, "--name", name, told("IMAGE"), "sh", "-c", script)
        self.wait_for(name, replicas)
        return name

    def containers(self, service: str) -> list[str]:
        return self.docker("ps", "-q", "--filter", f"label=com.docker.swarm.service.name={service}").split()

    def wait_for(self, service: str, replicas: int) -> None:
        end = time.monotonic() + 60
        while len(self.containers(service)) != replicas:
            assert time.monotonic() < end, f"{service} does not run"
            time.sleep(0.2)

    def reads(self, service: str, value: str) -> bool:
        """Whether all containers of a service read this value."""
        found = [self.docker("exec", one, "cat", "/run/secrets/pw") for one in self.containers(service)]
        return bool(found) and all(one == value for one in found)

    def secrets(self) -> list[str]:
        names = self.docker("secret", "ls", "--format", "{{.Name}}").split()
        return sorted(name for name in names if name.startswith(self.name))

    def portainer(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-API-Key": told("KEY_ADMIN"), "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(told("URL") + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def clear(self) -> None:
        for stack in self.portainer("GET", "/api/stacks"):
            if stack["Name"].startswith(self.name):
                self.portainer("DELETE", f"/api/stacks/{stack['Id']}?endpointId={told('ENDPOINT')}")
        for name in self.docker("service", "ls", "--format", "{{.Name}}").split():
            if name.startswith(self.name):
                self.docker("service", "rm", name)
        for name in self.secrets():
            self.docker("secret", "rm", name)
