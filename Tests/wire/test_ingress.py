"""examples/ingress.yaml from end to end, with curl and openssl as clients."""
import re
import socket
import ssl
import subprocess

import pytest

from certificates import Authority
from client import Client, encode, get
from plugin_builds import library
from sluice import REPOSITORY

SITES = ("www.example.org", "api.example.org")


@pytest.fixture
def edge(start_edge):
    """The example between curl and two origins; its address, and what each origin has seen."""
    return start_edge()


@pytest.fixture
def start_edge(sluice, origin, tmp_path):
    """Starts the example, with what else is to be changed in its text."""
    return lambda change=lambda text: text: start(sluice, origin, tmp_path, change)


def start(sluice, origin, tmp_path, change):
    authority, folder = Authority(), tmp_path / "certificates"
    folder.mkdir()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    authority.issue(SITES[0]).write(folder, "server")
    authority.issue(SITES[1]).write(folder, "server-rsa")
    www, api = origin(), origin()
    text = (REPOSITORY / "examples/ingress.yaml").read_text()
    for old, new, count in (("0.0.0.0:8080", "127.0.0.1:0", 1), ("0.0.0.0:8443", "127.0.0.1:0", 1),
                            ("0.0.0.0:8001", "127.0.0.1:0", 1),
                            ("/tmp/sluice-ingress-admin.sock", str(tmp_path / "admin.sock"), 2),
                            ("www.internal:8080", www.endpoint, 1), ("api.internal:8080", api.endpoint, 1)):
        assert text.count(old) == count, old
        text = text.replace(old, new)
    (tmp_path / "ingress.yaml").write_text(change(text))
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
        assert done.stdout.startswith("HTTP/2 200 ")
        assert "strict-transport-security: max-age=31536000" in done.stdout.lower()
        assert len(upstream.requests) == 1


def test_a_certificate_opens_no_other_site(edge):
    done = curl(edge, SITES[0], "-H", f"Host: {SITES[1]}")
    assert done.stdout.startswith("HTTP/2 421 ") and not edge[2].requests
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
    refused = curl(edge, SITES[0], "--parallel", "-o", "/dev/null", "-D", "-", path="/[1-400]").stdout
    heads = [head for head in refused.lower().split("http/2 ") if head.startswith("429 ")]
    assert heads and all("strict-transport-security: max-age=31536000" in head for head in heads)


def test_the_admin_interface_is_at_its_socket(edge):
    socket = edge[3] / "admin.sock"
    done = subprocess.run(["curl", "-sS", "--unix-socket", socket, "http://localhost/ready"], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0 and "LIVE" in done.stdout


def test_whether_it_is_ready_can_be_asked_over_http_and_nothing_else(edge):
    proxy, *_, folder = edge
    health = proxy.address("health")
    answer = get(health, "/ready", host="10.1.2.3:8001")
    assert answer.status == 200 and answer.body.startswith(b"LIVE")
    assert {get(health, path).status for path in ("/", "/stats", "/config_dump", "/ready/../stats", "/quitquitquit")} == {404}
    assert get(health, "/ready", method="POST").status == 404

    def admin(path):
        subprocess.run(["curl", "-sSf", "-X", "POST", "--unix-socket", folder / "admin.sock", f"http://localhost{path}"],
                       check=True, capture_output=True, timeout=20)
    admin("/healthcheck/fail")
    assert get(health, "/ready").status == 503
    admin("/healthcheck/ok")
    assert get(health, "/ready").status == 200


def with_proxy_protocol(text):
    """The example behind a load balancer: the lines that wait for that."""
    text, count = re.subn(r"^( *)# (plugins:|- proxy_protocol:)", r"\1\2", text, flags=re.M)
    assert count == 3
    text, count = re.subn(r"\[ \S*/libproxy_protocol\.so \]", f"[ {library('proxy_protocol')} ]", text)
    assert count == 1 and text.count("10.0.0.0/8") == 2
    return text.replace("10.0.0.0/8", "127.0.0.0/8")


@pytest.mark.xdist_group("plugins")
def test_behind_a_load_balancer_the_client_is_whom_it_names(start_edge):
    edge = start_edge(with_proxy_protocol)
    proxy, www, _, folder = edge
    header = b"PROXY TCP4 203.0.113.9 198.51.100.2 4711 443\r\n"
    with socket.create_connection(proxy.address("secure"), 5) as plain:
        plain.sendall(header)
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        with context.wrap_socket(plain, server_hostname=SITES[0]) as one:
            one.sendall(f"GET / HTTP/1.1\r\nHost: {SITES[0]}\r\nConnection: close\r\n\r\n".encode())
            assert one.recv(1000).startswith(b"HTTP/1.1 200 ")
    [request] = www.requests
    assert request.get("x-forwarded-for") == "203.0.113.9"
    proxy.wait_stdout(r'"203\.0\.113\.9')
    assert curl(edge, SITES[0]).returncode != 0, "a client without the header is closed"
    with Client(proxy.address("plain")) as client:
        client.send(header + encode("GET", "/a", host="www.example.org"))
        assert client.read_response().status == 308
