"""gRPC through Sluice, from end to end: the real library as client and as server."""
import queue
import signal
import socket
import threading

import grpc
import pytest

from admin import stats as all_stats, text as page
from calls import SERVICE, Service, channel, error, status
from certificates import Authority
from client import Client, Closed, encode, get
from configs import http_proxy
from flow import pattern, wait_until
from h2peer import H2Client, H2Server
from healthy import Backend
from sluice import REPOSITORY
from snippets import snippets_of

HTTP2 = {"http": {"protocol": "http2"}}
Code = grpc.StatusCode


@pytest.fixture
def service():
    """Starts services."""
    running = []

    def start(*args, **kwargs):
        one = Service(*args, **kwargs)
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


def config(*endpoints, upstream=None, **more):
    return http_proxy(*endpoints, upstream={**HTTP2, **(upstream or {})}, **more)


@pytest.fixture
def upstream():
    """Starts servers of HTTP/2 that a test scripts."""
    running = []

    def start(**kwargs):
        one = H2Server(**kwargs)
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


GRPC_HEAD = [(":status", "200"), ("content-type", "application/grpc")]


def framed(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


@pytest.fixture(params=["plain", "tls"])
def echo(request, sluice, service, tmp_path):
    """A service and a channel to it through a proxy, plain and with TLS on both sides."""
    if request.param == "plain":
        one = service(threads=128)
        with channel(sluice(config(one.endpoint)).address()) as made:
            yield one, made
        return
    authority = Authority()
    pair = authority.issue("app.test")
    crt, key = pair.write(tmp_path, "server")
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    one = service(grpc.ssl_server_credentials([(pair.pem_key(), pair.crt)]), threads=128)
    made = http_proxy(one.endpoint, upstream={
        "http": {"protocol": "auto"},
        "chain": [{"tls": {"server_name": "app.test", "ca": str(tmp_path / "ca.crt")}}]})
    made["listeners"]["inbound"]["chain"].insert(0, {"tls": {"certificate": crt, "key": key}})
    credentials = grpc.ssl_channel_credentials(authority.pem)
    with channel(sluice(made).address(), credentials, "app.test") as made:
        yield one, made


def stats(proxy, prefix):
    return {name.removeprefix(prefix + "."): value for name, value in all_stats(proxy).items()
            if name.startswith(prefix + ".") and value}


# MARK: The four kinds of calls

def test_one_message_each_way_with_all_metadata(echo):
    one, made = echo
    sent = [("x-plain", "a, b"), ("x-twice", "1"), ("x-twice", "2"), ("x-raw-bin", bytes(range(256)))]
    answer, call = made.unary.with_call(b"hello", metadata=sent)
    assert answer == b"hello" and call.code() == Code.OK
    assert [(name, value) for name, value in one.calls[0].metadata if name.startswith("x-") and name[2:] in
            ("plain", "twice", "raw-bin")] == sent
    initial = [(name, value) for name, value in call.initial_metadata()]
    for item in [("x-initial", "one"), ("x-initial", "two"), *sent]:
        assert item in initial
    assert list(call.trailing_metadata()) == [("x-trailing", "three"), ("x-trailing-bin", bytes(range(256)))]


def test_many_messages_and_one_answer(echo):
    _, made = echo
    assert made.collect(iter([b"x" * size for size in range(200)])) == b"200 19900"
    assert made.collect(iter([])) == b"0 0"


def test_one_message_and_many_answers(echo):
    _, made = echo
    answers = list(made.spread(b"300 1000"))
    assert [answer[:1] for answer in answers] == [bytes([n % 256]) for n in range(300)]
    assert {len(answer) for answer in answers} == {1000}
    assert list(made.spread(b"0 0")) == []


def test_both_sides_speak_in_turns_and_the_end_of_one_is_seen_by_the_other(echo):
    _, made = echo
    says = queue.Queue()
    answers = made.talk(iter(says.get, None), timeout=20)
    assert next(answers) == b"hello"
    for number in range(50):
        says.put(b"%d" % number)
        # Nothing may wait for more: the next message is sent only when this one has been answered.
        assert next(answers) == b"re: %d" % number
    says.put(None)
    assert list(answers) == [b"50 messages"]
    assert answers.code() == Code.OK


def test_messages_of_8_mib_go_both_ways(echo):
    _, made = echo
    message = pattern(0, 8 << 20)
    assert made.unary(message, timeout=60) == message
    assert made.collect(iter([message, message]), timeout=60) == b"2 16777216"
    assert [len(answer) for answer in made.spread(b"2 8388608", timeout=60)] == [8 << 20] * 2


def test_a_compressed_call(echo):
    _, made = echo
    message = b"again " * 100_000
    assert made.unary(message, compression=grpc.Compression.Gzip) == message


def test_100_calls_at_once_on_one_connection(echo):
    one, made = echo
    one.together = threading.Barrier(100)
    futures = [made.unary.future(b"%d" % number) for number in range(100)]
    assert [future.result(30) for future in futures] == [b"%d" % number for number in range(100)]


def test_a_stream_that_nobody_reads_does_not_stop_other_calls(echo):
    _, made = echo
    slow = made.spread(b"64 1048576", timeout=60)
    for number in range(20):
        assert made.unary(b"%d" % number, timeout=20) == b"%d" % number
    assert sum(len(answer) for answer in slow) == 64 << 20


@pytest.mark.parametrize("where", ["server", "listener", "cluster"])
def test_more_calls_than_streams_all_get_their_answer(sluice, service, where):
    one = service(threads=64, options=[("grpc.max_concurrent_streams", 5)] if where == "server" else ())
    few = {"http2": {"max_concurrent_streams": 5}}
    patient = {"retry": {"attempts": 20, "budget": {"percent": "100%", "min_concurrent": 200}}}
    # The library's server counts streams that it has answered for a moment longer, and refuses new ones in that time.
    proxy = sluice(config(one.endpoint, workers=1, http=few if where == "listener" else None,
                          filters=[patient] if where == "server" else [],
                          upstream={"http": {"protocol": "http2", **(few if where == "cluster" else {})}}))
    with channel(proxy.address()) as made:
        futures = [made.unary.future(b"%d" % number, timeout=30) for number in range(200)]
        assert [future.result() for future in futures] == [b"%d" % number for number in range(200)]


# MARK: Errors

@pytest.mark.parametrize("code", range(1, 17))
def test_a_status_reaches_the_client_with_its_words_and_metadata(sluice, service, code):
    one = service()
    with channel(sluice(config(one.endpoint)).address()) as made:
        failure = error(made.abort, f"{code} not % today: ä\n".encode())
    assert failure.code() == status(code) and failure.details() == "not % today: ä\n"
    why = [item for item in failure.trailing_metadata() if item.key.startswith("x-")]
    assert why == [("x-why", "because"), ("x-why-bin", b"\0\xff")]


def test_a_status_after_messages(echo):
    _, made = echo
    answers = made.spread_abort(b"")
    assert [next(answers), next(answers)] == [b"one", b"two"]
    failure = error(next, answers)
    assert failure.code() == Code.DATA_LOSS and failure.details() == "the rest is lost"


def test_a_server_that_answers_before_the_client_is_done_is_heard(echo):
    _, made = echo
    messages = iter(lambda: b"x" * 100_000, None)
    for _ in range(5):
        failure = error(made.refuse, messages, timeout=20)
        assert failure.code() == Code.RESOURCE_EXHAUSTED and failure.details() == "no more"
    assert made.unary(b"x") == b"x"


def test_a_method_that_the_server_does_not_have(echo):
    _, made = echo
    assert error(made.channel.unary_unary("/test.Echo/None"), b"").code() == Code.UNIMPLEMENTED


# MARK: Answers that Sluice gives itself

def test_no_server_is_unavailable(sluice, refused):
    with channel(sluice(config(refused)).address()) as made:
        failure = error(made.unary, b"")
    assert failure.code() == Code.UNAVAILABLE
    assert "upstream" in failure.details(), failure.details()


def test_no_route_is_unimplemented(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, routes=[{"name": "web", "match": {"path": "/web"}, "to": "app"}]))
    with channel(proxy.address()) as made:
        assert error(made.unary, b"").code() == Code.UNIMPLEMENTED


