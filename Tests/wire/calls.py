"""A gRPC service whose messages are bytes, and channels to it, by the real library."""
import concurrent.futures
import contextlib
import threading

import grpc

from flow import wait_until

SERVICE = "test.Echo"
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Call:
    """One call as the server has seen it."""

    def __init__(self, method, context):
        self.method = method
        self.metadata = [(item.key, item.value) for item in context.invocation_metadata()]
        self.time = context.time_remaining()
        self.over = threading.Event()
        context.add_callback(self.over.set)

    def values(self, key):
        return [value for name, value in self.metadata if name == key]


class Service:
    """A server with the methods below, each under `/test.Echo/`; it notes its `calls`."""

    def __init__(self, credentials=None, threads=32, address="127.0.0.1:0", options=(), before_start=None):
        self.calls, self.script, self.together = [], None, None
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(threads),
                                  options=[*_UNLIMITED, ("grpc.so_reuseport", 0), *options])
        methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self._noted(self.unary)),
            "Collect": grpc.stream_unary_rpc_method_handler(self._noted(self.collect)),
            "Spread": grpc.unary_stream_rpc_method_handler(self._noted(self.spread)),
            "Talk": grpc.stream_stream_rpc_method_handler(self._noted(self.talk)),
            "Wait": grpc.unary_unary_rpc_method_handler(self._noted(self.wait)),
            "Abort": grpc.unary_unary_rpc_method_handler(self._noted(self.abort)),
            "Refuse": grpc.stream_unary_rpc_method_handler(self._noted(self.refuse)),
            "SpreadWait": grpc.unary_stream_rpc_method_handler(self._noted(self.spread_wait)),
            "SpreadAbort": grpc.unary_stream_rpc_method_handler(self._noted(self.spread_abort)),
        }
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
        if before_start:
            before_start(self.server)
        port = (self.server.add_secure_port(address, credentials) if credentials
                else self.server.add_insecure_port(address))
        self.endpoint = f"127.0.0.1:{port}"
        self.server.start()

    def _noted(self, method):
        def noted(request, context):
            self.calls.append(Call(method.__name__, context))
            return method(request, context)
        return noted

    def unary(self, request, context):
        """Says the message again, with what the call's metadata ask for; `together` is a barrier that all calls meet at,
        `script` what is done before."""
        if self.together:
            self.together.wait(20)
        if self.script:
            self.script(context)
        last = self.calls[-1] if len(self.calls) == 1 else None
        if last:
            own = [(name, value) for name, value in last.metadata if name.startswith("x-")]
            context.send_initial_metadata([("x-initial", "one"), ("x-initial", "two"), *own])
            context.set_trailing_metadata([("x-trailing", "three"), ("x-trailing-bin", bytes(range(256)))])
        return request

    def collect(self, requests, context):
        """Counts messages and bytes."""
        messages = list(requests)
        return f"{len(messages)} {sum(map(len, messages))}".encode()

    def spread(self, request, context):
        """`COUNT SIZE`: so many messages of this size."""
        count, size = map(int, request.split())
        for number in range(count):
            yield bytes([number % 256]) * size

    def talk(self, requests, context):
        """Greets, answers each message, and says how many there were when the client has no more."""
        yield b"hello"
        count = 0
        for request in requests:
            count += 1
            yield b"re: " + request
        yield b"%d messages" % count

    def wait(self, request, context):
        """Waits for the end of the call."""
        self.calls[-1].over.wait(20)
        return b"late"

    def abort(self, request, context):
        """`CODE DETAILS`."""
        code, _, details = request.decode().partition(" ")
        context.set_trailing_metadata([("x-why", "because"), ("x-why-bin", b"\0\xff")])
        context.abort(status(int(code)), details)

    def spread_abort(self, request, context):
        yield b"one"
        yield b"two"
        context.abort(grpc.StatusCode.DATA_LOSS, "the rest is lost")

    def spread_wait(self, request, context):
        """One message, and then nothing."""
        yield b"one"
        self.calls[-1].over.wait(20)

    def refuse(self, requests, context):
        """Reads nothing of what the client streams."""
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more")

    def wait_call(self, number=1, seconds=10.0):
        """The call that came as number so-and-so, as soon as it has come."""
        wait_until(lambda: len(self.calls) >= number, seconds, f"{len(self.calls)} calls have come")
        return self.calls[number - 1]

    def stop(self):
        self.server.stop(0).wait()


def status(code):
    return next(one for one in grpc.StatusCode if one.value[0] == code)


@contextlib.contextmanager
def channel(address, credentials=None, name=None, retries=False, options=()):
    """A channel with a connection of its own. `retries`: whether it sends again what a server has not looked at, which
    the library does unless it is told otherwise."""
    target = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
    options = [*_UNLIMITED, ("grpc.enable_retries", int(retries)), ("grpc.use_local_subchannel_pool", 1),
               ("grpc.enable_http_proxy", 0), *options]
    if name:
        options.append(("grpc.ssl_target_name_override", name))
    made = grpc.secure_channel(target, credentials, options) if credentials else grpc.insecure_channel(target, options)
    with made:
        yield Echo(made)


class Echo:
    """The methods of the service on a channel."""

    def __init__(self, made):
        self.channel = made
        self.unary = made.unary_unary(f"/{SERVICE}/Unary")
        self.collect = made.stream_unary(f"/{SERVICE}/Collect")
        self.spread = made.unary_stream(f"/{SERVICE}/Spread")
        self.talk = made.stream_stream(f"/{SERVICE}/Talk")
        self.wait = made.unary_unary(f"/{SERVICE}/Wait")
        self.abort = made.unary_unary(f"/{SERVICE}/Abort")
        self.refuse = made.stream_unary(f"/{SERVICE}/Refuse")
        self.spread_wait = made.unary_stream(f"/{SERVICE}/SpreadWait")
        self.spread_abort = made.unary_stream(f"/{SERVICE}/SpreadAbort")


def error(run, *args, **kwargs):
    """The error that a call, or reading its answers, ends with."""
    try:
        answer = run(*args, **kwargs)
    except grpc.RpcError as failure:
        return failure
    raise AssertionError(f"no error, but {answer!r}")
