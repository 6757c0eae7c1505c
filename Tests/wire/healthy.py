"""A gRPC service that tells its health by the library's own health service, and notes what it is asked."""
import threading

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from calls import Service

Status = health_pb2.HealthCheckResponse


class Watched(health.HealthServicer):
    """`asked`: service, peer and metadata of each check. Checks wait while `open` is not set."""

    def __init__(self):
        super().__init__()
        self.asked, self.open = [], threading.Event()
        self.open.set()

    def Check(self, request, context):
        self.asked.append((request.service, context.peer(), dict(context.invocation_metadata())))
        self.open.wait(10)
        return super().Check(request, context)


class Backend(Service):
    """A service with its `health`."""

    def __init__(self, credentials=None, with_health=True, **more):
        self.health = Watched()
        super().__init__(credentials, before_start=self._register if with_health else None, **more)

    def _register(self, server):
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)

    @property
    def served(self):
        return len(self.calls)
