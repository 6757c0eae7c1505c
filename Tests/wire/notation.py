"""The notation of the banks: macros, repeats and escapes, expanded to bytes by `expand`.

    <H> <G> <P> <C> <S> <O> <L>   macros, see MACROS
    {text*n}                      text n times; may be nested; %d inside is the index, from 0
    \\r \\n \\t \\xNN                 escapes
    <|>                           a boundary: the sender makes a new write here (see `expand_writes`)
"""
import re

MACROS = {
    "<H>": r"Host: a\r\n",
    "<G>": r"GET / HTTP/1.1\r\nHost: a\r\n",
    "<P>": r"POST / HTTP/1.1\r\nHost: a\r\n",
    "<C>": r"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "<S>": r"GET /smug HTTP/1.1\r\nHost: a\r\n\r\n",
    "<O>": r"HTTP/1.1 200 OK\r\n",
    "<L>": r"Content-Length: 2\r\n\r\nok",
}
_REPEAT = re.compile(r"\{([^{}]*)\*(\d+)\}")
_ESCAPE = re.compile(r"\\(r|n|t|x[0-9a-fA-F]{2})")
_PLAIN = {"r": "\r", "n": "\n", "t": "\t"}


def _repeat(match):
    text, count = match.group(1), int(match.group(2))
    return "".join(text.replace("%d", str(index)) for index in range(count))


def expand(text):
    """The bytes that `text` stands for."""
    for macro, meaning in MACROS.items():
        text = text.replace(macro, meaning)
    previous = None
    while previous != text:
        previous, text = text, _REPEAT.sub(_repeat, text)
    text = _ESCAPE.sub(lambda m: _PLAIN.get(m[1]) or chr(int(m[1][1:], 16)), text)
    return text.encode("latin-1")


def expand_writes(text):
    """The bytes of each write, where the text says `<|>` between them."""
    return [expand(part) for part in text.split("<|>")]
