"""Sluice and Envoy, configured to live with upstreams that fail."""

import json
from dataclasses import dataclass

from .proxies import Envoy, Job, Sluice

RETRY_ON = ("5xx", "gateway-error", "connect-failure", "reset")


@dataclass(frozen=True)
class GuardedJob(Job):
    """A job, and what is to be done about failures. Its origin is a tuple of ports."""

    filters: int = 0
    retry: bool = False       # two further tries at most, within a budget of a fifth
    limit: int = 0            # requests at once, over all workers; 0: none
    by_cluster: bool = False  # the limit is Sluice's cluster's, not its filter's
    breaker: bool = False     # failures open Sluice's breaker. Envoy has no such thing
    window: str = "10s"       # of the failures that open it
    open_for: str = "5s"
    outliers: bool = False    # five failures in a row put an endpoint aside
    ejected_ms: int = 30_000  # for so long the first time
    ejected_percent: int = 50
    checks: bool = False      # active health checks
    timeout_ms: int = 0       # of the whole request; 0: none
    try_timeout_ms: int = 0   # of each try; 0: none


def seconds(milliseconds):
    return f"{milliseconds / 1000:g}s"


class GuardedSluice(Sluice):
    @staticmethod
    def gives_up(seen):
        """Whether what clients saw was answered without a try: what an open breaker answers is marked."""
        return seen["overloaded"] == seen["requests"] and not seen["cut"]

    def filters(self, job):
        chain = []
        if (job.limit and not job.by_cluster) or job.breaker:
            breaker = {"max_requests": job.limit} if job.limit and not job.by_cluster else {}
            if job.breaker:
                # Not by failures in a row: where one endpoint of three fails, there are soon some.
                breaker["errors"] = {
                    "failure_rate": "50%", "min_requests": 100, "window": job.window, "consecutive": 0,
                    "open_for": job.open_for}
            chain.append({"circuit_breaker": breaker})
        if job.retry:
            retry = {"on": RETRY_ON, "attempts": 2, "backoff": {"base": "25ms", "max": "250ms"},
                     "budget": {"percent": "20%", "min_concurrent": 3}}
            if job.try_timeout_ms:
                retry["per_try_timeout"] = f"{job.try_timeout_ms}ms"
            chain.append({"retry": retry})
        return "".join(f"      - {json.dumps(each)}\n" for each in chain)

    def routes(self, job):
        return "\n".join([super().routes(job), *([f"          timeout: {job.timeout_ms}ms"] if job.timeout_ms else [])])

    def endpoints(self, origin):
        return json.dumps([f"127.0.0.1:{port}" for port in origin])

    def cluster(self, job):
        parts = {}
        if job.limit and job.by_cluster:
            parts["max_requests"] = job.limit
        if job.outliers:
            parts["outlier_detection"] = {
                "consecutive_5xx": 5, "interval": "250ms", "base_ejection_time": f"{job.ejected_ms}ms",
                "max_ejection_percent": f"{job.ejected_percent}%"}
            # Otherwise requests go to endpoints that are put aside when they are more than half.
            parts["panic_threshold"] = "0%"
        if job.checks:
            parts["health_checks"] = [{
                "http": {"path": "/healthz"}, "interval": "500ms", "timeout": "250ms", "unhealthy_threshold": 2,
                "healthy_threshold": 1}]
        return "".join(f"\n    {key}: {json.dumps(value)}" for key, value in parts.items())


class GuardedEnvoy(Envoy):
    @staticmethod
    def gives_up(seen):
        """Whether what clients saw was answered without a try, as all endpoints are put aside: only the text tells."""
        text = "no healthy upstream"
        return seen["answers_5xx"] == seen["requests"] and seen["response_body_bytes"] == seen["requests"] * len(text)

    def suppresses_headers(self, job):
        return job.limit == 0  # x-envoy-overloaded is one of them

    def route(self, job):
        route = {"timeout": seconds(job.timeout_ms)}
        if job.retry:
            route["retry_policy"] = {
                "retry_on": ",".join(RETRY_ON), "num_retries": 2,
                "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
                # Sluice does not go to an endpoint again that has failed; Envoy has to be told.
                "retry_host_predicate": [{
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3."
                                              "PreviousHostsPredicate"}}],
                "host_selection_retry_max_attempts": 5}
            if job.try_timeout_ms:
                route["retry_policy"]["per_try_timeout"] = seconds(job.try_timeout_ms)
        return ", ".join(f"{key}: {json.dumps(value)}" for key, value in route.items())

    def cluster(self, job):
        threshold = {"max_connections": 65536, "max_pending_requests": 65536, "max_requests": job.limit or 65536}
        if job.retry:
            # Of the requests that are active, tries in their pause included. With `budget_interval` it is tries at once
            # to requests of that time, which is no limit here.
            threshold["retry_budget"] = {"budget_percent": {"value": 20}, "min_retry_concurrency": 3}
        parts = {"circuit_breakers": {"thresholds": [threshold]}}
        if job.outliers:
            parts["outlier_detection"] = {
                "consecutive_5xx": 5, "interval": "0.25s", "base_ejection_time": seconds(job.ejected_ms),
                "max_ejection_percent": job.ejected_percent}
            parts["common_lb_config"] = {"healthy_panic_threshold": {"value": 0}}
        if job.checks:
            parts["health_checks"] = [{
                "timeout": "0.25s", "interval": "0.5s", "no_traffic_interval": "0.5s", "unhealthy_threshold": 2,
                "healthy_threshold": 1, "http_health_check": {"path": "/healthz"}}]
        return "\n".join(f"    {key}: {json.dumps(value)}" for key, value in parts.items())

    def endpoints(self, origin):
        return "\n".join(super(GuardedEnvoy, self).endpoints(port) for port in origin)


GUARDED = {kind.name: kind for kind in (GuardedSluice, GuardedEnvoy)}
