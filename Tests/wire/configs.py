"""Configurations that many tests share, as dictionaries: JSON is YAML."""


def cluster(*endpoints, **settings):
    return {"endpoints": list(endpoints), **settings}


def http_proxy(*endpoints, http=None, route=None, routes=None, clusters=None, filters=(), listener=None, upstream=None,
               **top):
    """One HTTP listener, `inbound`.

    `http`: settings of the codec. `route`: settings of the only route, which leads to the cluster `app` made of
    `endpoints` and the settings `upstream`; or `routes`: all routes. `clusters`: further clusters.
    """
    codec = {"http": http} if http else "http"
    if routes is None:
        routes = [{"name": "all", "to": "app", **(route or {})}]
    known = {"app": cluster(*endpoints, **(upstream or {}))} if endpoints else {}
    return {
        "listeners": {"inbound": {"bind": "127.0.0.1:0", **(listener or {}),
                                  "chain": [codec, *filters, {"router": {"routes": routes}}]}},
        "clusters": {**known, **(clusters or {})},
        **top,
    }


def tcp_proxy(*endpoints, listener=None, **settings):
    """One TCP listener, `inbound`, that leads to `endpoints`."""
    return {
        "listeners": {"inbound": {"bind": "127.0.0.1:0", **(listener or {}),
                                  "chain": [{"tcp_proxy": {"to": "app", **settings}}]}},
        "clusters": {"app": cluster(*endpoints)},
    }