def test_no_room_is_unavailable(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, upstream={"max_requests": 1}, workers=1))
    with channel(proxy.address()) as made:
        call = made.wait.future(b"")
        one.wait_call()
        failure = error(made.unary, b"")
        call.cancel()
    assert failure.code() == Code.UNAVAILABLE and "max_requests" in failure.details()


@pytest.mark.parametrize("is_done", [True, False])
def test_a_server_that_breaks_off_in_an_answer_is_told_by_a_status(sluice, upstream, is_done):
    """Whether the client has more to say or not."""
    def early(connection, stream, head):
        connection.h2.send_headers(stream, GRPC_HEAD)
        connection.h2.send_data(stream, framed(b"one"))
        connection.flush()

    one = upstream(script=lambda *_: None, early=early)
    proxy = sluice(config(one.endpoint, access_log={"to": "stdout", "format": "%GRPC_STATUS% %RESPONSE_FLAGS%"}))
    with channel(proxy.address()) as made:
        says = queue.Queue()
        answers = made.talk(iter(says.get, None))
        assert next(answers) == b"one"
        if is_done:
            says.put(None)
        one.connections[0].socket.shutdown(socket.SHUT_RDWR)
        failure = error(next, answers)
        says.put(None)
    assert failure.code() == Code.UNAVAILABLE and "closed" in failure.details()
    proxy.wait_stdout("^Unavailable UC$")


