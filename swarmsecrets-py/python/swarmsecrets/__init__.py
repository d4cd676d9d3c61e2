"""The life of Docker Swarm secrets through Portainer.

>>> import swarmsecrets
>>> client = swarmsecrets.SimSwarm().client()
>>> client.rotate("report_password", value=swarmsecrets.Generate(length=40), confirm=True).outcome
'applied'
"""

from swarmsecrets import approval, audit, credentials, health, plugins, source, transport
from swarmsecrets._native import Cancellation, Generate, SecretValue
from swarmsecrets.approval import ChangeRequest
from swarmsecrets.client import AsyncClient, Client
from swarmsecrets.errors import Error
from swarmsecrets.inventory import Inventory
from swarmsecrets.plan import Plan
from swarmsecrets.policy import Judgement, Policy
from swarmsecrets.progress import AsyncRunning, Progress, Running
from swarmsecrets.read_only import AsyncReadOnlyClient, ReadOnlyClient
from swarmsecrets.report import Report
from swarmsecrets.request import Group
from swarmsecrets.sim import SimSwarm
from swarmsecrets.source import FromSource

__all__ = [
    "AsyncClient",
    "AsyncReadOnlyClient",
    "AsyncRunning",
    "Cancellation",
    "ChangeRequest",
    "Client",
    "Error",
    "FromSource",
    "Generate",
    "Group",
    "Inventory",
    "Judgement",
    "Plan",
    "Policy",
    "Progress",
    "ReadOnlyClient",
    "Report",
    "Running",
    "SecretValue",
    "SimSwarm",
    "approval",
    "audit",
    "credentials",
    "health",
    "plugins",
    "source",
    "transport",
]
