/// The right, and the duty, to let a held direction of a stream go on.
///
/// Used exactly once, from any thread: the compiler sees to "at most", and a token that is dropped fails the stream
/// and is counted, so that none hangs. What it asks for always happens later, on the stream's own worker; where the
/// stream has ended meanwhile, nothing happens.
public struct Resumption: ~Copyable, Sendable {
    fileprivate let target: any ResumptionTarget
    fileprivate let key: ResumptionKey
    fileprivate var isUsed = false

    package init(target: any ResumptionTarget, key: ResumptionKey) {
        self.target = target
        self.key = key
    }

    deinit { if !isUsed { target.resume(key, .dropped) } }

    /// Lets what was held go on.
    public consuming func resume() {
        target.resume(key, .resumed)
        isUsed = true
    }

    /// Ends the stream with a fault instead.
    public consuming func fail(_ fault: Fault) {
        target.resume(key, .failed(fault))
        isUsed = true
    }

    /// Answers the request instead, from the holding filter upward.
    ///
    /// - Parameters:
    ///   - status: the status.
    ///   - body: a text, as `text/plain` unless `fields` say otherwise.
    ///   - fields: set in the answer's head.
    public consuming func reply(
        _ status: Status, body: String = "", fields: [(name: HeaderName, value: String)] = []
    ) {
        target.resume(key, .reply(status, body, fields))
        isUsed = true
    }
}

extension Resumption {
    /// Keeps what is held, and lets what follows be shown to the filter too, as if it had held without a token.
    package consuming func showMore() {
        target.resume(key, .more)
        isUsed = true
    }

    /// Answers with bytes that were written elsewhere, which are not copied.
    package consuming func reply(
        _ status: Status, donated body: DonatedBytes, fields: [(name: HeaderName, value: String)]
    ) {
        target.resume(key, .donated(status, body, fields))
        isUsed = true
    }
}

/// Which hold of which stream a token is for.
package struct ResumptionKey: Sendable {
    package var slot: UInt32
    package var generation: UInt32
    package var stage: UInt8
    package var isRequest: Bool
    package var serial: UInt32

    package init(slot: UInt32, generation: UInt32, stage: UInt8, isRequest: Bool, serial: UInt32) {
        self.slot = slot
        self.generation = generation
        self.stage = stage
        self.isRequest = isRequest
        self.serial = serial
    }
}

/// What was done with a token.
package enum ResumptionOutcome: Sendable {
    case resumed
    case failed(Fault)
    case reply(Status, String, [(name: HeaderName, value: String)])
    case donated(Status, DonatedBytes, [(name: HeaderName, value: String)])
    case dropped
    case more
}

/// A worker, as far as tokens know it.
package protocol ResumptionTarget: AnyObject, Sendable {
    func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome)
}
