import FilterAPI
import FilterAsync

/// Answers in place of an upstream that cannot be reached, and fails what asks for it.
final class Rescue: AsyncHTTPFilter {
    static let manifest = Manifest(id: "rescue", summary: "Answers for an upstream that cannot be reached.")

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func handle(_ request: consuming AsyncRequest, next: consuming Next) async throws -> AsyncResponse {
        if request.head.method == .delete { throw Fault(.upstreamTimeout, "rescue.thrown") }
        let handle = request.stream
        do { return try await next(request) } catch let fault as Fault {
            return handle.reply(200, body: "rescued from \(fault.reason)")
        }
    }
}

enum Brought: Plugin {
    static let filters: [any Filter.Type] = [Rescue.self]
}

/// The one function that Sluice looks for.
@c(sluice_plugin)
public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
    unsafe PluginAPI.answer(question, answer, for: Brought.self)
}
