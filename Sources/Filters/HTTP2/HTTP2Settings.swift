public import FilterAPI

/// What a side says of itself over HTTP/2 (RFC 9113 section 6.5.2), and how long it waits.
public struct HTTP2Settings: SettingsStruct {
    /// Streams that the peer may have open at once; more are refused, and may be sent again.
    public var maxConcurrentStreams = 1024
    /// Bytes of a body that may be on their way on one stream, or be held for it.
    public var streamWindow = ByteSize.kibibytes(256)
    /// Bytes of bodies that may be on their way on the connection.
    public var connectionWindow = ByteSize.kibibytes(1024)
    /// Memory for names and values that are said again and again (RFC 7541); 0 for none.
    public var headerTable = ByteSize.kibibytes(4)
    /// After so much silence the peer is asked whether it is there; 0 for never.
    public var pingInterval = Duration.zero
    /// How long it may take to answer that.
    public var pingTimeout = Duration.seconds(20)
    /// Whether requests may ask for tunnels as WebSockets do (RFC 8441).
    public var extendedConnect = true

    /// The defaults.
    public init() {}

    /// Checks ranges.
    public func validate(_ check: inout SettingsCheck) {
        if maxConcurrentStreams < 1 || maxConcurrentStreams > 100_000 {
            check.error("max_concurrent_streams", "must be between 1 and 100000")
        }
        if streamWindow.bytes < 65_535 || streamWindow.bytes > Int(Int32.max) {
            check.error("stream_window", "must be between 65535B and 2147483647B")
        }
        if connectionWindow.bytes < 65_535 || connectionWindow.bytes > Int(Int32.max) {
            check.error("connection_window", "must be between 65535B and 2147483647B")
        }
        if headerTable.bytes < 0 || headerTable.bytes > 1 << 20 {
            check.error("header_table", "must be between 0B and 1MiB")
        }
        if pingInterval < .zero { check.error("ping_interval", "must not be negative") }
        if pingTimeout <= .zero { check.error("ping_timeout", "must be more than 0") }
    }
}
