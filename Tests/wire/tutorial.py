"""Reads docs/tutorial.md as a person does who follows it: what to type, what to write into which file, what is then seen.

Only the first word after a fence is for the eye; the second says what a block is:

- ```sh: lines that begin with `$ ` are typed, and what stands below each is what it prints.
- ```sh terminal: the same in a terminal of its own, which goes on; lines are waited for.
- ```text terminal: what comes there next.
- ```LANGUAGE file=PATH: the file is this from now on. ```diff file=PATH: pieces of the file become others.

In what is shown `…` stands for anything: as a line for any number of lines, in a line for a part of it. Numbers with a unit
of time are those of one machine.
"""
import re
from typing import NamedTuple

_FENCE = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.M | re.S)
_MEASURED = re.compile(r"-?\d+(?:\.\d+)?(?= (?:ns|s|ms|seconds)\b| rounds| to |\))")


class Block(NamedTuple):
    line: int
    kind: str          # sh, terminal, more, file, diff
    what: str          # the path of a file
    text: str


class Typed(NamedTuple):
    command: str
    shown: str


def blocks(page):
    """All blocks of a page, in order. One that is of no known kind is a mistake of the page's."""
    text = page.read_text()
    for match in _FENCE.finditer(text):
        language, word, body = match[1], match[2] or "", match[3]
        line = text.count("\n", 0, match.start()) + 1
        if word.startswith("file="):
            yield Block(line, "diff" if language == "diff" else "file", word.removeprefix("file="), body)
        else:
            kinds = {("sh", ""): "sh", ("sh", "terminal"): "terminal", ("text", "terminal"): "more"}
            yield Block(line, kinds[language, word], "", body)


def typed(block):
    """The commands of a block, each with what is shown after it."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.M)
    assert parts[0] == "", f"line {block.line}: text before the first command"
    return [Typed(command, shown) for command, shown in zip(parts[1::2], parts[2::2])]


def pattern(shown):
    """A regular expression for what is shown."""
    if shown.split("\n")[0] == "…" and shown.count("\n") == 1:
        return re.compile(r"(?s).*")
    made = "".join(r"(?:.*\n)*?" if line == "…\n" else line_pattern(line[:-1]) + r"\n"
                   for line in shown.splitlines(keepends=True))
    return re.compile(made)


def line_pattern(line):
    """The same for one line."""
    parts = [_MEASURED.split(part) for part in line.split("…")]
    return r".*?".join(r"-?\d+(?:\.\d+)?".join(map(re.escape, part)) for part in parts)


def changed(text, block):
    """A file after the pieces of a diff: what begins with `-` or a space is there once, what begins with `+` comes."""
    for piece in re.split(r"^@@.*\n", block.text, flags=re.M):
        lines = [line if line.strip() else " \n" for line in piece.splitlines(keepends=True)]
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert {line[0] for line in lines} <= set(" -+") and old != new, f"line {block.line}: no piece of a diff"
        assert text.count(old) == 1, f"line {block.line}: this is there {text.count(old)} times:\n{old}\nin:\n{text}"
        text = text.replace(old, new)
    return text
