"""Pairs of certificate and key that change while the proxy runs (T39)."""
import datetime
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading

import pytest
from cryptography.x509 import ocsp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import NOW, authority, server
from flow import wait_until
from test_tls import config, connect, ends, fetch, files, settings  # noqa: F401

TAKEN, REFUSED = "certificate files read again", "new certificate files refused"


def fresh(**how):
    return authority().issue("localhost", "127.0.0.1", "a.test", **how)


def der(pair):
    return pair.certificate.public_bytes(Encoding.DER)


def replace(path, data):
    """Puts a file in place as a whole."""
    path.with_suffix(".new").write_bytes(data)
    os.replace(path.with_suffix(".new"), path)


def shown(address):
    """The certificate that a new connection gets."""
    with connect(address) as client:
        fetch(client)
        return client.getpeercert(binary_form=True)


# MARK: Ways to put a pair in place

def in_place(folder, pair):
    pair.write(folder, "server")


def renamed(folder, pair):
    pair.write(folder, "fresh")
    for end in ("crt", "key"):
        os.replace(folder / f"fresh.{end}", folder / f"server.{end}")


def relinked(folder, pair):
    """Each name is a link that is turned to another file, as some clients of ACME do."""
    number = len(list(folder.glob("archive/*.crt")))
    (folder / "archive").mkdir(exist_ok=True)
    pair.write(folder / "archive", f"server{number}")
    for end in ("crt", "key"):
        (folder / "link").symlink_to(f"archive/server{number}.{end}")
        os.replace(folder / "link", folder / f"server.{end}")


def swapped(folder, pair):
    """A link to the folder of both files is turned, as Kubernetes does with mounted secrets; the old folder goes."""
    data = folder / "..data"
    old = os.readlink(data) if data.is_symlink() else None
    made = folder / f"..2024_01_01_{pair.certificate.serial_number}"
    made.mkdir()
    pair.write(made, "server")
    (folder / "..data_tmp").symlink_to(made.name)
    os.replace(folder / "..data_tmp", data)
    for end in ("crt", "key"):
        name = folder / f"server.{end}"
        if not name.is_symlink() or not os.readlink(name).startswith("..data"):
            (folder / "link").symlink_to(f"..data/server.{end}")
            os.replace(folder / "link", name)
    if old:
        shutil.rmtree(folder / old)


WAYS = [in_place, renamed, relinked, swapped]


@pytest.mark.parametrize("put", WAYS)
def test_new_connections_get_the_new_pair_and_old_ones_go_on_with_theirs(sluice, origin, files, put):
    first, second, third = server(), fresh(), fresh(kind="rsa")
    put(files, first)
    proxy = sluice({**config(settings(files), origin().endpoint), "workers": 2})
    with connect(proxy.address()) as old:
        fetch(old)
        for pair in (second, third):
            since = proxy.mark()
            put(files, pair)
            line = proxy.wait_log(TAKEN, since=since)
            assert line["file"] == str(files / "server.crt") and "a.test" in line["names"]
            assert {shown(proxy.address()) for _ in range(4)} == {der(pair)}
            assert fetch(old).startswith(b"HTTP/1.1 200 ")
            assert old.getpeercert(binary_form=True) == der(first)


def test_every_place_that_names_the_files_gets_the_new_pair(sluice, origin, files):
    one = origin()
    text = config(settings(files), one.endpoint)
    chain = text["listeners"]["inbound"]["chain"]
    text["listeners"]["second"] = {"bind": "127.0.0.1:0", "chain": [{"tls": settings(files, alpn=[])}, *chain[1:]]}
    proxy = sluice(text)
    places = ["inbound", "second"]
    for round in range(2):
        pair = fresh()
        renamed(files, pair)
        wait_until(lambda: sum(entry["message"] == TAKEN for entry in proxy.log) >= 2 * (round + 1))
        assert {shown(proxy.address(place)) for place in places} == {der(pair)}
        # A listener that comes later begins with what there is, and goes on with the others.
        text["listeners"]["third"] = {"bind": "127.0.0.1:0", "chain": [{"tls": settings(files)}, *chain[1:]]}
        proxy.reload(text)
        places = ["inbound", "second", "third"]
        assert shown(proxy.address("third")) == der(pair)


# MARK: What cannot be used

def overwritten(end, data):
    return lambda folder: (folder / f"server.{end}").write_bytes(data() if callable(data) else data)


