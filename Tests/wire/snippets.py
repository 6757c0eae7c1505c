"""The config files in the manuals, whole or in parts, and the files in examples/.

A fenced block that begins with ```yaml is a whole file. A second word says which part of one it is, and is filled up
here: ```yaml top, listeners, listener, chain, routes or cluster. A block in another language is not looked at, nor one
that is a file of the tutorial, which has a test of its own.
"""
import re
import textwrap

from sluice import REPOSITORY

_FENCE = re.compile(r"^( *)```yaml(?! *file=) *(\w*)[^\n]*\n(.*?)^\1```", re.M | re.S)
_CLUSTERS = ("app", "api", "api-next", "web", "search")


def _clusters(*without):
    lines = [f"  {name}: {{ endpoints: [ 127.0.0.1:{9000 + i} ] }}" for i, name in enumerate(_CLUSTERS)
             if name not in without]
    return "clusters:\n" + "\n".join(lines) + "\n"


def _listeners(chain="[ http, router: { to: app } ]"):
    return f"listeners:\n  main:\n    bind: 127.0.0.1:0\n    chain: {chain}\n"


def _indented(text, number):
    return textwrap.indent(text, " " * number)


_WRAPPERS = {
    "": lambda text: text,
    "top": lambda text: text + _listeners() + _clusters(),
    "listeners": lambda text: text + _clusters(),
    "listener": lambda text: "listeners:\n  main:\n" + _indented(text, 4) + _clusters(),
    "chain": lambda text: _listeners("\n" + _indented(text, 6)) + _clusters(),
    "routes": lambda text: _listeners("\n      - http\n      - count\n      - router:\n          routes:\n"
                                      + _indented(text, 12)) + _clusters(),
    "cluster": lambda text: _listeners() + _clusters("app") + "  app:\n" + _indented(text, 4),
}


def manuals():
    """README and everything below docs and plugins that people read."""
    folders = [path for folder in ("docs", "plugins", "bench", "Sources/FilterAPI/FilterAPI.docc")
               for path in (REPOSITORY / folder).rglob("*.md") if not {".build", ".venv"} & {*path.parts}]
    return [*sorted(REPOSITORY.glob("*.md")), *sorted(folders)]


def snippets():
    """(name, text of a whole config file) of every block of YAML in the manuals."""
    for manual in manuals():
        # Those of plugins name a plugin, which is built by tests of their own.
        parts = manual.relative_to(REPOSITORY).parts
        if parts[0] == "plugins" and "hello" not in parts:
            continue
        for name, body in snippets_of(manual):
            # The plugin has tests of its own.
            yield name, re.sub(r"^plugins:.*\n", "", re.sub(r"^ *- hello:?.*\n", "", body, flags=re.M), flags=re.M)


def snippets_of(manual):
    """The same of one manual, with what they say of plugins."""
    text = manual.read_text()
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        name = f"{manual.relative_to(REPOSITORY)}:{line}"
        assert match[2] in _WRAPPERS, f"{name}: a block of YAML is one of {sorted(_WRAPPERS)}, not {match[2]}"
        yield name, _WRAPPERS[match[2]](textwrap.dedent(match[3]))


def examples():
    """The files in examples/."""
    return sorted((REPOSITORY / "examples").glob("*.yaml"))


def anchors(manual):
    """What a link to a part of a manual may name, as code hosts make it of a heading."""
    prose = re.sub(r"^ *```.*?^ *```", "", manual.read_text(), flags=re.M | re.S)
    titles = re.findall(r"^#+ +(.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links():
    """(manual, target, anchor) of every link to a file of this repository, or to a part of one."""
    for manual in manuals():
        prose = re.sub(r"^ *```.*?^ *```", "", manual.read_text(), flags=re.M | re.S)
        for match in re.finditer(r"\]\(([^)\s]+)\)", prose):
            target, _, anchor = match[1].partition("#")
            if "://" not in target and not target.startswith(("mailto:", "doc:")):
                yield manual, target, anchor


def swift_files():
    """(name, text) of every block of Swift in the manuals that is a whole file: it begins with an import."""
    for manual in manuals():
        text = manual.read_text()
        for match in re.finditer(r"^```swift\n((?:public )?import .*?)^```", text, re.M | re.S):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{manual.relative_to(REPOSITORY)}:{line}", match[1]
