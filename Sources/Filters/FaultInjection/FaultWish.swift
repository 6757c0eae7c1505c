internal import FilterAPI

/// The faults that a request asks for itself, by fields that users of other proxies know.
struct FaultWish: Equatable {
    /// In nanoseconds.
    var delay: UInt64?
    var delayShare: Percent?
    var status: Int?
    var abortShare: Percent?
}

/// The names of the fields by which requests ask for faults.
struct FaultFields {
    private let delay = HeaderName("x-envoy-fault-delay-request")
    private let delayShare = HeaderName("x-envoy-fault-delay-request-percentage")
    private let status = HeaderName("x-envoy-fault-abort-request")
    private let abortShare = HeaderName("x-envoy-fault-abort-request-percentage")

    /// Takes the fields out of a head. A value that is no number, or is out of range, is as good as no field.
    func take(from headers: inout Headers) -> FaultWish {
        var wish = FaultWish()
        wish.delay = number(delay, &headers).map { Self.nanoseconds($0) }
        wish.delayShare = number(delayShare, &headers).map { Self.share($0) }
        wish.status = number(status, &headers).flatMap { FaultInjection.statuses.contains($0) ? $0 : nil }
        wish.abortShare = number(abortShare, &headers).map { Self.share($0) }
        return wish
    }

    private func number(_ name: HeaderName?, _ headers: inout Headers) -> Int? {
        guard let name, headers.contains(name) else { return nil }
        let value = headers.withValue(name) { ASCII.number($0) }
        headers.remove(name)
        return value ?? nil
    }

    private static func nanoseconds(_ milliseconds: Int) -> UInt64 {
        let (product, overflow) = UInt64(milliseconds).multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .max : product
    }

    private static func share(_ percent: Int) -> Percent { .percent(min(percent, 100)) }
}