def test_a_server_that_resets_its_answer_is_told_by_a_status(sluice, upstream):
    def script(connection, stream, head, body):
        connection.h2.send_headers(stream, GRPC_HEAD)
        connection.h2.send_data(stream, framed(b"one") + b"\0\0\0\0\x09half")
        connection.h2.reset_stream(stream, 2)
        connection.flush()

    one = upstream(script=script)
    with channel(sluice(config(one.endpoint)).address()) as made:
        answers = made.spread(b"")
        failure = error(list, answers)
    assert failure.code() == Code.UNAVAILABLE and "reset" in failure.details()


def test_a_client_of_http1_sees_that_such_an_answer_is_cut(sluice, upstream):
    def script(connection, stream, head, body):
        connection.h2.send_headers(stream, GRPC_HEAD)
        connection.h2.send_data(stream, framed(b"one"))
        connection.h2.reset_stream(stream, 2)
        connection.flush()

    one = upstream(script=script)
    with Client(sluice(config(one.endpoint)).address()) as client:
        client.send(encode("POST", "/a.B/C", {"Content-Type": "application/grpc", "TE": "trailers"}, b"x"))
        with pytest.raises(Closed):
            client.read_response()


# MARK: Time

def test_the_clients_deadline_reaches_the_server_and_ends_the_call(echo):
    one, made = echo
    failure = error(made.wait, b"", timeout=0.5)
    assert failure.code() == Code.DEADLINE_EXCEEDED
    assert 0 < one.calls[0].time <= 0.5
    assert one.calls[0].over.wait(5)


def test_a_call_without_a_deadline_ends_with_the_routes(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, route={"timeout": "300ms"}, access_log={"to": "stdout", "format": "%GRPC_STATUS% %RESPONSE_FLAGS%"}))
    with channel(proxy.address()) as made:
        failure = error(made.wait, b"")
    assert failure.code() == Code.DEADLINE_EXCEEDED and "in time" in failure.details()
    assert one.calls[0].over.wait(5)
    proxy.wait_stdout("^DeadlineExceeded UT$")


def test_the_routes_time_is_told_to_a_server_that_is_given_a_longer_one(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, route={"timeout": "2s"}))
    with channel(proxy.address()) as made:
        made.unary(b"", timeout=60)
    assert 0 < one.calls[0].time <= 2


def test_an_answer_that_takes_longer_than_its_route_allows_ends_with_a_status(sluice, service):
    one = service()
    with channel(sluice(config(one.endpoint, route={"timeout": "300ms"})).address()) as made:
        answers = made.spread_wait(b"")
        assert next(answers) == b"one"
        failure = error(next, answers)
    assert failure.code() == Code.DEADLINE_EXCEEDED and "in time" in failure.details()
    assert one.calls[0].over.wait(5)