def removed(end):
    return lambda folder: (folder / f"server.{end}").unlink()


def made_a_folder(end):
    def body(folder):
        removed(end)(folder)
        (folder / f"server.{end}").mkdir()
    return body


BROKEN = b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"
BAD = {
    "half a certificate": (overwritten("crt", lambda: fresh().crt[:300]), "has a certificate that cannot be read"),
    "half a key": (overwritten("key", lambda: fresh().pem_key()[:100]), "has a private key that cannot be read"),
    "key of another": (overwritten("key", lambda: fresh().pem_key()), "is not the key of the certificate"),
    "certificate of another": (overwritten("crt", lambda: fresh().crt), "is not the key of the certificate"),
    "empty certificate": (overwritten("crt", b""), "is empty"),
    "empty key": (overwritten("key", b""), "is empty"),
    "no certificate": (removed("crt"), "cannot be read: No such file"),
    "no key": (removed("key"), "cannot be read: No such file"),
    "folder": (made_a_folder("crt"), "is not a file"),
    "folder as key": (made_a_folder("key"), "is not a file"),
    "expired": (lambda folder: fresh(days=-1, start=-3).write(folder, "server"), "has expired"),
    "DER": (overwritten("crt", lambda: der(fresh())), "is not PEM, it looks like DER"),
    "encrypted key": (lambda folder: fresh().write(folder, "server", passphrase=b"words"), "is encrypted"),
    "broken chain": (overwritten("crt", lambda: server().crt + BROKEN), "has a certificate that cannot be read"),
    "only words": (overwritten("crt", b"to be done\n"), "has no certificate"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_told_of_and_the_old_pair_stays(ends, files, case):
    spoil, message = BAD[case]
    proxy = ends()
    since = proxy.mark()
    spoil(files)
    line = proxy.wait_log(REFUSED, since=since, level="error")
    assert message in line["error"] and str(files / "server.") in line["error"]
    assert line["setting"] in ("certificate", "key")
    assert shown(proxy.address()) == der(server())

    pair, since = fresh(), proxy.mark()
    for end in ("crt", "key"):
        if (files / f"server.{end}").is_dir():
            (files / f"server.{end}").rmdir()
    in_place(files, pair)
    proxy.wait_log(TAKEN, since=since)
    assert shown(proxy.address()) == der(pair)


@pytest.mark.parametrize("order", [("crt", "key"), ("key", "crt")])
def test_one_file_long_before_the_other_ends_with_the_new_pair(ends, files, order):
    proxy, pair = ends(), fresh()
    parts = {"crt": pair.crt, "key": pair.pem_key()}
    since = proxy.mark()
    (files / f"server.{order[0]}").write_bytes(parts[order[0]])
    proxy.wait_log(REFUSED, since=since)
    assert shown(proxy.address()) == der(server())
    (files / f"server.{order[1]}").write_bytes(parts[order[1]])
    proxy.wait_log(TAKEN, since=since)
    assert shown(proxy.address()) == der(pair)


def test_an_expired_pair_may_take_the_place_of_one_that_expired_earlier(sluice, origin, files):
    """Whoever runs with an expired certificate is not kept from the better one."""
    fresh(days=-2, start=-5).write(files, "server")
    proxy = sluice(config(settings(files), origin().endpoint))
    proxy.wait_log("a certificate in use has expired", level="error")
    since, better = proxy.mark(), fresh(days=-1, start=-5)
    in_place(files, better)
    proxy.wait_log(TAKEN, since=since)


# MARK: Under load

class Load:
    """Clients that make new connections, and clients that keep theirs, until they are told to stop.

    `may_close`: whether the proxy may end a connection that has had its answer, as it does when its chain changes.
    """

    def __init__(self, address, count, may_close=False):
        self.address, self.failures, self.done = address, [], [0] * count
        self.may_close = may_close
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]

    def _run(self, number):
        requests = 1 if number % 2 else 1 << 30
        while not self.ended.is_set():
            try:
                with connect(self.address) as client:
                    for _ in range(requests):
                        if self.ended.is_set():
                            break
                        answer = fetch(client)
                        if not answer and self.may_close and requests > 1:
                            break
                        assert answer.startswith(b"HTTP/1.1 200 "), answer
                        self.done[number] += 1
            except (ConnectionError, ssl.SSLEOFError) as error:
                if self.may_close and requests > 1:
                    continue
                self.failures.append(error)
                return
            except Exception as error:
                self.failures.append(error)
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(20)

    def more(self):
        """Waits until every client has done something more."""
        before = list(self.done)
        wait_until(lambda: self.failures or all(now > then for now, then in zip(self.done, before)), 20)


def test_no_request_fails_while_pairs_change_all_the_time(sluice, origin, files):
    proxy = sluice({**config(settings(files), origin().endpoint), "workers": 2})
    with Load(proxy.address(), 8) as load:
        for number in range(15):
            pair = fresh()
            WAYS[number % len(WAYS)](files, pair)
            load.ended.wait(0.2)
        load.more()
    assert not load.failures and all(load.done)
    wait_until(lambda: shown(proxy.address()) == der(pair))
    assert sum(entry["message"] == TAKEN for entry in proxy.log) >= 3


@pytest.mark.parametrize("changes", [False, True], ids=["the same config", "another chain"])
def test_a_reload_and_a_new_pair_at_once(sluice, origin, files, changes):
    text = {**config(settings(files), origin().endpoint), "workers": 2}
    proxy = sluice(text)
    chain = text["listeners"]["inbound"]["chain"]
    with Load(proxy.address(), 4, may_close=changes) as load:
        for number in range(6):
            pair = fresh()
            chain[2:-1] = ["count"] * (changes and number % 2 == 0)
            renamed(files, pair)
            proxy.reload(text)
            wait_until(lambda: shown(proxy.address()) == der(pair))
            load.more()
    assert not load.failures


def test_a_reload_looks_at_the_files_at_once_and_keeps_what_is_good(ends, files):
    proxy = ends()
    (files / "server.key").write_bytes(b"")
    since = proxy.mark()
    proxy.signal(signal.SIGHUP)
    proxy.wait_log(REFUSED, since=since)
    assert shown(proxy.address()) == der(server())


# MARK: Staples and secrets

def staple(pair, hours):
    """A response of OCSP that was made some hours ago."""
    this = NOW.replace(microsecond=0) - datetime.timedelta(hours=hours)
    issuer = authority()
    return (ocsp.OCSPResponseBuilder()
            .add_response(pair.certificate, issuer.certificate, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, this,
                          this + datetime.timedelta(days=2), None, None)
            .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
            .sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)), this


