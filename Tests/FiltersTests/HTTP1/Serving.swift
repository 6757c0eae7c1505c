import FilterAPI
import FilterTesting
import Testing

@testable import Filters

typealias ServerSettings = HTTP1ServerCodec.Settings
typealias ClientSettings = HTTP1ClientCodec.Settings

/// A server codec that adds nothing of its own to requests, unless a test asks for it.
func makeServer(_ edit: (inout ServerSettings) -> Void = { _ in }) -> HTTP1ServerCodec {
    make(HTTP1ServerCodec.self) { settings in
        settings.requestID = false
        settings.forwardedFor = .keep
        edit(&settings)
    }
}

func makeClient(_ edit: (inout ClientSettings) -> Void = { _ in }) -> HTTP1ClientCodec {
    make(HTTP1ClientCodec.self, edit)
}

private func make<F: Filter>(_ type: F.Type, _ edit: (inout F.Settings) -> Void) -> F {
    do throws(ConfigurationFault) { return try FakeWorker().make(type, edit) } catch { fatalError(error.message) }
}

/// What a server codec says of a client's bytes; the same however they are cut, or the test fails.
///
/// - Parameter ends: whether the client ends its direction behind them.
func reading(
    _ bytes: [UInt8], ends: Bool = false, isTLS: Bool = false,
    _ edit: (inout ServerSettings) -> Void = { _ in }, at location: SourceLocation = #_sourceLocation
) -> String {
    let codec = makeServer(edit)
    let result = Splitter(bytes).run { pieces in
        let connection = FakeConnection()
        connection.comesFrom("192.0.2.7", isTLS: isTLS)
        let bench = ServerBench(codec, on: connection)
        for piece in pieces { bench.receive(piece) }
        if ends { bench.end() }
        return bench.transcript.description
    }
    if let difference = result.difference { Issue.record("\(difference)", sourceLocation: location) }
    return result.whole
}

func reading(
    _ text: String, ends: Bool = false, isTLS: Bool = false,
    _ edit: (inout ServerSettings) -> Void = { _ in }, at location: SourceLocation = #_sourceLocation
) -> String {
    reading(Array(text.utf8), ends: ends, isTLS: isTLS, edit, at: location)
}

/// What a client codec says of an upstream's bytes; the same however they are cut, or the test fails.
func receiving(
    _ bytes: [UInt8], to method: String = "GET", ends: Bool = false,
    request: (ClientBench<HTTP1ClientCodec>) -> Void = { _ in }, at location: SourceLocation = #_sourceLocation
) -> String {
    let codec = makeClient()
    let result = Splitter(bytes).run { pieces in
        let bench = ClientBench(codec)
        request(bench)
        if bench.stream == .none { bench.request(.fake(method)) }
        for piece in pieces { bench.receive(piece) }
        if ends { bench.end() }
        let kept = bench.isReusable && bench.unread == 0 && !ends
        return bench.transcript.description + (kept ? "\nkept" : "")
    }
    if let difference = result.difference { Issue.record("\(difference)", sourceLocation: location) }
    return result.whole
}

func receiving(
    _ text: String, to method: String = "GET", ends: Bool = false,
    request: (ClientBench<HTTP1ClientCodec>) -> Void = { _ in }, at location: SourceLocation = #_sourceLocation
) -> String {
    receiving(Array(text.utf8), to: method, ends: ends, request: request, at: location)
}

/// What a client codec writes.
func sending(_ body: (ClientBench<HTTP1ClientCodec>) -> Void) -> String {
    let bench = ClientBench(makeClient())
    body(bench)
    let output = bench.takeOutput()
    let transcript = bench.transcript.description
    return transcript.isEmpty ? output : output + "\n" + transcript
}

/// What a server codec writes to answer a request.
func answering(
    _ request: String = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", _ edit: (inout ServerSettings) -> Void = { _ in },
    _ body: (ServerBench<HTTP1ServerCodec>) -> Void
) -> String {
    let bench = ServerBench(makeServer(edit))
    bench.answer = nil
    bench.receive(request)
    _ = bench.takeOutput()
    body(bench)
    return bench.takeOutput()
}
