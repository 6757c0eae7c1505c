import FilterAPI

enum Misbehaving: Plugin {
    static let filters: [any Filter.Type] = [MisbehavingFilter.self]
}

/// What Sluice looks for.
@c(sluice_plugin)
public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
    unsafe PluginAPI.answer(question, answer, for: Misbehaving.self)
}
