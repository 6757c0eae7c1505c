"""What is in deploy/ is what the systems that read it understand, and fits the examples that it names."""
import re
import subprocess
import sys

import pytest
import yaml

from sluice import REPOSITORY

MANIFESTS = sorted((REPOSITORY / "deploy/kubernetes").glob("*.yaml"))
UNIT = REPOSITORY / "deploy/systemd/sluice.service"


def containers_of(file):
    """(its pod, container) of every container in a file of manifests."""
    for document in yaml.safe_load_all(file.read_text()):
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            yield from ((pod, one) for one in [*pod.get("initContainers", []), *pod["containers"]])


def check_manifests(file):
    done = subprocess.run([sys.executable, "-m", "kubernetes_validate", "--strict", file], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and "passed" in done.stdout + done.stderr, done.stdout + done.stderr


def check_rights(found):
    """No container has rights that it does not need."""
    assert found
    for pod, container in found:
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {
            "type": "RuntimeDefault"}
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_manifests_follow_the_schema_of_kubernetes(file):
    check_manifests(file)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_no_container_has_rights_that_it_does_not_need(file):
    check_rights(list(containers_of(file)))


@pytest.mark.parametrize("manifest, example", [("sidecar", "sidecar"), ("edge", "ingress")])
def test_ports_and_grace_fit_the_example(manifest, example):
    config = yaml.safe_load((REPOSITORY / f"examples/{example}.yaml").read_text())
    bound = {int(one["bind"].rpartition(":")[2]) for one in config["listeners"].values()}
    for pod, container in containers_of(REPOSITORY / f"deploy/kubernetes/{manifest}.yaml"):
        if container["name"] == "sluice":
            assert {port["containerPort"] for port in container["ports"]} <= bound
            assert pod["terminationGracePeriodSeconds"] > int(config["drain_timeout"].removesuffix("s"))


def test_the_service_goes_on_for_as_long_as_the_sidecar_is_asked():
    config = yaml.safe_load((REPOSITORY / "examples/sidecar.yaml").read_text())
    hooks = {container["name"]: container["lifecycle"]["preStop"]
             for _, container in containers_of(REPOSITORY / "deploy/kubernetes/sidecar.yaml")}
    assert hooks["sluice"] == {"exec": {"command": ["/usr/bin/sluice", "drain"]}}
    delay = int(config["listeners"]["inbound"]["drain_delay"].removesuffix("s"))
    assert hooks["app"]["sleep"]["seconds"] >= delay and "drain_delay" not in config["listeners"]["health"]


def test_the_unit_is_understood_and_exposes_little(tmp_path):
    # What the unit starts must exist for `verify`, whether or not Sluice is installed here.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/bin/sluice", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and UNIT.name not in done.stderr, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", copy], capture_output=True, text=True,
                          timeout=60)
    # With what it has as comments too.
    copy.write_text(copy.read_text().replace("#LoadCredential", "LoadCredential"))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0 and "LoadCredential=" in copy.read_text(), verified.stderr
    level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout + done.stderr)[1])
    assert level <= 2.0
