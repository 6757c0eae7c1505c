import FilterAPI

/// What this shared object brings.
enum RedisRateLimitPlugin: Plugin {
    static let filters: [any Filter.Type] = [RedisRateLimit.self]
}

/// The one function that Sluice looks for.
@c(sluice_plugin)
public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
    unsafe PluginAPI.answer(question, answer, for: RedisRateLimitPlugin.self)
}
