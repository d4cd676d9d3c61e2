"""The life of Docker Swarm secrets through Portainer.

>>> import swarmsecrets
>>> client = swarmsecrets.SimSwarm().client()
>>> client.rotate("report_password", value=swarmsecrets.Generate(length=40), confirm=True).outcome
'applied'
"""

from swarmsecrets._native import Generate, SecretValue
from swarmsecrets.client import AsyncClient, Client
from swarmsecrets.errors import Error
from swarmsecrets.inventory import Inventory
from swarmsecrets.plan import Plan
from swarmsecrets.report import Report
from swarmsecrets.sim import SimSwarm

__all__ = ["AsyncClient", "Client", "Error", "Generate", "Inventory", "Plan", "Report", "SecretValue", "SimSwarm"]
