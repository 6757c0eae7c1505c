"""Loads the banks of hostile messages, plays a row through the proxy, and judges what happened.

A verdict is one or more alternatives joined by `or`; an alternative is one or more steps joined by `then`.

Steps for requests:
    forward             one request goes upstream in normal form and is answered 200
    refuse:400,431      the proxy answers with one of the statuses, says `Connection: close` and closes; the message
                        sent no byte upstream
    cut:400             as refuse, but a part of the message may have gone upstream; that connection is then ended
                        without completing the message
    drop:400            the connection is closed, with or without that answer; no byte upstream
    local:405           the proxy answers itself; no byte upstream; the connection may stay open
    unfinished          the client ends its side after the bytes: never complete upstream, never answered 2xx
    stream              the part that came goes upstream at once; when the client leaves, upstream is cut

Conditions after `forward` (and `stream`): method= target= host= body= has=name:value lacks=name present=name
count=name:n trailer=name:value notrailer=name, and `close`: the client's connection ends after the answer.

Steps for responses: a status list (`200`, `502,503`), or `abort:200`: the answer begins with that status and is cut,
or 502 if nothing of it had gone out. Conditions: body= has= lacks= trailer= notrailer=, `pooled` and `unpooled`:
whether the next request may use the same upstream connection.
"""
import pathlib
from dataclasses import dataclass, field

import parsers
from client import Client, Closed, Silence
from notation import expand, expand_writes
from origin import Origin, answer
from peek import wait_until_read

FOLDER = pathlib.Path(__file__).parent / "bank"
SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: a\r\n\r\n"
OURS = ("/sentinel", "/barrier")


@dataclass
class Step:
    kind: str
    statuses: tuple = ()
    conditions: list = field(default_factory=list)

    def values(self, name):
        return [value for key, value in self.conditions if key == name]

    def flag(self, name):
        return bool(self.values(name))


def _step(text):
    head, *rest = text.split()
    kind, _, statuses = head.partition(":")
    if kind.replace(",", "").isdigit():
        kind, statuses = "answer", kind
    conditions = [tuple(word.split("=", 1)) if "=" in word else (word, "") for word in rest]
    conditions = [(name, expand(value).decode("latin-1")) for name, value in conditions]
    return Step(kind, tuple(int(s) for s in statuses.split(",") if s), conditions)


def verdict(text):
    """The alternatives of a verdict, each a list of steps."""
    return [[_step(step) for step in alternative.split(" then ")] for alternative in text.split(" or ")]


@dataclass
class Row:
    id: str
    alternatives: list
    case: str
    text: str
    method: str = "GET"
    then: str = "keep"

    @property
    def bytes(self):
        return expand(self.text)

    @property
    def writes(self):
        return expand_writes(self.text)

    @property
    def name(self):
        return f"{self.id} {self.case}".replace(" ", "_")

    def kinds(self):
        return {step.kind for alternative in self.alternatives for step in alternative}

    def only(self, *kinds):
        """True if every alternative is one step of these kinds."""
        return all(len(a) == 1 and a[0].kind in kinds for a in self.alternatives)


