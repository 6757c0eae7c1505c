"""examples/sidecar.yaml from end to end: TLS in both directions, and certificates that change under load."""
import os
import pathlib
import ssl
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import Authority
from client import Client, encode, get
from load import Load
from nameserver import NameServer
from origin import answer
from sluice import REPOSITORY
from test_tls import connect, fetch

CLIENT, OTHER = "spiffe://example.org/ns/default/sa/web", "spiffe://elsewhere.org/web"


class Pod:
    """A folder with the example, its certificates, and the addresses of this machine in place of a cluster's."""

    def __init__(self, folder, authority, app, mathoid, name="mathoid.internal"):
        self.folder, self.authority, self.name = pathlib.Path(folder), authority, name
        (self.folder / "certificates").mkdir(parents=True)
        self.renew()
        text = (REPOSITORY / "examples/sidecar.yaml").read_text()
        for old, new in (("0.0.0.0:8443", "127.0.0.1:0"), ("0.0.0.0:8001", "127.0.0.1:0"),
                         ("127.0.0.1:6010", "127.0.0.1:0"), ("127.0.0.1:6011", "127.0.0.1:0"),
                         ("127.0.0.1:6012", "127.0.0.1:0"),
                         ("127.0.0.1:9901", "127.0.0.1:0"),
                         ("127.0.0.1:8080", app), ("mathoid.internal:4001", mathoid),
                         ("          ca: certificates/ca.pem\n          certificate",
                          "          ca: certificates/ca.pem\n          server_name: mathoid.internal\n          certificate")):
            assert text.count(old) >= 1, old
            text = text.replace(old, new)
        self.config = self.folder / "sidecar.yaml"
        self.config.write_text(text)

    def lead(self, service, port, server):
        """Has the sidecar look up the name of a service, as in a cluster, and find it at a port of this machine."""
        text = self.config.read_text()
        assert text.count(f"{service}.internal:{port}") == 1
        text = text.replace(f"{service}.internal:{port}", f"{service}.internal:{server.bound[1]}")
        self.config.write_text(text)

    def file(self, name):
        return self.folder / "certificates" / name

    def renew(self):
        """New pairs, each file put in place as a whole."""
        made = self.folder / "new"
        made.mkdir()
        (made / "ca.pem").write_bytes(self.authority.pem)
        self.server = self.authority.issue(self.name, "localhost", "spiffe://example.org/ns/default/sa/mathoid")
        self.server.write(made, "server")
        self.authority.issue(CLIENT, usage="client").write(made, "client")
        for file in made.iterdir():
            os.replace(file, self.file(file.name))
        made.rmdir()


@pytest.fixture
def authority():
    return Authority()


def run(sluice, pod):
    return sluice(command=["run", "-c", str(pod.config), "--log-format", "json"])


def client(authority, folder, name=CLIENT):
    made = ssl.create_default_context(cadata=authority.pem.decode())
    if name:
        made.load_cert_chain(*authority.issue(name, usage="client").write(folder, "shown"))
    return made


def refused(address, context):
    """Whether no request gets through; in TLS 1.3 a client learns of it only when it reads."""
    try:
        with connect(address, "localhost", context=context) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return one.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_only_those_with_an_accepted_certificate_reach_the_service(sluice, origin, authority, tmp_path):
    app = origin()
    proxy = run(sluice, Pod(tmp_path / "pod", authority, app.endpoint, "127.0.0.1:1"))
    address = proxy.address("inbound")
    with connect(address, "localhost", context=client(authority, tmp_path)) as one:
        assert b" 200 " in fetch(one)
        assert b" 403 " in fetch(one, b"GET /admin/x HTTP/1.1\r\nHost: x\r\n\r\n")
    [request] = app.requests
    assert f"URI={CLIENT}" in request.get("x-forwarded-client-cert")
    assert refused(address, client(authority, tmp_path, None))
    assert refused(address, client(authority, tmp_path, OTHER))
    assert len(app.requests) == 1
    assert get(proxy.address("health")).body == b"ok\n"


def test_two_sidecars_call_each_other_through_rotations_with_no_request_lost(sluice, origin, authority, tmp_path):
    """A service speaks plain HTTP to its own sidecar; that speaks mutual TLS to the other's, which speaks plain HTTP."""
    app = origin()
    callee = Pod(tmp_path / "callee", authority, app.endpoint, "127.0.0.1:1")
    behind = run(sluice, callee)
    host, port = behind.address("inbound")
    caller = Pod(tmp_path / "caller", authority, app.endpoint, f"{host}:{port}")
    front = run(sluice, caller)
    address = front.address("mathoid")

    with Load(address) as load:
        for _ in range(5):
            told = (behind.mark(), front.mark())
            callee.renew()
            caller.renew()
            behind.wait_log("certificate files read again", since=told[0], file=str(callee.file("server.crt")))
            front.wait_log("certificate files read again", since=told[1], file=str(caller.file("client.crt")))
            load.wait_for(40)
    load.check()
    with connect((host, port), "localhost", context=client(authority, tmp_path)) as one:
        seen = one.getpeercert(binary_form=True)
    assert seen == callee.server.certificate.public_bytes(Encoding.DER)


# MARK: What the service asks of others

PORTS = {"mathoid": 4001, "search": 9200, "storage": 8443}


