internal import FilterAPI

/// The faults of a filter or a route in the form in which they are drawn for each request. Holds no state.
final class FaultPlan {
    /// An answer in place of the upstream's.
    struct Abort: Equatable {
        var status: Int
        /// For clients of gRPC; nil for what the status means to them.
        var grpcStatus: Int?
    }

    /// What happens to a request.
    struct Draw: Equatable {
        /// In nanoseconds; 0 for no delay.
        var delay: UInt64 = 0
        var abort: Abort?

        var isNothing: Bool { delay == 0 && abort == nil }
    }

    private let delay: UInt64
    private let delayShare: Percent
    private let abort: Abort?
    private let abortShare: Percent
    private let longestWish: UInt64
    private let conditions: Conditions?

    /// From settings that have passed their check.
    init(_ settings: FaultInjection.Settings) throws(ConfigurationFault) {
        delay = settings.delay?.fixed?.wholeNanoseconds ?? 0
        delayShare = settings.delay?.percentage ?? .all
        abort = settings.abort.map { Abort(status: $0.status, grpcStatus: $0.grpcStatus) }
        abortShare = settings.abort?.percentage ?? .all
        longestWish = settings.maxDelay.wholeNanoseconds
        var match = Router.MatchSettings()
        match.headers = settings.headers
        do throws(Pattern.Problem) {
            conditions = try Conditions(match)
        } catch {
            throw ConfigurationFault(error.message, key: "headers")
        }
    }

    /// Whether a request may be picked.
    func pass(_ head: borrowing RequestHead, _ connection: ConnectionFacts, scratch: inout ByteText) -> Bool {
        conditions?.pass(head, connection, scratch: &scratch) ?? true
    }

    /// Draws lots.
    ///
    /// - Parameters:
    ///   - wish: what the request asks for; its shares are at most those of the settings.
    ///   - lots: 64 random bits each, for the delay and for the abort.
    func draw(_ wish: FaultWish, lots: (UInt64, UInt64)) -> Draw {
        var draw = Draw()
        let delay = wish.delay.map { min($0, longestWish) } ?? delay
        if delay > 0, min(wish.delayShare ?? .all, delayShare).covers(lots.0) { draw.delay = delay }
        let abort = wish.status.map { Abort(status: $0, grpcStatus: nil) } ?? abort
        if let abort, min(wish.abortShare ?? .all, abortShare).covers(lots.1) { draw.abort = abort }
        return draw
    }
}
