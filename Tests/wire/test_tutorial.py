"""docs/tutorial.md from top to bottom, in an empty folder: what it says to type is typed, what it shows is seen."""
import os
import pathlib
import re
import signal
import subprocess

import pytest

from builds import sluice_of
from sluice import REPOSITORY, Lines
from tutorial import blocks, changed, line_pattern, pattern, typed

PAGE = REPOSITORY / "docs/tutorial.md"
# Which listener has a port of the page.
LISTENERS = {"8080": "main", "8000": "main", "9901": "admin"}


class Reader:
    """Somebody who follows the page, with a terminal to type in and another one for what goes on running.

    Ports of the page may be taken on this machine, so others are used in commands and files: `places` has what is written in
    their stead, and `ports` what was listened at.
    """

    def __init__(self, program, folder, refused):
        self.folder, self.ports = folder, {}
        self.places = {"127.0.0.1:8000": "127.0.0.1:0", "127.0.0.1:3000": refused}
        self.environment = {**os.environ, "PATH": f"{pathlib.Path(program).parent}:{os.environ['PATH']}"}
        self.environment.pop("SLUICE_SDK", None)
        self.terminal = self.lines = None
        self.seen = 0

    def do(self, block):
        """What the page says in one block; what is seen must be what it shows."""
        if block.kind == "sh":
            for one in typed(block):
                self.type(one, block.line)
        elif block.kind == "terminal":
            [one] = typed(block)
            self.open(one.command)
            self.wait(one.shown, block.line)
        elif block.kind == "more":
            self.wait(block.text, block.line)
        else:
            self.save(block)

    def type(self, one, line):
        command = one.command
        for shown, real in self.ports.items():
            command = command.replace(f":{shown}/", f":{real}/")
        # The shell says where it is at the end, so that `cd` holds for the next command.
        done = subprocess.run(["bash", "-c", f"{command}\necho; pwd"], cwd=self.folder, env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        said, _, folder = done.stdout.rstrip("\n").rpartition("\n")
        self.folder = pathlib.Path(folder)
        said = said.replace("\r\n", "\n")
        assert pattern(one.shown).fullmatch(said), f"line {line}: `{command}` says\n{said}\nand not\n{one.shown}"

    def open(self, command):
        """Begins a command in the other terminal; what ran there has ended before."""
        self.interrupt()
        self.terminal = subprocess.Popen(["setpriv", "--pdeathsig", "INT", "--", *command.split()], cwd=self.folder,
                                         env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True, errors="replace")
        self.lines, self.seen = Lines(self.terminal.stdout), 0

    def wait(self, shown, line):
        """Waits for lines in the other terminal, in their order, none of which was seen before."""
        for wanted in shown.splitlines():
            if wanted in ("", "…"):
                continue
            text = re.escape("8080").join(map(line_pattern, wanted.split("8080"))).replace("8080", r"\d+")
            found = self.lines.wait(lambda each: re.fullmatch(text, each), 200, self.seen)
            assert found is not None, f"line {line}: no line\n{wanted}\nin\n" + "\n".join(self.lines.lines)
            self.seen = self.lines.lines.index(found, self.seen) + 1
        bound = dict(re.findall(r"listening .*?listener=(\S+) .*?address=127\.0\.0\.1:(\d+)", "\n".join(self.lines.lines)))
        self.ports = {port: bound[listener] for port, listener in LISTENERS.items() if listener in bound}

    def save(self, block):
        file = self.folder / block.what
        file.parent.mkdir(exist_ok=True, parents=True)
        # As an editor does it, so that no half of a file is ever built.
        fresh = file.with_name(file.name + "~")
        text = changed(file.read_text(), block) if block.kind == "diff" else block.text
        for shown, real in self.places.items():
            text = text.replace(shown, real)
        fresh.write_text(text)
        fresh.rename(file)

    def interrupt(self):
        """Ctrl-C in the other terminal."""
        if self.terminal is None:
            return
        self.terminal.send_signal(signal.SIGINT)
        try:
            assert self.terminal.wait(30) == 0, "\n".join(self.lines.lines)
        finally:
            self.terminal.kill()
            self.terminal = None


@pytest.fixture
def reader(tmp_path, refused):
    one = Reader(sluice_of("release"), tmp_path, refused)
    yield one
    one.interrupt()


def test_the_tutorial_leads_from_nothing_to_a_filter_that_serves(reader):
    for block in blocks(PAGE):
        print(f"line {block.line}: {block.kind} {block.what}", flush=True)
        reader.do(block)
