"""The bank of hostile HTTP/2: loads the rows of bank/http2.tsv, plays them, and judges what happened.

A verdict is one or more alternatives joined by `or`; an alternative is one step:

    200, 431, ...   the stream is answered with the status; 200 comes from upstream, which has got one request more, the
                    others from the proxy, and nothing has gone upstream
    rst:1           the stream is reset with this code
    ok              nothing is to come of the stream
    goaway:1,5      GOAWAY with one of the codes, then the end of the connection
    closed          the end of the connection

After all but the last two, a further request on the same connection is served. Conditions: `on=3` is the stream that
counts (else 1); `~`: a part may have gone upstream, which is then cut, or whole streams beside the bad one; `split`: only where the bytes come in pieces,
as the answer may be out before the rest of the request comes; those of bank.py after 200. `raw` in front: the bytes are sent without a preface.
"""
import re
from dataclasses import dataclass

import h2raw
from bank import FOLDER, RequestBank, Step, _field_complaint, _forward_complaint, expand
from client import Closed, Silence
from h2raw import H2Client

SENTINEL = 1001


@dataclass
class Row:
    id: str
    alternatives: list
    reason: str
    case: str
    bytes: bytes
    raw: bool
    code: str

    @property
    def name(self):
        return re.sub(r"\W+", "_", f"{self.id} {self.case}")

    @property
    def watched(self):
        return {int(on) for step in self.alternatives for on in step.values("on")} or {1}

    @property
    def ends(self):
        """Whether the connection ends in every alternative."""
        return all(step.kind in ("goaway", "closed") for step in self.alternatives)

    def kinds(self):
        return {step.kind for step in self.alternatives}


def _step(text):
    head, *rest = text.replace("raw ", "").split()
    kind, _, codes = head.partition(":")
    if kind.isdigit():
        kind, codes = "answer", kind
    conditions = [word.partition("=")[::2] for word in rest]
    return Step(kind, tuple(int(code) for code in codes.split(",") if code),
                [(name, expand(value).decode("latin-1")) for name, value in conditions])


def rows():
    known = {name: getattr(h2raw, name) for name in h2raw.__all__}
    for line in (FOLDER / "http2.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            id, verdict, reason, case, code = line.split("\t")
            yield Row(id, [_step(text) for text in verdict.split(" or ")], reason, case, eval(code, dict(known)),
                      verdict.startswith("raw "), code)


@dataclass
class Outcome:
    client: H2Client
    silent: bool = False
    alive: bool = False

    @property
    def ended(self):
        return self.client.ended

    def signature(self, watched):
        streams = [self.client.streams.get(id) for id in sorted(watched)]
        return (self.alive, self.ended, self.silent, self.client.goaway,
                [(s.status, s.reset, bytes(s.body)) if s else None for s in streams])


class HTTP2Bank(RequestBank):
    """A proxy with one route to a recording origin that speaks HTTP/1."""

    def connect(self, row, patience):
        return H2Client(self.address, greets=not row.raw, patience=patience)

    def play_row(self, row, pieces=None, patience=3.0):
        client = self.connect(row, patience)
        outcome = Outcome(client)
        with client:
            try:
                client.send_pieces([row.bytes] if pieces is None else pieces)
                if not row.kinds() <= {"ok"}:
                    client.read_until(lambda: any(client.stream(id).over for id in row.watched)
                                      or client.goaway is not None and row.ends)
                if row.ends or client.ended:
                    client.read_until(lambda: False)
                else:
                    outcome.alive = client.ask("/sentinel", stream=SENTINEL).status == 200
            except Closed:
                pass
            except Silence:
                outcome.silent = True
        return outcome

    def judge(self, row, outcome, is_split=False):
        """The complaints about an outcome; empty if one alternative fits."""
        requests = self.requests()
        complaints = []
        for step in row.alternatives:
            if step.flag("split") and not is_split:
                continue
            if (complaint := self._judge_step(step, outcome, requests)) is None:
                return []
            complaints.append(complaint)
        return complaints

    def _judge_step(self, step, outcome, requests):
        client = outcome.client
        seen = f"GOAWAY {client.goaway}, ended {outcome.ended}, silent {outcome.silent}, " \
               f"{[(s.id, s.status, s.reset) for s in client.streams.values()]}"
        if outcome.silent:
            return f"silence: {seen}"
        (on,) = step.values("on") or ("1",)
        stream = client.stream(int(on))
        if step.kind in ("goaway", "closed"):
            if not outcome.ended or step.kind == "goaway" and client.goaway not in step.statuses:
                return seen
        elif outcome.ended or not outcome.alive or client.goaway is not None:
            return f"the connection did not survive: {seen}"
        elif step.kind == "rst" and (stream.reset not in step.statuses or stream.status is not None):
            return seen
        elif step.kind == "answer" and (stream.status not in step.statuses or not stream.ended):
            return seen
        return self._judge_upstream(step, requests)

    def _judge_upstream(self, step, requests):
        if step.flag("~"):
            for peer, _ in self.started():
                self.origin.wait_for(lambda o, peer=peer: peer.ended or peer._finished,
                                     what="an upstream connection was left open with half a message on it")
            return None
        if started := self.started():
            return f"half a message went upstream: {started[0][1]}"
        served = step.kind == "answer" and step.statuses == (200,)
        if not served:
            return f"requests went upstream: {[r.start for r in requests]}" if requests else None
        if not requests:
            return "nothing went upstream"
        return _forward_complaint(step, requests[-1]) or _field_complaint(step, requests[-1])
