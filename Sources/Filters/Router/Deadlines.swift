internal import FilterAPI

/// How much time a request has: read from what the client says, and told to the upstream.
///
/// `grpc-timeout` (gRPC over HTTP/2, Requests) counts from whoever it comes, as it can only shorten the route's time.
/// `x-envoy-expected-rq-timeout-ms` comes from trusted proxies only: the codec has taken it out otherwise.
enum Deadlines {
    /// Reads the client's.
    static func read(_ headers: borrowing Headers, _ stream: borrowing Stream) {
        var shortest = UInt64.max
        let grpc = headers.index(of: .grpcTimeout)
        if grpc >= 0, let timeout = nanoseconds(headers.value(at: grpc)) { shortest = timeout }
        let expected = headers.index(of: .xEnvoyExpectedRqTimeoutMs)
        if expected >= 0, let milliseconds = ASCII.number(headers.value(at: expected)), milliseconds > 0 {
            let (timeout, overflow) = UInt64(milliseconds).multipliedReportingOverflow(by: 1_000_000)
            if !overflow { shortest = min(shortest, timeout) }
        }
        guard shortest != .max else { return }
        let (due, overflow) = stream.now.nanoseconds.addingReportingOverflow(shortest)
        if !overflow { stream.limit(to: Instant(nanoseconds: due)) }
    }

    /// Tells the upstream what is left.
    ///
    /// - Parameter timeout: the route's, in nanoseconds; 0 for none.
    static func write(_ headers: inout Headers, timeout: UInt64, _ stream: borrowing Stream) {
        var left = timeout > 0 ? timeout : UInt64.max
        let deadline = stream.deadline
        if deadline != .none {
            let now = stream.now
            left = min(left, deadline > now ? deadline.nanoseconds - now.nanoseconds : 0)
        }
        guard left != .max else { return }
        // No time at all would mean no limit to some readers.
        let milliseconds = max(1, Int(clamping: left / 1_000_000))
        headers.set(.xEnvoyExpectedRqTimeoutMs, milliseconds)
        guard headers.contains(.grpcTimeout) else { return }
        set(&headers, milliseconds)
    }

    /// At most eight digits and a unit.
    private static func set(_ headers: inout Headers, _ milliseconds: Int) {
        let seconds = milliseconds / 1000
        let (number, unit): (Int, UInt8) =
            milliseconds < 100_000_000
            ? (milliseconds, UInt8(ascii: "m")) : (min(seconds, 99_999_999), UInt8(ascii: "S"))
        var text = DecimalText(number, unit: unit)
        text.withBytes { _ = headers.set(.grpcTimeout, $0) }
    }

    /// Up to eight digits and one of `H`, `M`, `S`, `m`, `u`, `n`; nil where the text is anything else.
    static func nanoseconds(_ text: borrowing RawSpan) -> UInt64? {
        let count = text.byteCount
        guard count >= 2, count <= 9, let number = ASCII.number(text.extracting(0..<(count - 1))) else { return nil }
        let unit: UInt64
        switch text.byte(at: count - 1) {
        case UInt8(ascii: "H"): unit = 3_600_000_000_000
        case UInt8(ascii: "M"): unit = 60_000_000_000
        case UInt8(ascii: "S"): unit = 1_000_000_000
        case UInt8(ascii: "m"): unit = 1_000_000
        case UInt8(ascii: "u"): unit = 1_000
        case UInt8(ascii: "n"): unit = 1
        default: return nil
        }
        let (product, overflow) = UInt64(number).multipliedReportingOverflow(by: unit)
        return overflow ? .max : product
    }
}
