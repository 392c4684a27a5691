"""What a KubeRay `RayService` imports: the two applications, from the pods' `COURSE_*` variables.

applications:
  - {name: fernhill-support, import_path: "helpers.scale.kuberay:support", args: {replicas: 2}}
"""

from pydantic import BaseModel, PositiveInt
from ray import serve

from helpers.scale import app
from helpers.service.settings import Settings


class Size(BaseModel, extra="forbid"):
    """The arguments of both applications in the Serve config, which have to be the same.

    Attributes:
        replicas: of the agent and its model.
    """

    replicas: PositiveInt = 2


def gateway(size: Size) -> serve.Application:
    """The application `helpers.scale.app.GATEWAY`."""
    return app.gateway(Settings(), size.replicas)


def support(size: Size) -> serve.Application:
    """The application `helpers.scale.app.SUPPORT`."""
    return app.support(Settings(), size.replicas)
