"""Origins that know how many requests they have at once."""
import threading

from origin import OK


class Crowd:
    """A script that holds every request until it is let through, and tells how many were there at once."""

    def __init__(self, response=OK):
        self.response = response
        self.now = self.most = self.seen = 0
        self._open = False
        self._change = threading.Condition()

    def script(self, peer):
        while peer.read_request():
            with self._change:
                self.now += 1
                self.seen += 1
                self.most = max(self.most, self.now)
                self._change.notify_all()
                assert self._change.wait_for(lambda: self._open, 20)
                self.now -= 1
            if not peer.send(self.response):
                return

    def wait_for(self, count):
        with self._change:
            assert self._change.wait_for(lambda: self.now >= count, 5), f"only {self.now} requests came"

    def open(self):
        with self._change:
            self._open = True
            self._change.notify_all()
