"""examples/ingress.yaml from end to end, with curl and openssl as clients."""
import re
import subprocess

import pytest

from certificates import Authority
from client import get
from sluice import REPOSITORY

SITES = ("www.example.org", "api.example.org")


@pytest.fixture
def edge(sluice, origin, tmp_path):
    """The example between curl and two origins; its address, and what each origin has seen."""
    authority, folder = Authority(), tmp_path / "certificates"
    folder.mkdir()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    authority.issue(SITES[0]).write(folder, "server")
    authority.issue(SITES[1]).write(folder, "server-rsa")
    www, api = origin(), origin()
    text = (REPOSITORY / "examples/ingress.yaml").read_text()
    for old, new in (("0.0.0.0:8080", "127.0.0.1:0"), ("0.0.0.0:8443", "127.0.0.1:0"),
                     ("/tmp/sluice-ingress-admin.sock", str(tmp_path / "admin.sock")),
                     ("www.internal:8080", www.endpoint), ("api.internal:8080", api.endpoint)):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (tmp_path / "ingress.yaml").write_text(text)
    proxy = sluice(command=["run", "-c", str(tmp_path / "ingress.yaml"), "--log-format", "json"])
    return proxy, www, api, tmp_path


def curl(edge, url_host, *more, path="/"):
    proxy, *_, folder = edge
    host, port = proxy.address("secure")
    return subprocess.run(["curl", "-sS", "-i", "--max-time", "10", "--cacert", folder / "ca.pem", "--resolve",
                           f"{url_host}:{port}:{host}", *more, f"https://{url_host}:{port}{path}"],
                          capture_output=True, text=True, timeout=20)


def test_each_site_has_its_certificate_its_upstream_and_hsts(edge):
    for site, upstream in zip(SITES, edge[1:3]):
        done = curl(edge, site)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("HTTP/1.1 200 ")
        assert "strict-transport-security: max-age=31536000" in done.stdout.lower()
        assert len(upstream.requests) == 1


def test_a_certificate_opens_no_other_site(edge):
    done = curl(edge, SITES[0], "-H", f"Host: {SITES[1]}")
    assert done.stdout.startswith("HTTP/1.1 421 ") and not edge[2].requests
    assert "strict-transport-security" in done.stdout.lower()


def test_a_name_without_a_certificate_is_refused(edge):
    host, port = edge[0].address("secure")
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "other.example.org"],
                          input="", capture_output=True, text=True, timeout=20)
    assert re.search(r"unrecognized.name.*alert", done.stderr)


def test_without_tls_there_is_only_the_way_to_it(edge):
    answer = get(edge[0].address("plain"), "/a?b=c", host="www.example.org:8080")
    assert answer.status == 308
    assert answer.get("location") == "https://www.example.org/a?b=c"


def test_one_client_has_its_limit(edge):
    done = curl(edge, SITES[0], "--parallel", "-o", "/dev/null", "-w", "%{http_code} ", path="/[1-400]")
    statuses = re.findall(r"\b(200|429) ", done.stdout)
    assert len(statuses) == 400 and statuses.count("200") >= 100 and "429" in statuses
    assert len(edge[1].requests) == statuses.count("200")


def test_the_admin_interface_is_at_its_socket(edge):
    socket = edge[3] / "admin.sock"
    done = subprocess.run(["curl", "-sS", "--unix-socket", socket, "http://localhost/ready"], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0 and "LIVE" in done.stdout
