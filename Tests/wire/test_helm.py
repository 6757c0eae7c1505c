"""The chart in deploy/helm makes manifests that Kubernetes takes, with a config that Sluice takes."""
import pathlib

import pytest
import yaml

from helm import helm
from sluice import REPOSITORY, run_cli
from test_deploy import check_manifests, check_rights, containers_of

CHART = REPOSITORY / "deploy/helm/sluice-sidecar"
LEAST = {"app": {"image": "shop:7"}, "certificates": {"secret": "shop-certificates"}}
MOST = {
    "replicas": 3, "drainDelay": 7, "inboundPort": 9443, "healthPort": 9001, "service": {"port": 9000},
    "app": {"image": "shop:7", "port": 3000, "shutdown": 40, "env": [{"name": "SEARCH", "value": "http://127.0.0.1:6010"}],
            "resources": {"requests": {"cpu": "1"}}},
    "sluice": {"image": "registry.test/sluice:0.1@sha256:" + "0" * 64, "logLevel": "warning"},
    "certificates": {"secret": "shop-certificates"},
    "acceptedNames": {"uri": ["spiffe://example.org/*"], "dns": ["web.test"]},
    "upstreams": [
        {"name": "search", "port": 6010, "endpoint": "search.internal:443", "timeout": "2s"},
        {"name": "mail-out", "port": 6011, "endpoint": "10.0.0.7:443", "serverName": "mail.internal"},
        {"name": "cache", "port": 6012, "endpoint": "cache.internal:80", "plain": True}],
    "podLabels": {"team": "shop"}, "podAnnotations": {"note": "a: b"},
}
OWN = {**LEAST, "drainDelay": 0, "config": "listeners:\n  in:\n    bind: 0.0.0.0:8443\n    chain: [ http, router: { to: a } ]\n"
       "clusters:\n  a: { endpoints: [ 127.0.0.1:8080 ] }\n"}
ALL = {"least": LEAST, "most": MOST, "own config": OWN}


def render(tmp_path, values):
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    return helm("template", "shop", CHART, "-f", file)


@pytest.fixture(params=ALL)
def rendered(request, tmp_path):
    """A file with all manifests."""
    done = render(tmp_path, ALL[request.param])
    assert done.returncode == 0, done.stderr
    file = tmp_path / "manifests.yaml"
    file.write_text(done.stdout)
    return file


def test_lint_has_nothing_to_say(tmp_path):
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(LEAST))
    done = helm("lint", "--strict", CHART, "-f", file)
    assert done.returncode == 0 and "WARNING" not in done.stdout, done.stdout


def test_manifests_follow_the_schema_of_kubernetes_and_give_few_rights(rendered):
    check_manifests(rendered)
    check_rights(list(containers_of(rendered)))


def test_sluice_takes_the_config_and_its_ports_fit(rendered, certificates, tmp_path):
    documents = {one["kind"]: one for one in yaml.safe_load_all(rendered.read_text())}
    text = documents["ConfigMap"]["data"]["sluice.yaml"]
    (tmp_path / "sluice.yaml").write_text(text)
    done = run_cli("check", str(tmp_path / "sluice.yaml"))
    assert done.returncode == 0 and done.stdout.startswith("ok  "), done.stdout
    config = yaml.safe_load(text)
    for pod, container in containers_of(rendered):
        if container["name"] == "sluice" and "outlive" in config:
            bound = {int(one["bind"].rpartition(":")[2]) for one in config["listeners"].values()}
            assert {port["containerPort"] for port in container["ports"]} <= bound
            drain = int(config["drain_timeout"].removesuffix("s"))
            assert pod["terminationGracePeriodSeconds"] > drain
        elif container["name"] == "app":
            [port] = container["ports"]
            assert config.get("outlive", "127.0.0.1:8080") == f"127.0.0.1:{port['containerPort']}"
            delay = config["listeners"].get("inbound", {}).get("drain_delay", "0s")
            assert f"{container.get('lifecycle', {}).get('preStop', {}).get('sleep', {}).get('seconds', 0)}s" == delay


def test_each_upstream_has_a_port_and_leaves_as_it_is_told(tmp_path):
    done = render(tmp_path, MOST)
    [config] = [one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "ConfigMap"]
    config = yaml.safe_load(config["data"]["sluice.yaml"])
    out = {name: one for name, one in config["listeners"].items() if one.get("direction") == "outbound"}
    assert {name: one["bind"] for name, one in out.items()} == {
        "to-search": "127.0.0.1:6010", "to-mail-out": "127.0.0.1:6011", "to-cache": "127.0.0.1:6012"}
    assert config["clusters"]["mail-out"]["chain"][0]["tls"]["server_name"] == "mail.internal"
    assert "chain" not in config["clusters"]["cache"] and "chain" in config["clusters"]["search"]
    assert config["listeners"]["inbound"]["chain"][0]["tls"]["accepted_names"] == MOST["acceptedNames"]


def test_another_config_makes_other_pods(tmp_path):
    def sums(values):
        return [pod["metadata"]["annotations"]["checksum/config"] for pod in templates(render(tmp_path, values).stdout)]
    assert sums(LEAST) == sums(LEAST) != sums({**LEAST, "inboundPort": 9443})


def templates(text):
    return [one["spec"]["template"] for one in yaml.safe_load_all(text) if one["kind"] == "Deployment"]


@pytest.mark.parametrize("values, words", [
    ({"certificates": {"secret": "x"}}, "/app/image"),
    ({"app": {"image": "x"}}, "/certificates/secret"),
    ({**LEAST, "drainDealy": 5}, "drainDealy"),
    ({**LEAST, "inboundPort": "https"}, "/inboundPort"),
    ({**LEAST, "upstreams": [{"name": "app", "port": 6010, "endpoint": "x:1"}]}, "/upstreams/0/name"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_values_that_make_no_sense_are_refused_by_name(tmp_path, values, words):
    done = render(tmp_path, values)
    assert done.returncode != 0 and words in done.stderr, done.stdout


def test_the_chart_is_of_this_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert run_cli("version").stdout.startswith(f"sluice {chart['appVersion']} ")
    assert pathlib.Path(CHART).name == chart["name"]
