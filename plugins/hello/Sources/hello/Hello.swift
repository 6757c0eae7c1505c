import FilterAPI

/// What this shared object brings.
enum Hello: Plugin {
    static let filters: [any Filter.Type] = [HelloFilter.self]
}

/// The one function that Sluice looks for. Every plugin has the same.
@c(sluice_plugin)
public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
    unsafe PluginAPI.answer(question, answer, for: Hello.self)
}