@pytest.mark.parametrize("method, has_begun", [("Wait", False), ("SpreadWait", True)])
def test_the_clients_time_is_kept_by_sluice_too(sluice, service, method, has_begun):
    one = service()
    proxy = sluice(config(one.endpoint))
    with H2Client(proxy.address()) as client:
        stream = client.request(f"/{SERVICE}/{method}", "POST", [
            ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "300m")], body=framed(b""))
        answer = client.finish(stream)
    fields = dict(answer.trailers if has_begun else answer.headers)
    assert answer.status == 200 and fields["grpc-status"] == "4" and answer.reset is None
    assert bytes(answer.body) == (framed(b"one") if has_begun else b"")
    assert 0 < one.calls[0].time <= 0.3 and one.calls[0].over.wait(5)


def test_a_stream_has_as_long_as_both_sides_speak(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, route={"timeout": "300ms"}))
    with channel(proxy.address()) as made:
        says = queue.Queue()
        answers = made.talk(iter(says.get, None))
        assert next(answers) == b"hello"
        # Longer than the route's time, which begins when the client has no more to say.
        threading.Event().wait(0.5)
        says.put(b"1")
        assert next(answers) == b"re: 1"
        says.put(None)
        assert list(answers) == [b"1 messages"]


def test_a_client_that_takes_its_call_back_is_heard_by_the_server(echo):
    one, made = echo
    call = made.wait.future(b"")
    one.wait_call()
    call.cancel()
    assert one.calls[0].over.wait(5)
    assert made.unary(b"still there") == b"still there"


@pytest.mark.parametrize("how", ["cancelled", "late", "hedged"])
def test_hundreds_of_calls_that_end_at_once_hurt_no_other_on_their_connection(sluice, service, how):
    one = service(threads=320)
    proxy = sluice(config(one.endpoint, workers=1))
    with channel(proxy.address()) as made:
        says = queue.Queue()
        answers = made.talk(iter(says.get, None))
        assert next(answers) == b"hello"
        if how == "hedged":
            # Of each two calls one is answered, and the other one is not wanted any more.
            for _ in range(400):
                call = made.wait.future(b"")
                assert made.unary(b"x") == b"x"
                call.cancel()
        else:
            calls = [made.wait.future(b"", timeout=20 if how == "cancelled" else 3) for _ in range(300)]
            one.wait_call(301, 20)
            # Now the youngest of them has been there for longer than what is given up at once.
            threading.Event().wait(0.2)
            for call in calls:
                if how == "cancelled":
                    call.cancel()
                else:
                    assert error(call.result).code() == Code.DEADLINE_EXCEEDED
            assert all(call.over.wait(10) for call in one.calls[1:301])
        says.put(b"a")
        assert next(answers) == b"re: a"
        says.put(None)


def test_servers_that_answer_early_again_and_again_are_not_left(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, workers=1, admin={"bind": "127.0.0.1:0"}))
    with channel(proxy.address()) as made:
        for _ in range(250):
            assert error(made.refuse, iter(lambda: b"x" * 1000, None), timeout=20).code() == Code.RESOURCE_EXHAUSTED
    assert stats(proxy, "cluster.app")["upstream_cx_total"] == 1


def test_a_client_that_goes_away_is_noticed_by_the_server(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint))
    with channel(proxy.address()) as made:
        call = made.wait.future(b"")
        one.wait_call()
    assert call.code() == Code.CANCELLED and one.calls[0].over.wait(5)


# MARK: Reloads and ends

def test_no_call_is_lost_when_configs_change(sluice, service):
    one, other = service(), service()
    proxy = sluice(config(one.endpoint, workers=2))
    lost, done, stop = [], [0] * 4, threading.Event()
    # The library gives up calls of its own that it has not sent when a connection goes away; sending them again is its
    # part of a connection's end.
    with channel(proxy.address(), retries=True) as first, channel(proxy.address(), retries=True) as second:
        def ask(number):
            made = (first, second)[number % 2]
            while not stop.is_set():
                try:
                    if number < 2:
                        assert made.unary(b"x", timeout=20) == b"x"
                    else:
                        assert list(made.talk(iter([b"a", b"b"]), timeout=20))[-1] == b"2 messages"
                    done[number] += 1
                except grpc.RpcError as failure:
                    lost.append(failure)
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(6):
            before = min(done)
            wait_until(lambda: min(done) > before + 5, 20, "calls do not go on")
            proxy.reload(config((one, other)[turn % 2].endpoint, workers=2, http={"via": f"turn{turn}"}))
        before = min(done)
        wait_until(lambda: min(done) > before + 5, 20, "calls do not go on")
        stop.set()
        for thread in threads:
            thread.join()
    assert not lost, lost[0]
    assert one.calls and other.calls


