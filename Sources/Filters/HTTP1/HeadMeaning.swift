/// What the fields of a head say about the message's end and its connection, gathered while they are read.
struct HeadMeaning {
    struct Flags: OptionSet {
        let rawValue: UInt16
        static let chunked = Flags(rawValue: 1 << 0)
        static let transferEncoding = Flags(rawValue: 1 << 1)
        static let close = Flags(rawValue: 1 << 2)
        static let keepAlive = Flags(rawValue: 1 << 3)
        /// `Connection` lists `upgrade`.
        static let upgradeListed = Flags(rawValue: 1 << 4)
        static let upgradeField = Flags(rawValue: 1 << 5)
        static let expectsContinue = Flags(rawValue: 1 << 6)
        /// `Connection` names fields that are to be taken out.
        static let namesFields = Flags(rawValue: 1 << 7)
        static let underscoreNames = Flags(rawValue: 1 << 8)
        static let teTrailers = Flags(rawValue: 1 << 9)
        /// Chunked, with another coding below.
        static let unknownCoding = Flags(rawValue: 1 << 11)
        static let connectionField = Flags(rawValue: 1 << 10)
    }

    var flags: Flags = []
    var contentLength = -1
    var hostCount = 0
    /// Fields that `Connection` names.
    var connectionOptions = 0
    /// Seconds that an upstream said it keeps idle connections; -1 where it did not.
    var keepAliveTimeout = -1
}
