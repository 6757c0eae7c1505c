"""The filter `trace`: traces go on or begin, in W3C's format and B3's, as OpenTelemetry reads and writes them."""
import json
import os
import re
import socket

import pytest
from opentelemetry import trace as otel
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import sluice as harness
from client import Client, get
from configs import http_proxy
from sluice import run_cli
from test_allocations import COUNTED, RELEASE, REQUESTS, THRESHOLDS, counted, counting_library  # noqa: F401
from test_retry import refuse_first

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
PROPAGATORS = {"w3c": TraceContextTextMapPropagator(), "b3": B3MultiFormat(), "b3_single": B3SingleFormat()}
FIELDS = {"w3c": {"traceparent"}, "b3_single": {"b3"}, "b3": {"x-b3-traceid", "x-b3-spanid", "x-b3-sampled"}}
LOG = {"to": "stdout", "format": "%TRACE_ID% %SPAN_ID% %RESPONSE_CODE%"}


def tracing(*endpoints, above=(), below=(), settings=None, **top):
    return http_proxy(*endpoints, filters=[*above, {"trace": settings or {}}, *below], workers=1, **top)


def trace_fields(request):
    """What a request says of its trace, by names in lower case."""
    return {name.lower(): value for name, value in request.headers if re.search("(?i)trace|b3", name)}


def seen(origin):
    return trace_fields(origin.requests[-1])


def read(format, fields):
    """The span that OpenTelemetry sees in the fields."""
    return otel.get_current_span(PROPAGATORS[format].extract(fields)).get_span_context()


# MARK: With OpenTelemetry on both sides

@pytest.mark.parametrize("format", PROPAGATORS)
def test_opentelemetry_reads_the_trace_that_begins_here(format, sluice, origin):
    upstream = origin()
    one = sluice(tracing(upstream.endpoint, settings={"propagate": [format]}, listener={"access_log": LOG}))
    assert get(one.address()).status == 200
    fields = seen(upstream)
    assert set(fields) == FIELDS[format]
    span = read(format, fields)
    assert span.is_valid and span.trace_flags.sampled
    assert one.wait_stdout(" 200$") == f"{span.trace_id:032x} {span.span_id:016x} 200"


@pytest.mark.parametrize("format", PROPAGATORS)
def test_the_trace_of_opentelemetry_goes_on(format, sluice, origin):
    upstream = origin()
    address = sluice(tracing(upstream.endpoint)).address()
    tracer = TracerProvider().get_tracer("client")
    with tracer.start_as_current_span("call") as call, Client(address) as client:
        spans = set()
        for _ in range(3):
            carrier = {}
            PROPAGATORS[format].inject(carrier)
            assert client.request(headers=carrier).status == 200
            fields = seen(upstream)
            # W3C is written in any case.
            for each in {format, "w3c"}:
                context = read(each, fields)
                assert context.trace_id == call.get_span_context().trace_id and context.trace_flags.sampled
                assert context.span_id != call.get_span_context().span_id
                spans.add(context.span_id)
            if format == "b3":
                assert fields["x-b3-parentspanid"] == f"{call.get_span_context().span_id:016x}"
        assert len(spans) == 3


@pytest.mark.parametrize("format", PROPAGATORS)
def test_what_opentelemetry_does_not_record_is_not_recorded_behind_it(format, sluice, origin):
    upstream = origin()
    address = sluice(tracing(upstream.endpoint)).address()
    tracer = TracerProvider(sampler=TraceIdRatioBased(0)).get_tracer("client")
    with tracer.start_as_current_span("call"):
        carrier = {}
        PROPAGATORS[format].inject(carrier)
        get(address, headers=carrier)
    assert not read(format, seen(upstream)).trace_flags.sampled


def test_the_share_is_that_of_opentelemetry_for_the_same_trace(sluice, origin):
    upstream = origin()
    address = sluice(tracing(upstream.endpoint, settings={"sample": "40%"})).address()
    sampler = TraceIdRatioBased(0.4)
    decisions = []
    with Client(address) as client:
        for _ in range(300):
            client.request()
            context = read("w3c", seen(upstream))
            wanted = sampler.should_sample(None, context.trace_id, "call").decision.is_sampled()
            assert bool(context.trace_flags.sampled) == wanted
            decisions.append(wanted)
    assert 60 < sum(decisions) < 180