def _lines(name):
    for line in (FOLDER / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def request_rows():
    return [Row(i, verdict(v), case, text) for i, v, case, text in _lines("requests.tsv")]


def response_rows():
    return [Row(i, verdict(v), case, text, method, then)
            for i, v, method, then, case, text in _lines("responses.tsv")]


# ---------------------------------------------------------------------------------------------------- requests

@dataclass
class Outcome:
    """What one exchange showed at the client's side."""
    answers: list = field(default_factory=list)
    alive: bool = False        # a further request on the connection was answered
    ended: bool = False
    silent: bool = False
    rest: bytes = b""          # bytes after the last answer, before the end

    @property
    def signature(self):
        return tuple(a.status for a in self.answers), self.alive, self.ended, self.silent, bool(self.rest)


class RequestBank:
    """A proxy with one route to a recording origin."""

    def __init__(self, start):
        self.origin = Origin(_careful)
        self.proxy = start(self.origin.endpoint)
        self.address = self.proxy.address("inbound")
        self._barrier = None
        self.mark()

    def stop(self):
        if self._barrier:
            self._barrier.close()
        self.origin.stop()
        self.proxy.finish()

    def mark(self):
        """What comes upstream from now on belongs to the next rows."""
        self.origin.settle()
        self._lengths = {peer: len(peer.received) for peer in self.origin.peers}
        self._requests = len(self.origin.requests)
        self._faults = len(self.origin.faults)

    def barrier(self):
        """When this returns, all that the proxy sent upstream before is in the origin's record."""
        for fresh in (self._barrier is None, True):
            if fresh:
                self._barrier = Client(self.address)
            self._barrier.send(SENTINEL.replace(b"sentinel", b"barrier"))
            try:
                self._barrier.read_response()
                break
            except Closed:
                self._barrier.close()
        self.origin.settle()

    def requests(self):
        """The rows' complete requests since `mark`, in order; all parsers must agree on each connection."""
        self.barrier()
        for peer in list(self.origin.peers):
            raw = peer.received[self._lengths.get(peer, 0):]
            if raw:
                done, _ = parsers.agree(raw)
                self.origin.wait_for(lambda o, peer=peer, done=done: peer.ended or peer.parsed >= len(peer.received)
                                     or len(done) >= 0)
        assert self.origin.faults[self._faults:] == []
        return [r for r in self.origin.requests[self._requests:] if r.target not in OURS]

    def started(self):
        """Messages since `mark` that began upstream and are not complete: (peer, request)."""
        found = []
        for peer in list(self.origin.peers):
            raw = bytes(peer.received[self._lengths.get(peer, 0):])
            rest = parsers.strict_requests(raw)[1] if raw else None
            if rest is not None:
                found.append((peer, rest))
        return found

    def play(self, pieces, answers, half_close=False, patience=3.0):
        """Sends `pieces` on a new connection; reads up to `answers` answers, or to the end of the connection."""
        outcome = Outcome()
        with Client(self.address, patience) as client:
            client.send_pieces(pieces)
            if half_close:
                client.half_close()
            try:
                while len(outcome.answers) < answers:
                    response = client.read_response()
                    outcome.answers.append(response)
                    if response.get("connection", "").lower() == "close" or response.status >= 400:
                        break
                else:
                    client.send(SENTINEL)
                    response = client.read_response()
                    outcome.alive = True
                    return outcome
                if response.get("connection", "").lower() == "close":
                    outcome.rest = client.read_to_end()
                    outcome.ended = True
                else:
                    client.send(SENTINEL)
                    client.read_response()
                    outcome.alive = True
            except Closed:
                outcome.ended = True
            except Silence:
                outcome.silent = True
        return outcome

    def expected_answers(self, row):
        return max(len(alternative) for alternative in row.alternatives)

    def play_row(self, row, pieces=None, before=0):
        """Plays a row in the way its verdict asks for. `before`: good requests put in front of it."""
        pieces = [row.bytes] if pieces is None else pieces
        unfinished = "unfinished" in row.kinds()
        if "stream" in row.kinds():
            return self._play_stream(row, pieces)
        return self.play(pieces, before + self.expected_answers(row), half_close=unfinished)

    def _play_stream(self, row, pieces):
        wanted = row.alternatives[0][0].values("body")[0].encode("latin-1")
        with Client(self.address) as client:
            client.send_pieces(pieces)
            self.origin.wait_for(lambda o: any(rest.body == wanted for _, rest in self.started()))
            client.reset()
        return Outcome(ended=True)

    def judge(self, row, outcome, before=0):
        """The complaints about an outcome; empty if one alternative fits."""
        requests = self.requests()[before:]
        complaints = []
        for alternative in row.alternatives:
            complaint = self._judge(alternative, outcome, requests, outcome.answers[before:])
            if complaint is None:
                return []
            complaints.append(complaint)
        return complaints

    def _judge(self, steps, outcome, requests, answers):
        if outcome.silent:
            return f"nothing came after {[a.status for a in answers]}; upstream got {len(requests)} requests"
        forwards = [step for step in steps if step.kind == "forward"]
        if len(requests) != len(forwards):
            return f"{len(requests)} requests went upstream, not {len(forwards)}: {[r.start for r in requests]}, " \
                   f"answers {[a.start for a in answers]}"
        for step, request in zip(forwards, requests):
            if complaint := _forward_complaint(step, request):
                return complaint
        last = steps[-1]
        if complaint := self._upstream_complaint(last):
            return complaint
        if [a.status for a in answers[:len(forwards)]] != [200] * len(forwards):
            return f"answers {[a.status for a in answers]}"
        return _end_complaint(last, outcome, answers[len(forwards):])

    def _upstream_complaint(self, last):
        started = self.started()
        if last.kind in ("cut", "unfinished", "stream"):
            for peer, _ in started:
                self.origin.wait_for(lambda o, peer=peer: peer.ended or peer._finished,
                                     what="an upstream connection was left open with half a message on it")
        elif started:
            return f"half a message went upstream: {started[0][1]}"
        return None


def _end_complaint(last, outcome, answers):
    statuses = [a.status for a in answers]
    if last.kind == "forward":
        if answers:
            return f"answers after the last: {statuses}"
        closes = last.flag("close")
        if closes != outcome.ended or outcome.rest:
            return f"the connection {'stays open' if closes else 'was closed'} after the answer; rest {outcome.rest!r}"
        return None
    if last.kind == "stream":
        return None
    if last.kind == "unfinished":
        return f"answered {statuses}" if any(s < 400 for s in statuses) or not outcome.ended and not statuses else None
    if last.kind == "local":
        return None if len(answers) == 1 and statuses[0] in last.statuses else f"answers {statuses}"
    if last.kind == "drop":
        fits = outcome.ended and (not statuses or statuses[0] in last.statuses) and not outcome.rest
        return None if fits else f"answers {statuses}, ended {outcome.ended}"
    if len(statuses) != 1 or statuses[0] not in last.statuses:
        return f"answers {statuses}, not {last.statuses}"
    if outcome.alive or not outcome.ended:
        return "the connection was kept after a refusal"
    if answers[0].get("connection", "").lower() != "close":
        return f"a refusal without Connection: close: {answers[0].headers}"
    return f"bytes after the refusal: {outcome.rest!r}" if outcome.rest else None


def _forward_complaint(step, request):
    actual = {"method": request.method, "target": request.target, "host": request.get("host"),
              "body": request.body.decode("latin-1")}
    if request.version != "HTTP/1.1":
        return f"forwarded as {request.version}"
    for name, value in step.conditions:
        if name in actual and actual[name] != value:
            return f"{name} is {actual[name]!r:.200}, not {value!r:.200}"
        if name == "present" and not request.has(value):
            return f"{value} is missing: {request.headers}"
        if name == "count" and len(request.all(value.partition(":")[0])) != int(value.partition(":")[2]):
            return f"not {value}: {request.headers}"
    return _field_complaint(step, request)


def _field_complaint(step, message):
    for name, value in step.conditions:
        field_name, _, field_value = value.partition(":")
        trailers = {n.lower(): v for n, v in message.trailers}
        if name == "has" and field_value not in message.all(field_name):
            return f"no {value!r} in {message.headers}"
        if name == "lacks" and message.has(value):
            return f"{value} was passed on: {message.headers}"
        if name == "trailer" and trailers.get(field_name.lower()) != field_value:
            return f"no trailer {value}: {message.trailers}"
        if name == "notrailer" and value in trailers:
            return f"trailer {value} was passed on: {message.trailers}"
    return None


def _careful(peer):
    while request := peer.read_request():
        if not peer.send(answer(headers=[("X-Target", request.target[:100])])):
            return


# --------------------------------------------------------------------------------------------------- responses

@dataclass
class Exchange:
    """One row of the response bank, as the client saw it, and the request after it."""
    response: object = None
    ended: bool = False
    second: object = None
    pooled: bool = False
    error: str = ""


class ResponseBank:
    """A proxy with one route to an origin that answers `/row` with the bytes it was given, anything else plainly."""

    def __init__(self, start):
        self.pieces, self.then = [b""], "keep"
        self.served = {}
        self.origin = Origin(self._script)
        self.proxy = start(self.origin.endpoint)
        self.address = self.proxy.address("inbound")

    def stop(self):
        self.origin.stop()
        self.proxy.finish()

    def _script(self, peer):
        while request := peer.read_request():
            if request.target != "/row":
                self.served["/second"] = peer
                body = b"second"
                peer.send(answer(body) if request.method != "HEAD" else answer(body)[:-len(body)])
                continue
            self.served["/row"] = peer
            peer.send_pieces([piece for piece in self.pieces if piece])
            try:
                wait_until_read(peer.socket, 1.0)
            except (TimeoutError, OSError):
                pass
            self.sent.set()
            if self.then == "close":
                return peer.close()
            if self.then == "rst":
                return peer.reset()

    def play(self, row, pieces=None, method=None):
        import threading
        self.sent = threading.Event()
        self.pieces, self.then = row.writes if pieces is None else pieces, row.then
        self.served.clear()
        method = method or row.method
        exchange = Exchange()
        client = Client(self.address)
        try:
            client.send(f"{method} /row HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            exchange.response = client.read_response(method, partial=True)
            self.sent.wait(5)
            closes = exchange.response.get("connection", "").lower() == "close"
            exchange.ended = client.ended or closes or not exchange.response.complete
            if exchange.ended:
                rest = client.read_to_end()
                assert rest == b"", f"bytes after the answer: {rest!r}"
                client.close()
                client = Client(self.address)
            client.send(b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
            exchange.second = client.read_response()
            exchange.pooled = self.served.get("/second") is self.served.get("/row")
        except (Silence, Closed) as error:
            exchange.error = str(error)
        finally:
            client.close()
        return exchange

    @staticmethod
    def judge(row, exchange, head_only=False):
        """The complaints about an exchange; empty if one alternative fits."""
        if exchange.error:
            return [exchange.error]
        if exchange.second.status != 200 or exchange.second.body != b"second":
            return [f"the next request got {exchange.second.start} {exchange.second.body!r}"]
        complaints = []
        for (step,) in row.alternatives:
            complaint = _head_complaint(step, exchange) if head_only else _answer_complaint(step, exchange)
            if complaint is None:
                return []
            complaints.append(complaint)
        return complaints


def _answer_complaint(step, exchange):
    response = exchange.response
    if step.kind == "abort":
        if response.status == 502 and response.complete:
            return None
        if response.status not in step.statuses or response.complete:
            return f"{response.start}, complete: {response.complete}, body {response.body!r}"
    elif response.status not in step.statuses or not response.complete:
        return f"{response.start}, complete: {response.complete}"
    for body in step.values("body"):
        if response.body != body.encode("latin-1"):
            return f"body {response.body!r}"
    if step.flag("pooled") and not exchange.pooled:
        return "the upstream connection was not used again"
    if step.flag("unpooled") and exchange.pooled:
        return "the upstream connection was used again"
    return _field_complaint(step, response)


def _head_complaint(step, exchange):
    response = exchange.response
    allowed = set(step.statuses) | ({502} if step.kind == "abort" else set())
    if response.status not in allowed or not response.complete:
        return f"{response.start}, complete: {response.complete}"
    return None
