public import FilterAPI

extension Trace {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// The formats in which every upstream is told of the trace.
        public var propagate = [Format.w3c]
        /// Which share of the traces that begin here is recorded.
        public var sample = Percent.all
        /// Whether the trace that a client names is gone on with.
        public var trust = true
        /// The field of the response that tells clients the trace; nil for none.
        public var responseHeader: String?

        /// W3C Trace Context, everything recorded.
        public init() {}

        /// Checks the formats and the name.
        public func validate(_ check: inout SettingsCheck) {
            if propagate.isEmpty {
                check.error(
                    "propagate", "must name a format at least", hint: "without the filter all fields pass as they are")
            }
            for (index, format) in propagate.enumerated() where propagate[..<index].contains(format) {
                check.error("propagate[\(index)]", "`\(format.rawValue)` is there already")
            }
            if let responseHeader, HeaderName(responseHeader) == nil {
                check.error("response_header", "`\(responseHeader)` cannot be the name of a header field")
            }
        }
    }

    /// A way to write a trace into fields.
    public enum Format: String, Codable, Sendable, CaseIterable {
        /// `traceparent` and `tracestate`.
        case w3c
        /// `x-b3-traceid` and the fields beside it.
        case b3
        /// `b3`.
        case b3Single = "b3_single"
    }
}