def test_tracestate_comes_to_opentelemetry_as_it_was(sluice, origin):
    upstream = origin()
    address = sluice(tracing(upstream.endpoint)).address()
    get(address, headers=[("traceparent", PARENT), ("tracestate", "rojo=1"), ("TraceState", "congo=t61 , x@y=2")])
    assert list(read("w3c", seen(upstream)).trace_state.items()) == [("rojo", "1"), ("congo", "t61"), ("x@y", "2")]
    get(address, headers=[("traceparent", PARENT), ("tracestate", "rojo=1,ROJO=2")])
    assert set(seen(upstream)) == {"traceparent"}


# MARK: Who is told what

def test_without_the_filter_all_fields_pass_as_they_came(sluice, origin):
    upstream = origin()
    fields = [("traceparent", PARENT), ("tracestate", "a=1, b=2"), ("tracestate", "c=3"), ("baggage", "k=v"),
              ("B3", f"{TRACE}-{SPAN}-d"), ("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("X-B3-ParentSpanId", SPAN),
              ("X-B3-Sampled", "0"), ("X-B3-Flags", "1"), ("traceparent", "nonsense")]
    one = sluice(http_proxy(upstream.endpoint, workers=1, listener={"access_log": LOG}))
    assert get(one.address(), headers=fields).status == 200
    passed = [field for field in upstream.requests[-1].headers if re.search("(?i)trace|b3|baggage", field[0])]
    assert passed == fields
    # Nobody has looked at them.
    assert one.wait_stdout(" 200$") == "- - 200"


def test_a_client_that_is_not_trusted_begins_a_trace(sluice, origin):
    upstream = origin()
    address = sluice(tracing(upstream.endpoint, settings={"trust": False, "sample": "0%"})).address()
    get(address, headers={"traceparent": PARENT, "tracestate": "a=1", "b3": "d", "x-b3-flags": "1"})
    fields = seen(upstream)
    assert set(fields) == {"traceparent"}
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-02", fields["traceparent"]) and TRACE not in fields["traceparent"]


def test_clients_are_told_where_they_are_to_be_told_also_of_answers_of_our_own(sluice, origin, refused):
    settings = {"response_header": "x-trace-id"}
    one = sluice(tracing(origin().endpoint, settings=settings))
    assert get(one.address(), headers={"traceparent": PARENT}).get("x-trace-id") == TRACE
    two = sluice(tracing(refused, settings=settings))
    response = get(two.address(), headers={"traceparent": PARENT})
    assert (response.status, response.get("x-trace-id")) == (503, TRACE)


def test_routes_may_write_the_trace_and_logs_have_it_in_json(sluice, origin):
    upstream = origin()
    route = {"request_headers": {"set": {"x-seen": "%TRACE_ID%/%SPAN_ID%"}}}
    one = sluice(tracing(upstream.endpoint, route=route, access_log={"to": "stdout", "format": "json"}))
    get(one.address(), headers={"traceparent": PARENT})
    span = seen(upstream)["traceparent"].split("-")[2]
    assert upstream.requests[-1].get("x-seen") == f"{TRACE}/{span}"
    line = json.loads(one.wait_stdout(""))
    assert (line["trace_id"], line["span_id"]) == (TRACE, span)
    two = sluice(http_proxy(upstream.endpoint, access_log={"to": "stdout", "format": "json"}))
    get(two.address(), headers={"traceparent": PARENT})
    line = json.loads(two.wait_stdout(""))
    assert (line["trace_id"], line["span_id"]) == (None, None)


def test_what_came_malformed_is_replaced(sluice, origin):
    upstream = origin()
    address = sluice(tracing(upstream.endpoint)).address()
    with Client(address) as client:
        for fields in [[("traceparent", "00-" + "0" * 32 + f"-{SPAN}-01")], [("traceparent", PARENT)] * 2,
                       [("traceparent", PARENT.upper())], [("traceparent", "x" * 8000)], [("traceparent", "")]]:
            assert client.request(headers=[*fields, ("tracestate", "a=1")]).status == 200
            fields = seen(upstream)
            assert set(fields) == {"traceparent"} and read("w3c", fields).is_valid
            assert TRACE not in fields["traceparent"]
            assert len(upstream.requests[-1].all("traceparent")) == 1


# MARK: Further tries

RETRY = {"retry": {"on": ["5xx"], "attempts": 2, "backoff": {"base": "1ms", "max": "1ms"}}}


def tries(sluice, origin, *filters, fields=()):
    upstream = origin(refuse_first(2))
    one = sluice(http_proxy(upstream.endpoint, filters=filters, workers=1))
    assert get(one.address(), headers=fields).status == 200
    parents = [trace_fields(request)["traceparent"].split("-") for request in upstream.requests]
    assert len(parents) == 3
    return [parent[1] for parent in parents], [parent[2] for parent in parents]


@pytest.mark.parametrize("fields", [{}, {"traceparent": PARENT}], ids=["begun", "continued"])
@pytest.mark.parametrize("trust", [True, False])
def test_tries_are_one_span_above_which_they_are_made_and_several_below(fields, trust, sluice, origin):
    one = {"trace": {"trust": trust}}
    traces, spans = tries(sluice, origin, one, RETRY, fields=fields)
    assert (len(set(traces)), len(set(spans))) == (1, 1)
    traces, spans = tries(sluice, origin, RETRY, one, fields=fields)
    assert (len(set(traces)), len(set(spans))) == (1, 3)
    assert (traces[0] == TRACE) == (trust and bool(fields))


def test_a_filter_on_both_sides_of_retry_makes_a_span_of_each_try_below_one_of_the_request(sluice, origin):
    upstream = origin(refuse_first(2))
    both = [{"trace": {}, "name": "request"}, RETRY, {"trace": {"propagate": ["b3"]}, "name": "try"}]
    get(sluice(http_proxy(upstream.endpoint, filters=both, workers=1)).address(), headers={"traceparent": PARENT})
    fields = [trace_fields(request) for request in upstream.requests]
    assert {each["x-b3-traceid"] for each in fields} == {TRACE}
    assert len({each["x-b3-parentspanid"] for each in fields}) == 1
    assert len({each["x-b3-spanid"] for each in fields}) == 3
    assert SPAN not in {each["x-b3-parentspanid"] for each in fields}


# MARK: Settings and cost

def test_what_cannot_work_is_refused(tmp_path):
    for settings, message in [({"propagate": []}, "must name a format"), ({"propagate": ["w3"]}, "w3c, b3, b3_single"),
                              ({"response_header": "x y"}, "cannot be the name of a header field")]:
        file = tmp_path / "sluice.yaml"
        file.write_text(json.dumps(tracing("127.0.0.1:1", settings=settings), indent=1))
        done = run_cli("check", str(file))
        assert done.returncode == 1 and message in done.stdout


B3_FIELDS = f"b3: {TRACE}-{SPAN}-1\r\nX-B3-TraceId: {TRACE}\r\nX-B3-SpanId: {SPAN}\r\nX-B3-Flags: 1\r\n"
SENT = {"begun": "", "continued": f"traceparent: {PARENT}\r\ntracestate: a=1\r\ntracestate: b=2\r\n{B3_FIELDS}",
        "malformed": f"traceparent: {PARENT}-\r\ntracestate: a=1\r\nb3: x\r\nX-B3-Flags: 7\r\n"}


@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("case", SENT)
def test_a_trace_allocates_nothing(case, sluice, origin, counting_library, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    one = sluice(tracing(origin().endpoint, settings={
        "propagate": ["w3c", "b3", "b3_single"], "response_header": "x-trace-id"}),
        env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    request = REQUESTS["get"].replace(b"\r\n\r\n", b"\r\n" + SENT[case].encode() + b"\r\n")
    with socket.create_connection(one.address()) as connection:
        after, before = counted(connection, request, counter_file)
    assert after - before <= THRESHOLDS["trace"] * COUNTED, f"{(after - before) / COUNTED:.3f} allocations a request"
