internal import FilterAPI

/// One order of events that a host can produce.
struct HTTPScenario {
    var name: String
    var method = "GET"
    /// Fields of the request.
    var fields: [(name: String, value: String)] = []
    var events: [ScriptEvent]

    /// What comes of the request's body.
    var requestBody: [UInt8] {
        events.flatMap { if case .requestBytes(let bytes, _) = $0 { bytes } else { [UInt8]() } }
    }

    /// What comes of the response's body.
    var responseBody: [UInt8] {
        events.flatMap { if case .responseBytes(let bytes, _) = $0 { bytes } else { [UInt8]() } }
    }

    var endsRequest: Bool {
        events.contains {
            switch $0 {
            case .requestHead(true), .requestBytes(_, true), .requestTrailers: true
            default: false
            }
        }
    }

    var endsResponse: Bool {
        events.contains {
            switch $0 {
            case .responseHead(_, _, true), .responseBytes(_, true), .responseTrailers: true
            default: false
            }
        }
    }

    /// The reasons of the faults that are the neighbours' doing.
    var injected: Set<String> {
        Set(events.compactMap { if case .faultBelow(let fault) = $0 { "\(fault.reason)" } else { nil } })
    }

    var hasFault: Bool { !injected.isEmpty }

    var responseHasNoBody: Bool {
        method == "HEAD"
            || events.contains {
                if case .responseHead(let status, _, _) = $0 { status == 204 || status == 304 } else { false }
            }
    }
}

extension HTTPScenario {
    /// How a request comes to its endpoint.
    private static let way: [ScriptEvent] = [.clusterAttached("app", route: "main"), .endpointPicked("192.0.2.1:80")]
    private static let trailers = [RecordedField(name: "x-checksum", value: "1")]
    private static let large = [UInt8](repeating: UInt8(ascii: "x"), count: 16_384)

    private static func text(_ length: Int?) -> [RecordedField] {
        let type = RecordedField(name: "content-type", value: "text/plain")
        return length.map { [type, RecordedField(name: "content-length", value: "\($0)")] } ?? [type]
    }

    /// The plainest one, to compare with.
    static let plain = HTTPScenario(
        name: "plain",
        events: [.requestHead(last: true)] + way + [
            .responseHead(200, text(11)), .responseBody("hello"), .responseBody(" world", last: true),
        ])

    /// All of them.
    static let all: [HTTPScenario] = exchanges + odd + faults

    private static let exchanges: [HTTPScenario] = [
        plain,
        .init(name: "nothing", events: [.requestHead(last: true)] + way + [.responseHead(200, last: true)]),
        .init(
            name: "empty pieces",
            events: [.requestHead(last: true)] + way + [
                .responseHead(200, text(nil)), .responseBody(""), .responseBody("hello"), .responseBody(""),
                .responseBody("", last: true),
            ]),
        .init(
            name: "request body", method: "POST", fields: [("content-length", "11")],
            events: [.requestHead(), .requestBody("hello")] + way + [
                .requestBody(""), .requestBody(" world", last: true), .responseHead(201, text(2)),
                .responseBody("ok", last: true),
            ]),
        .init(
            name: "request body with an empty end", method: "PUT",
            events: [.requestHead(), .requestBody("hello"), .requestBody("", last: true)] + way + [
                .responseHead(200, last: true)
            ]),
        .init(
            name: "trailers", method: "POST",
            events: [.requestHead(), .requestBody("hello"), .requestTrailers(trailers)] + way + [
                .responseHead(200, text(nil)), .responseBody("world"), .responseTrailers(trailers),
            ]),
        .init(
            name: "trailers and no body", method: "POST",
            events: [.requestHead(), .requestTrailers(trailers)] + way + [
                .responseHead(200, text(nil)), .responseTrailers(trailers),
            ]),
        .init(
            name: "large", method: "POST",
            events: [.requestHead()] + way
                + Array(repeating: .requestBytes(large), count: 6) + [
                    .requestBody("", last: true), .responseHead(200, text(nil)),
                ] + Array(repeating: .responseBytes(large), count: 6) + [.responseBody("", last: true)]),
    ]

    private static let odd: [HTTPScenario] = [
        .init(
            name: "heads before the head",
            events: [.requestHead(last: true)] + way + [
                .interimHead(103), .interimHead(100), .responseHead(200, text(5)), .responseBody("hello", last: true),
            ]),
        .init(
            name: "response before the end of the request", method: "POST",
            events: [.requestHead(), .requestBody("hel")] + way + [
                .responseHead(413, text(3)), .responseBody("no\n", last: true),
            ]),
        .init(
            name: "response in the middle of the request", method: "POST",
            events: [.requestHead(), .requestBody("hel")] + way + [
                .responseHead(200, text(nil)), .requestBody("lo", last: true), .responseBody("world", last: true),
            ]),
        .init(
            name: "HEAD", method: "HEAD",
            events: [.requestHead(last: true)] + way + [.responseHead(200, text(5), last: true)]),
        .init(
            name: "204", method: "DELETE", events: [.requestHead(last: true)] + way + [.responseHead(204, last: true)]),
        .init(
            name: "304", fields: [("if-none-match", "\"a\"")],
            events: [.requestHead(last: true)] + way + [.responseHead(304, last: true)]),
        .init(
            name: "upgrade", fields: [("upgrade", "websocket")],
            events: [.requestHead()] + way + [
                .responseHead(101), .requestBody("up"), .responseBody("down"), .responseBody("", last: true),
                .requestBody("", last: true),
            ]),
        .init(
            name: "gRPC", method: "POST", fields: [("content-type", "application/grpc"), ("te", "trailers")],
            events: [.requestHead(), .requestBody("\0\0\0\0\0", last: true)] + way + [
                .responseHead(200, [RecordedField(name: "content-type", value: "application/grpc")]),
                .responseBody("\0\0\0\0\0"), .responseTrailers([RecordedField(name: "grpc-status", value: "0")]),
            ]),
        .init(
            name: "500",
            events: [.requestHead(last: true)] + way + [
                .responseHead(500, text(5)), .responseBody("error", last: true),
            ]),
        .init(
            name: "slow neighbours", method: "POST",
            events: [.requestHead(), .wait(.seconds(2)), .requestBody("hello", last: true), .wait(.seconds(2))] + way
                + [
                    .wait(.seconds(2)), .responseHead(200, text(5)), .wait(.seconds(2)),
                    .responseBody("hello", last: true),
                ]),
    ]

    private static let faults: [HTTPScenario] = [
        .init(name: "connection refused", events: [.requestHead(last: true)] + way + [.connectFailed]),
        .init(
            name: "upstream closes", method: "POST",
            events: [.requestHead(), .requestBody("hello", last: true)] + way + [.upstreamClosed]),
        .init(
            name: "upstream closes in the middle of the request", method: "POST",
            events: [.requestHead(), .requestBody("hel")] + way + [.upstreamClosed]),
        .init(name: "no answer in time", events: [.requestHead(last: true)] + way + [.upstreamTimeout]),
        .init(name: "no route", events: [.requestHead(last: true), .faultBelow(Fault(.noRoute, "router.no_route"))]),
        .init(
            name: "upstream resets in the middle of the response",
            events: [.requestHead(last: true)] + way + [
                .responseHead(200, text(11)), .responseBody("hello"),
                .faultBelow(Fault(.upstreamReset, "upstream.reset")),
            ]),
    ]
}
