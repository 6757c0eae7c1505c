internal import FilterAPI

/// What the neighbours of a filter do, in order, and what is expected to have gone past the filter in between.
///
/// ```swift
/// let stream = FakeStream(try FakeWorker().make(MyFilter.self))
/// let unmet = stream.play([
///     .requestHead(last: true),
///     .responseHead(200), .responseBody("hel"), .responseBody("lo", last: true),
///     .expectAbove("hello"),
/// ])
/// #expect(unmet == [])
/// stream.close()
/// ```
public struct Script: Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The events, in order.
    public var events: [ScriptEvent]

    /// From its events.
    public init(_ events: [ScriptEvent]) { self.events = events }
    /// From its events.
    public init(arrayLiteral elements: ScriptEvent...) { events = elements }

    /// The first events only.
    public func prefix(_ count: Int) -> Script { Script(Array(events.prefix(count))) }

    /// The script as one line.
    public var description: String { events.map(\.description).joined(separator: ", ") }
}

extension FakeStream {
    /// Does what a script says, and looks whether its expectations are met. Does not close the stream, unless the script
    /// says that the client goes.
    ///
    /// - Returns: what was not as expected, a sentence for each; empty where all was.
    public func play(_ script: Script) -> [String] {
        var unmet: [String] = []
        for (index, event) in script.events.enumerated() {
            settle()
            if let sentence = play(event) { unmet.append("event \(index + 1): \(sentence)") }
            if case .clientGone = event { break }
        }
        settle()
        return unmet
    }

    /// - Returns: what was not as expected.
    private func play(_ event: ScriptEvent) -> String? {
        switch event {
        case .requestHead(let last): requestHead(last: last)
        case .requestBytes(let bytes, let last): requestBody(bytes: bytes, last: last)
        case .requestTrailers(let fields):
            memory.setTrailers(fields.map { ($0.name, $0.value) }, isRequest: true)
            _ = arrive(.trailers, isRequest: true)
        case .interimHead(let status, let fields):
            memory.setResponse(Status(status), fields.map { ($0.name, $0.value) }, last: false)
            showInterim()
        case .responseHead(let status, let fields, let last):
            memory.setResponse(Status(status), fields.map { ($0.name, $0.value) }, last: last)
            _ = arrive(.head(last: last), isRequest: false)
        case .responseBytes(let bytes, let last): responseBody(bytes: bytes, last: last)
        case .responseTrailers(let fields):
            memory.setTrailers(fields.map { ($0.name, $0.value) }, isRequest: false)
            _ = arrive(.trailers, isRequest: false)
        case .clusterAttached(let cluster, let route):
            clusterAttached(FactName(cluster), route: route.map { FactName($0) })
        case .endpointPicked(let endpoint): endpointPicked(FactName(endpoint))
        case .faultBelow(let fault): faultBelow(fault)
        case .wait(let duration): advance(by: duration)
        case .replayFromAbove: replayFromAbove()
        case .clientGone: clientGone()
        default: return check(event)
        }
        return nil
    }

    private func check(_ event: ScriptEvent) -> String? {
        func differs(_ what: String, _ expected: some Equatable, _ found: some Equatable) -> String? {
            let (left, right) = ("\(expected)", "\(found)")
            return left == right ? nil : "\(what) is \(right.isEmpty ? "nothing" : right), expected \(left)"
        }
        return switch event {
        case .expectBelow(let text): differs("what went on below", text, below.text)
        case .expectAbove(let text): differs("what went on above", text, above.text)
        case .expectPassed(let below, let above):
            differs("the number of events below", below, self.below.events)
                ?? differs("the number of events above", above, self.above.events)
        case .expectStatus(let status): differs("the status", status, reply?.status ?? above.status)
        case .expectFault(let reason): differs("the fault", reason, fault.map { "\($0.reason)" } ?? "")
        default: nil
        }
    }
}
