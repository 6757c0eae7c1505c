internal import Engine
internal import FilterAPI

/// The setting `tcp_keepalive` of listeners and clusters.
enum TCPKeepalive {
    /// The kernel's own bound.
    private static let longest = Duration.seconds(32_767)

    static func validate(_ silence: Duration, _ check: inout SettingsCheck) {
        if silence != .zero, silence < .seconds(1) || silence > longest {
            check.error("tcp_keepalive", "must be between 1s and 9h, or 0 for never")
        }
    }

    /// The option for a socket; nil where peers are not probed.
    static func option(_ silence: Duration) -> SocketOption? {
        silence > .zero ? .keepAlive(after: Int32(clamping: silence.components.seconds)) : nil
    }
}
