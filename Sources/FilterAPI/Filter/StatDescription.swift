/// A statistic that a filter keeps, for those who read it: the reference of all statistics is made of these, and so are
/// the explanations in what monitoring systems read.
public struct StatDescription: Sendable, Equatable {
    /// The name by which the filter asks for it: `requests` in ``WorkerContext/counter(_:)``.
    public var name: String
    /// What kind of number it is.
    public var kind: Kind
    /// What the values of a histogram are measured in.
    public var unit: StatUnit
    /// One sentence on what it says, with a full stop.
    public var meaning: String
    /// The whole name in Prometheus, for those that a convention has named; nil for one that begins with the filter's.
    public var exposedAs: String?

    /// What kind of number a statistic is.
    public enum Kind: String, Sendable {
        /// Only grows.
        case counter
        /// Goes up and down.
        case gauge
        /// How often values of which size have come up.
        case histogram
    }

    /// From its parts.
    public init(_ name: String, _ kind: Kind, _ unit: StatUnit, _ meaning: String, exposedAs: String? = nil) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.meaning = meaning
        self.exposedAs = exposedAs
    }

    /// A number that only grows.
    public static func counter(_ name: String, _ meaning: String) -> StatDescription {
        .init(name, .counter, .none, meaning)
    }

    /// A number that goes up and down.
    public static func gauge(_ name: String, _ meaning: String) -> StatDescription {
        .init(name, .gauge, .none, meaning)
    }

    /// How often values of which size have come up.
    public static func histogram(_ name: String, _ unit: StatUnit, _ meaning: String, exposedAs: String? = nil)
        -> StatDescription
    {
        .init(name, .histogram, unit, meaning, exposedAs: exposedAs)
    }
}

/// What the values of a statistic are measured in.
public enum StatUnit: String, Sendable {
    /// Things that are counted.
    case none
    /// Recorded in nanoseconds, shown in seconds or milliseconds.
    case time
    /// Recorded and shown in bytes.
    case bytes
}
