package import FilterAPI

/// Reads settings from nodes. Learns each type's keys and defaults once, so keep one for a whole file.
package final class SettingsDecoder {
    /// A decoder that knows no type yet.
    package init() {}

    package func decode<Value: SettingsStruct>(
        _ type: Value.Type, from node: Node?, at fallback: Place? = nil, into diagnostics: Diagnostics
    ) -> Decoded<Value>? {
        nil
    }
}
