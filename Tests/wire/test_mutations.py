"""One mistake in a good file: the message points at the line of the mistake."""
import concurrent.futures
import json
import os
import re

import pytest
import yaml

from sluice import run_cli
from snippets import examples

# Below these the operator makes up the keys, or they are text of the protocol: a letter less is no mistake.
FREE = re.compile(r"(^|\.)(listeners|clusters|split|headers|query|set|add)$")


class Mutation:
    """A file with one mistake, and the lines that a message about it may point at."""

    def __init__(self, kind, path, text, lines):
        self.kind, self.path, self.text, self.lines = kind, path, text, lines

    def __repr__(self):
        return f"{self.kind} {self.path}"


def mutations(text):
    """All files that differ from `text` in one key: left out, misspelt, or with a value of the wrong kind."""
    def visit(node, path, key_line):
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                yield from visit(item, f"{path}[{index}]", item.start_mark.line)
        if not isinstance(node, yaml.MappingNode):
            return
        for index, (key, value) in enumerate(node.value):
            here = f"{path}.{key.value}".lstrip(".")
            yield drop(node, index, here, key_line)
            if not FREE.search(path):
                yield misspell(key, here)
            yield retype(key, value, here)
            yield from visit(value, here, key.start_mark.line)

    def replaced(start, end, new):
        return text[:start] + new + text[end:]

    def misspell(key, path):
        word = key.value[:2] + key.value[3:] if len(key.value) > 3 else "z" + key.value
        new = replaced(key.start_mark.index, key.end_mark.index, word)
        return Mutation("misspell", path, new, {key.start_mark.line})

    def retype(key, value, path):
        new = ": [wrong, kind]" if isinstance(value, yaml.MappingNode) else ": { wrong: kind }"
        end = block_end(value)
        return Mutation("retype", path, replaced(key.end_mark.index, end, new), {key.start_mark.line})

    def block_end(value):
        """Where a value ends. PyYAML ends a block behind the blank lines and comments that follow it."""
        start, end = value.start_mark.index, value.end_mark.index
        if isinstance(value, yaml.ScalarNode) or value.flow_style:
            return end
        lines = text[start:end].split("\n")
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        return start + len("\n".join(lines))

    def drop(node, index, path, parent):
        key, value = node.value[index]
        if index + 1 < len(node.value):
            new = replaced(key.start_mark.index, node.value[index + 1][0].start_mark.index, "")
        elif index > 0:
            new = replaced(block_end(node.value[index - 1][1]), block_end(value), "")
        else:
            new = replaced(key.start_mark.index, block_end(value), "" if node.flow_style else "{}")
        return Mutation("drop", path, new, {parent, node.start_mark.line})

    yield from visit(yaml.compose(text), "", 0)


def findings(text, file):
    file.write_text(text)
    done = run_cli("check", "--format", "json", str(file))
    return [entry for entry in json.loads(done.stdout) if entry["severity"] == "error"]


def is_at(mutation, finding):
    """Lines are counted from 1 there and from 0 here."""
    return finding["line"] - 1 in mutation.lines


def uses_of(text, path):
    """The lines on which the name of a cluster stands that was left out or is not one any more."""
    name = re.fullmatch(r"clusters\.([\w-]+)", path)
    if not name:
        return set()
    return {i for i, line in enumerate(text.split("\n")) if re.search(rf"\b{re.escape(name[1])}\b", line)}


def test_messages_point_at_the_line_that_was_changed(certificates, tmp_path):
    jobs = []
    for example in examples():
        good = example.read_text()
        for mutation in mutations(good):
            mutation.lines |= uses_of(mutation.text, mutation.path)
            jobs.append((example.name, mutation, tmp_path / f"{len(jobs)}.yaml"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: findings(job[1].text, job[2]), jobs))
    silent = [f"{name}: {mutation}" for (name, mutation, _), found in zip(jobs, results)
              if not found and mutation.kind != "drop"]
    spoken = [(name, mutation, found[0]) for (name, mutation, _), found in zip(jobs, results) if found]
    misses = [f"{name}: {mutation}: line {first['line']}, not {sorted(line + 1 for line in mutation.lines)}: "
              f"{first['message']}" for name, mutation, first in spoken if not is_at(mutation, first)]
    assert not silent, "these mistakes are not seen:\n" + "\n".join(silent)
    assert len(spoken) >= 200
    assert len(misses) * 20 <= len(spoken), f"{len(misses)} of {len(spoken)}:\n" + "\n".join(misses)


@pytest.mark.parametrize("example", examples(), ids=lambda file: file.name)
def test_the_mutator_leaves_good_yaml(example):
    for mutation in mutations(example.read_text()):
        yaml.safe_load(mutation.text)
        assert mutation.text != example.read_text()
