internal import Engine
package import FilterAPI

/// A chain of HTTP filters without sockets, which is shown heads the way a connection would: for measuring the walk.
package final class ChainTrial {
    private let worker: Worker
    private let chain: Chain

    /// Makes the filters, with their settings as they are by default.
    ///
    /// - Throws: what a filter does not like, or what the system refuses.
    package convenience init(_ types: [any Filter.Type]) throws {
        try self.init(stages: types.map { Self.stage($0) })
    }

    /// Makes the filters of these stages.
    ///
    /// - Throws: what a filter does not like, or what the system refuses.
    init(stages: [StagePlan]) throws {
        worker = try Worker(
            index: 0, registry: StatRegistry(workers: 1), log: Log(level: .error, format: .text),
            connectionLimit: ConnectionLimit(0))
        chain = try ChainBuilder(file: "trial").build(
            ChainPlan(stages: stages), of: "trial", side: .client, services: worker)
    }

    private static func stage<F: Filter>(_ type: F.Type) -> StagePlan {
        StagePlan(name: type.manifest.id, type: type, settings: F.Settings())
    }

    /// Opens a stream, shows it a request without a body on the way down and a response without one on the way up,
    /// and closes it; as often as told.
    package func run(_ count: Int) {
        for _ in 0..<count {
            let stream = unsafe worker.streams.take(worker: worker).takeUnretainedValue()
            stream.begin(on: nil, chain: chain)
            stream.requestHeadArrived(last: true)
            stream.responseHeadArrived(last: true)
        }
    }

    /// What a stream comes to that is shown the same once.
    enum Passage {
        case passed
        /// The request did not come to the end of the chain.
        case noRequest
        /// The response did not come to the top.
        case noResponse
    }

    /// Shows one stream what ``run(_:)`` shows each: that takes for granted that the filters let it go on.
    func tryOnce() -> Passage {
        let stream = unsafe worker.streams.take(worker: worker).takeUnretainedValue()
        stream.begin(on: nil, chain: chain)
        stream.requestHeadArrived(last: true)
        guard stream.flags.contains(.active) else { return .noRequest }
        guard stream.parkedRequest == 0, !stream.flags.contains(.responseStarted) else {
            stream.end(.complete)
            return .noRequest
        }
        stream.responseHeadArrived(last: true)
        guard stream.flags.contains(.active) else { return .passed }
        stream.end(.complete)
        return .noResponse
    }
}
