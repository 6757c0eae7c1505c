"""A DNS server that a test scripts, on a UDP port of 127.0.0.1 that the kernel picks."""
import ipaddress
import socket
import struct
import threading

A, AAAA = 1, 28


class NameServer:
    """Answers from `names`: a name has a list of addresses, or "silence", or "broken"; others do not exist."""

    def __init__(self, names=None, ttl=0):
        self.names, self.ttl = dict(names or {}), ttl
        self.queries = []
        self._change = threading.Condition()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def config(self):
        """The top-level setting that makes a proxy ask this server."""
        return {"dns": {"servers": [self.address]}}

    def stop(self):
        """Closes the port; a query then is refused by the kernel."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self._thread.join(5)

    def wait_for(self, condition, seconds=10.0, what="the name server was not asked"):
        """Waits until `condition(self)` holds; it is looked at after every query."""
        with self._change:
            assert self._change.wait_for(lambda: condition(self), seconds), what

    def asked(self, name):
        """How often a name was asked for, by any type."""
        return sum(query == name for query, _ in self.queries)

    def wait_asked_again(self, name, times=2, seconds=15.0):
        """Waits until the name is asked for some more times: then the proxy has taken in what was there before."""
        enough = self.asked(name) + times
        self.wait_for(lambda s: s.asked(name) >= enough, seconds)

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            if len(query) < 17:
                if not query:
                    return
                continue
            name, kind, question = self._question(query)
            reply = self._answer(query, name, kind, question)
            if reply:
                try:
                    self.socket.sendto(reply, peer)
                except OSError:
                    return
            with self._change:
                self.queries.append((name, kind))
                self._change.notify_all()

    @staticmethod
    def _question(query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        return ".".join(labels).lower(), struct.unpack_from("!H", query, at + 1)[0], query[12:at + 5]

    def _answer(self, query, name, kind, question):
        known = self.names.get(name)
        if known == "silence":
            return None
        code = 3 if known is None else 2 if known == "broken" else 0
        addresses = [ipaddress.ip_address(a) for a in known] if code == 0 else []
        fitting = [a for a in addresses if kind == (A if a.version == 4 else AAAA)]
        records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, self.ttl, len(a.packed)) + a.packed for a in fitting)
        return query[:2] + struct.pack("!BBHHHH", 0x81, 0x80 | code, 1, len(fitting), 0, 0) + question + records