def test_a_call_that_runs_is_finished_when_the_process_ends(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint))
    with channel(proxy.address()) as made:
        says = queue.Queue()
        answers = made.talk(iter(says.get, None))
        assert next(answers) == b"hello"
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("drain")
        says.put(b"1")
        assert next(answers) == b"re: 1"
        says.put(None)
        assert list(answers) == [b"1 messages"] and answers.code() == Code.OK
    assert proxy.wait_exit() == 0


# MARK: What operators see

def test_the_access_log_has_the_calls_status(sluice, service):
    one = service()
    log = {"to": "stdout", "format": "%PROTOCOL% %PATH% %RESPONSE_CODE% %GRPC_STATUS% %GRPC_STATUS_NUMBER%"}
    proxy = sluice(config(one.endpoint, access_log=log))
    with channel(proxy.address()) as made:
        made.unary(b"")
        error(made.abort, b"7 no")
        error(list, made.spread_abort(b""))
    proxy.wait_stdout(r"^HTTP/2 /test.Echo/Unary 200 OK 0$")
    proxy.wait_stdout(r"^HTTP/2 /test.Echo/Abort 200 PermissionDenied 7$")
    proxy.wait_stdout(r"^HTTP/2 /test.Echo/SpreadAbort 200 DataLoss 15$")


def test_calls_are_counted_by_their_status(sluice, service):
    one = service()
    proxy = sluice(config(one.endpoint, admin={"bind": "127.0.0.1:0"}))
    with channel(proxy.address()) as made:
        made.unary(b"")
        list(made.talk(iter([b"a"])))
        error(made.abort, b"7 no")
        error(list, made.spread_abort(b""))
    found = stats(proxy, "cluster.app.grpc")
    assert found == {"total": 4, "success": 2, "failure": 2, "0": 2, "7": 1, "15": 1}
    text = page(proxy, "/stats/prometheus")
    assert 'sluice_cluster_grpc_status_total{cluster="app",grpc_status="15"} 1' in text


def test_requests_that_are_no_calls_are_not_counted_as_calls(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, admin={"bind": "127.0.0.1:0"}))
    assert get(proxy.address()).status == 200
    assert stats(proxy, "cluster.app.grpc") == {}


# MARK: Calls that are tried again

RETRY = {"retry": {"attempts": 2, "backoff": {"base": "1ms"}}}


def test_a_call_that_a_server_refuses_as_unavailable_is_tried_again(sluice, service):
    one, other = service(), service()
    one.script = lambda context: context.abort(Code.UNAVAILABLE, "not now")
    proxy = sluice(config(one.endpoint, other.endpoint, filters=[RETRY], workers=1))
    with channel(proxy.address()) as made:
        for number in range(10):
            assert made.unary(b"%d" % number) == b"%d" % number
    assert one.calls and len(other.calls) == 10
    assert other.calls[0].values("x-envoy-attempt-count") == []


def test_a_call_that_fails_for_another_reason_is_not(sluice, service):
    one = service()
    one.script = lambda context: context.abort(Code.INTERNAL, "broken")
    proxy = sluice(config(one.endpoint, filters=[RETRY]))
    with channel(proxy.address()) as made:
        assert error(made.unary, b"").code() == Code.INTERNAL
    assert len(one.calls) == 1


def test_a_stream_that_is_refused_is_sent_again(sluice, upstream):
    """The library's server does not refuse streams, so another one does."""
    def script(connection, stream, head, body):
        if len(one.seen) == 1:
            connection.h2.reset_stream(stream, 7)
            return connection.flush()
        connection.respond(stream, framed(b"second"), headers=GRPC_HEAD[1:], trailers=[("grpc-status", "0")])

    one = upstream(script=script)
    with channel(sluice(config(one.endpoint, filters=[RETRY], workers=1)).address()) as made:
        assert made.unary(b"x") == b"second"
    assert len(one.seen) == 2