def stapled(address):
    """When the response was made that a client is given which asks for one; nil where there is none."""
    host, port = address
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "a.test", "-status"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert "CONNECTED" in done.stdout, done.stderr
    found = re.search(r"This Update: (.+) GMT", done.stdout)
    return found and datetime.datetime.strptime(found[1], "%b %d %H:%M:%S %Y").replace(tzinfo=datetime.timezone.utc)


def test_a_staple_is_sent_to_those_who_ask_and_changes_with_its_file(ends, files):
    first, made_first = staple(server(), 5)
    second, made_second = staple(server(), 2)
    path = files / "staple"
    path.write_bytes(first)
    proxy = ends(ocsp_staple=str(path))
    assert stapled(proxy.address()) == made_first
    since = proxy.mark()
    replace(path, second)
    proxy.wait_log(TAKEN, since=since)
    assert stapled(proxy.address()) == made_second
    path.write_bytes(b"nothing of the kind")
    line = proxy.wait_log(REFUSED, since=since, setting="ocsp_staple")
    assert "is not an OCSP response" in line["error"]
    assert stapled(proxy.address()) == made_second


def test_no_staple_unless_there_is_one(ends):
    assert stapled(ends().address()) is None


def test_secrets_are_written_only_where_that_is_asked_for(sluice, origin, files):
    one = origin()
    elsewhere = files / "unasked"
    quiet = sluice(config(settings(files), one.endpoint), env={"SSLKEYLOGFILE": str(elsewhere)})
    assert shown(quiet.address())
    assert not elsewhere.exists()

    proxy = sluice(config(settings(files, key_log="secrets"), one.endpoint), started_in="/")
    assert "secrets" in proxy.wait_log("^INSECURE: the secrets")["path"]
    assert shown(proxy.address())
    path = proxy.path / "secrets"
    assert path.stat().st_mode & 0o777 == 0o600
    lines = path.read_text().splitlines()
    assert {line.split()[0] for line in lines} >= {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
    assert all(re.fullmatch(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}", line) for line in lines)
