"""The page on statistics is what the program says, and has all that a running process shows."""
import re

from client import Client, get
from configs import cluster, http_proxy
from sluice import REPOSITORY, run_cli
from test_tls import files, secure

__all__ = ["files", "secure"]
PAGE = REPOSITORY / "docs/stats.md"
WORDS = {"LISTENER": "[^.]+", "CLUSTER": "[^.]+", "FILTER": "[^.]+", "ADDRESS": ".+", "REASON": r"[\w.]+",
         "SUITE": r"[\w-]+", "NNN": r"\d{3}"}


def sections():
    """(prefix, names, names in Prometheus) of each section of the page."""
    for text in PAGE.read_text().split("\n## ")[1:]:
        prefix = re.search(r"^`(.*)…`", text, re.M)[1]
        rows = re.findall(r"^\| `(\S+)` \| [\w *]+ \| (?:`(\w+)(?:\{.*\})?`|–) \| (.*) \|$", text, re.M)
        yield prefix, rows


def as_pattern(text):
    escaped = re.escape(text).replace("worker_0", r"worker_\d+")
    for word, pattern in WORDS.items():
        escaped = escaped.replace(word, pattern)
    return escaped


def test_the_page_is_what_the_program_says():
    done = run_cli("stats", "--format", "markdown")
    assert done.returncode == 0 and PAGE.read_text() == done.stdout, "write it anew, as its first lines say"


def test_every_statistic_has_a_meaning():
    rows = [row for _, rows in sections() for row in rows]
    assert len(rows) > 200
    assert all(meaning.endswith(".") for _, _, meaning in rows), [row for row in rows if not row[2].endswith(".")]


def test_all_that_a_running_process_shows_is_on_the_page(sluice, origin, secure, files):
    one = origin()
    tls = {"tls": {"certificate": str(files / "server.crt"), "key": str(files / "server.key")}}
    filters = ["count", "stats", "trace", {"circuit_breaker": {"errors": {}}}, {"retry": {"on": ["5xx"]}},
               {"rate_limit": {"requests": 100}}, {"fault": {"delay": {"fixed": "1ms", "percentage": "1%"}}}]
    config = http_proxy(one.endpoint, filters=filters, admin="127.0.0.1:0", listener={"filter_times": True},
                        upstream={"outlier_detection": {}, "health_checks": {"tcp": {}}})
    config["clusters"]["sealed"] = cluster(secure().endpoint, chain=[{"tls": {"ca": str(files / "ca.pem")}}])
    config["listeners"]["sealed"] = {
        "bind": "127.0.0.1:0", "filter_times": True, "chain": [tls, "http", {"router": {"to": "sealed"}}]}
    config["listeners"]["raw"] = {"bind": "127.0.0.1:0", "chain": [{"tcp_proxy": "app"}]}
    proxy = sluice(config)
    get(proxy.address(), "/")
    get(proxy.address("raw"), "/")
    with Client(proxy.address()) as client:
        client.send(b"nonsense\r\n\r\n")
        client.read_response()
    shown = get(proxy.address("admin"), "/stats", host="localhost").body.decode()
    # A filter of a byte chain, or of a cluster's, is called by its own kind of owner.
    known = []
    for prefix, rows in sections():
        forms = [prefix]
        if prefix.endswith("LISTENER.FILTER."):
            forms = [f"{kind}.FILTER." for kind in ("http.LISTENER", "listener.LISTENER", "cluster.CLUSTER")]
        known += [as_pattern(form + name.replace("REASON", "") if prefix.startswith("fault.") else form + name)
                  for form in forms for name, _, _ in rows]
    pattern = re.compile("|".join(f"(?:{each})" for each in known))
    names = [re.sub(r"\{.*\}$", "", line.partition(": ")[0]) for line in shown.splitlines()]
    assert len(names) > 300
    assert not [name for name in names if not pattern.fullmatch(name)]


def test_the_names_in_prometheus_are_those_of_the_page(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, filters=["stats", "count"], admin="127.0.0.1:0",
                              listener={"filter_times": True}))
    get(proxy.address(), "/")
    text = get(proxy.address("admin"), "/stats/prometheus", host="localhost").body.decode()
    families = set(re.findall(r"^# TYPE (\w+) ", text, re.M))
    assert len(families) > 40
    assert families <= {name for _, rows in sections() for _, name, _ in rows}