def test_a_stream_that_is_refused_again_and_again_is_unavailable(sluice, upstream):
    def script(connection, stream, head, body):
        connection.h2.reset_stream(stream, 7)
        connection.flush()

    one = upstream(script=script)
    with channel(sluice(config(one.endpoint, filters=[RETRY], workers=1)).address()) as made:
        assert error(made.unary, b"x").code() == Code.UNAVAILABLE
    assert 3 <= len(one.seen) <= 4


def test_servers_that_take_leave_again_and_again_lose_no_call(sluice, service):
    one = service(options=[("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 5000)])
    proxy = sluice(config(one.endpoint, workers=1, admin={"bind": "127.0.0.1:0"}))
    with channel(proxy.address()) as made:
        def connections():
            return stats(proxy, "cluster.app").get("upstream_cx_http2_total", 0)
        asked = 0
        while connections() < 12:
            futures = [made.unary.future(b"x", timeout=20) for _ in range(20)]
            assert [future.result() for future in futures] == [b"x"] * 20
            asked += 20
            assert asked < 20_000


def test_a_server_that_takes_one_call_at_a_time_and_clients_that_give_calls_up(sluice, service):
    one = service(options=[("grpc.max_concurrent_streams", 1), ("grpc.max_connection_age_ms", 200),
                           ("grpc.max_connection_age_grace_ms", 5000)])
    patient = {"retry": {"attempts": 20, "budget": {"percent": "100%", "min_concurrent": 200}}}
    proxy = sluice(config(one.endpoint, workers=1, filters=[patient]))
    with channel(proxy.address()) as made:
        for _ in range(150):
            calls = [made.wait.future(b"") for _ in range(3)]
            asked = [made.unary.future(b"x", timeout=20) for _ in range(3)]
            for call in calls:
                call.cancel()
            assert [one.result() for one in asked] == [b"x"] * 3


# MARK: Outliers

def test_a_server_whose_calls_fail_in_their_trailers_is_put_aside(sluice, service):
    one, other = service(), service()
    one.script = lambda context: (context.send_initial_metadata([("x-a", "b")]), context.abort(Code.INTERNAL, "broken"))
    proxy = sluice(config(one.endpoint, other.endpoint, workers=1, upstream={
        "outlier_detection": {"consecutive_5xx": 3, "interval": "100ms"}}))
    with channel(proxy.address()) as made:
        wait_until(lambda: [error_or_answer(made) for _ in range(2)] and any(
            entry.get("message") == "endpoint ejected" for entry in proxy.log), what="nobody was put aside")
        before = len(one.calls)
        wait_until(lambda: [error_or_answer(made) for _ in range(6)] == [b"x"] * 6, what="it is used all the same")
        assert len(one.calls) - before < 6


def error_or_answer(made):
    try:
        return made.unary(b"x")
    except grpc.RpcError as failure:
        return failure.code()


# MARK: What is no call of gRPC's own

@pytest.mark.parametrize("te, told", [
    ("trailers", ["trailers"]), ("gzip, trailers", ["trailers"]), ("gzip", []), (None, [])])
def test_te_tells_an_upstream_of_http2_of_trailers_and_nothing_else(sluice, upstream, te, told):
    one = upstream()
    fields = [("Content-Type", "application/grpc"), *([("TE", te), ("Connection", "te")] if te else [])]
    response = get(sluice(config(one.endpoint)).address(), headers=fields, method="POST", body=b"x")
    assert response.status == 200
    assert [value for name, value in one.seen[0][2] if name == "te"] == told


# MARK: The manual

def test_the_config_in_the_manual(sluice):
    text = next(body for name, body in snippets_of(REPOSITORY / "docs/operators.md") if "health_checks: [ grpc" in body)
    assert len(text.splitlines()) <= 12
    one, other = Backend(), Backend()
    try:
        for number, backend in enumerate((one, other), 1):
            text = text.replace(f"greeter-{number}.internal:50051", backend.endpoint)
        proxy = sluice(text.replace("127.0.0.1:50051", "127.0.0.1:0"))
        wait_until(lambda: one.health.asked and other.health.asked, what="nobody was asked")
        one.script = lambda context: context.abort(Code.UNAVAILABLE, "not now")
        with channel(proxy.address("calls")) as made:
            assert [made.unary(b"x") for _ in range(6)] == [b"x"] * 6
        assert one.calls and len(other.calls) == 6
    finally:
        one.stop()
        other.stop()