class Secured:
    """An origin's script behind TLS. Keeps the names that clients ask for, and the certificates that they show."""

    def __init__(self, script, authority, folder, name):
        self.script, self.names, self.shown = script, [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*authority.issue(name).write(folder, name))
        self.context.load_verify_locations(cadata=authority.pem.decode())
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.sni_callback = lambda _, name, __: self.names.append(name)

    def __call__(self, peer):
        plain = peer.socket
        try:
            # A copy, so that whoever looks at the peer meanwhile finds a socket.
            peer.socket = self.context.wrap_socket(plain.dup(), server_side=True)
        except (ssl.SSLError, ConnectionError):
            return
        plain.close()
        self.shown.append(peer.socket.getpeercert())
        self.script(peer)


def serve(peer):
    while request := peer.read_request():
        peer.send(answer(request.target.encode()))


@pytest.fixture
def mesh(sluice, origin, authority, tmp_path):
    """`mesh(search=script, ...)` gives a sidecar whose outbound services are these, each under its own name."""
    servers = []

    def start(names=None, **scripts):
        app = origin()
        pod = Pod(tmp_path / "pod", authority, app.endpoint, "mathoid.internal:4001")
        made = {}
        for service, port in PORTS.items():
            name = (names or {}).get(service, f"{service}.internal")
            made[service] = Secured(scripts.get(service, serve), authority, tmp_path, name)
            made[service].origin = origin(made[service])
            pod.lead(service, port, made[service].origin)
        server = NameServer({f"{service}.internal": ["127.0.0.1"] for service in PORTS})
        servers.append(server)
        pod.config.write_text(pod.config.read_text() + f"dns: {{ servers: [ {server.address} ] }}\n")
        return run(sluice, pod), made

    yield start
    for server in servers:
        server.stop()


def test_each_service_is_asked_by_its_name_over_tls(mesh):
    proxy, services = mesh()
    for service in PORTS:
        response = get(proxy.address(service), f"/{service}", host="localhost")
        assert (response.status, response.body) == (200, f"/{service}".encode())
    for service, one in services.items():
        assert one.names == [f"{service}.internal"]
        [request] = one.origin.requests
        # What would tell others where in the pod it comes from.
        assert request.get("x-forwarded-for") is None
    assert ("URI", CLIENT) in services["mathoid"].shown[0]["subjectAltName"]
    assert not services["search"].shown[0] and not services["storage"].shown[0], "they do not ask for it"


@pytest.mark.parametrize("service", PORTS)
def test_a_service_with_another_name_is_not_spoken_to(mesh, service):
    proxy, services = mesh(names={service: "elsewhere.internal"})
    assert get(proxy.address(service)).status == 503
    assert not services[service].origin.requests
    others = [other for other in PORTS if other != service]
    assert [get(proxy.address(other)).status for other in others] == [200, 200]


def failing(times, status="503 Service Unavailable"):
    """Fails so many requests, whoever asks."""
    left = iter(range(times))

    def script(peer):
        while peer.read_request():
            peer.send(answer(status=status) if next(left, None) is not None else answer())
    return script


@pytest.mark.parametrize("service, status", [("mathoid", 200), ("search", 200), ("storage", 503)])
def test_who_is_asked_again_when_a_gateway_fails(mesh, service, status):
    """Storage is asked again only where no connection could be made."""
    proxy, services = mesh(**{service: failing(2)})
    response = get(proxy.address(service))
    assert response.status == status
    assert len(services[service].origin.requests) == (3 if status == 200 else 1), response.body


@pytest.mark.parametrize("service, tries", [("mathoid", 3), ("search", 3), ("storage", 2)])
def test_a_service_that_is_not_there_is_tried_as_often_as_it_may_be(mesh, service, tries):
    proxy, services = mesh()
    services[service].origin.stop()
    assert get(proxy.address(service)).status == 503
    proxy.wait_stdout(r'"response_flags":"[^"]*URX')
    connects = f"cluster.{service}.upstream_cx_connect_fail"
    assert f"{connects}: {tries}\n" in get(proxy.address("admin"), "/stats", host="localhost").body.decode()


class Gate:
    """Holds what comes until it is opened."""

    def __init__(self):
        self.open = threading.Event()

    def __call__(self, peer):
        while peer.read_request():
            assert self.open.wait(20)
            peer.send(answer())


def test_what_is_too_much_for_storage_waits_in_line_and_not_for_ever(mesh):
    """20 at once; the next ones wait for half a second, and have 503 after that."""
    gate = Gate()
    proxy, services = mesh(storage=gate)
    running = [Client(proxy.address("storage")) for _ in range(20)]
    for one in running:
        one.send(encode())
    services["storage"].origin.wait_for(lambda o: len([peer for peer in o.peers if peer.parsed]) == 20)
    late = get(proxy.address("storage"))
    assert late.status == 503
    with Client(proxy.address("storage")) as waiting:
        waiting.send(encode())
        gate.open.set()
        for one in [*running, waiting]:
            assert one.read_response().status == 200
    for one in running:
        one.close()
    assert services["storage"].origin.most_open <= 20


@pytest.mark.parametrize("service", ["mathoid", "search"])
def test_a_breaker_opens_for_a_service_that_only_fails(mesh, service):
    proxy, services = mesh(**{service: failing(10**6, "500 Internal Server Error")})
    address = proxy.address(service)
    for _ in range(500):
        response = get(address)
        if response.status == 503:
            break
    asked = len(services[service].origin.requests)
    assert response.status == 503 and proxy.wait_log("^circuit breaker opened")
    assert get(address).status == 503 and len(services[service].origin.requests) == asked
    assert all(get(proxy.address(other)).status == 200 for other in PORTS if other != service)
