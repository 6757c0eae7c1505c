"""Clients that ask without a pause while a test changes things; none of them may be lost."""
import threading

from client import get
from flow import wait_until


class Load:
    """`with Load(address) as load:` asks from several threads, each request on a connection of its own."""

    def __init__(self, address, threads=4):
        self.address, self.failures = address, []
        self._counts = [0] * threads
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def _run(self, number):
        while not self._stop.is_set():
            response = get(self.address, f"/{number}")
            if response.status != 200:
                self.failures.append(response)
            self._counts[number] += 1

    @property
    def done(self):
        """How many requests have been answered."""
        return sum(self._counts)

    def wait_for(self, count):
        """Waits until so many more requests have been answered."""
        before = self.done
        wait_until(lambda: self.done > before + count, what="requests do not go on")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def check(self):
        """All threads were served, and no request failed."""
        assert not self.failures and all(self._counts)
