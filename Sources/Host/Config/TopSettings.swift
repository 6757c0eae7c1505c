package import Config
internal import Engine
package import FilterAPI
internal import Filters

/// The file's top level.
package struct TopSettings: SettingsStruct {
    /// Threads; 0 for as many as there are processors to use.
    package var workers = 0
    package var drainTimeout = Duration.seconds(30)
    /// Where the service beside accepts: outbound listeners stay open after TERM until it does not any more.
    package var outlive: String?
    package var log = LogSettings()
    package var accessLog: [AccessLogSettings] = []
    /// Clients at once in the whole process; 0 for what the limit of open files allows.
    package var maxConnections = 0
    package var plugins: [PluginSettings] = []
    package var dns = DNSSettings()
    package var watchdog = WatchdogSettings()
    /// The admin interface; none unless it is set.
    package var admin: AdminSettings?
    package var listeners = RawNode()
    package var clusters = RawNode()

    package init() {}

    package func validate(_ check: inout SettingsCheck) {
        if workers < 0 || workers > 1024 { check.error("workers", "must be between 0 and 1024") }
        if maxConnections < 0 { check.error("max_connections", "must not be negative") }
    }
}

/// Where names are looked up.
package struct DNSSettings: SettingsStruct {
    /// Addresses of servers; empty for those of the system.
    package var servers: [String] = []

    package init() {}

    package func validate(_ check: inout SettingsCheck) {
        for (index, server) in servers.enumerated() {
            do throws(AddressError) {
                _ = try NameServers.parse(server)
            } catch {
                check.error(
                    "servers[\(index)]", error.message, hint: "for example `10.0.0.2`, `127.0.0.1:5353` or `[::1]:53`")
            }
        }
    }
}

/// The process's own log, on the error output.
package struct LogSettings: SettingsStruct {
    package var level = LogLevel.info
    package var format = LogFormat.text

    package init() {}
}

/// How log lines are written.
package enum LogFormat: String, Codable, Sendable, CaseIterable {
    case text
    case json
}

/// One listener.
package struct ListenerSettings: SettingsStruct {
    package var bind: [String] = []
    /// In which order it closes at the end of the process.
    package var direction = TrafficDirection.inbound
    /// How long clients have to go elsewhere by themselves: after TERM, and after a reload that changes the chain.
    package var drainDelay = Duration.zero
    /// Clients at once on each worker; 0 for no limit of its own.
    package var maxConnections = 0
    package var backlog = 4096
    /// After so much silence a client is probed, and given up after as long again; 0 for never.
    package var tcpKeepalive = Duration.seconds(60)
    /// How long a client may take nothing of the last answer to it; 0 for no limit.
    package var flushTimeout = Duration.seconds(300)
    /// What may wait for a client before its source stands still.
    package var bufferLimit = BufferLimit.usual
    /// What filters may hold of one direction of a stream; above, 413 for a request and 500 for a response.
    package var holdLimit = ByteSize.mebibytes(1)
    package var accessLog: [AccessLogSettings] = []
    package var chain = RawNode()
    /// In place of the one chain: several, each with whom it is for.
    package var chains = RawNode()
    /// How long a client may take to send the bytes that say which chain it gets.
    package var matchTimeout = Duration.seconds(10)
    /// Whether it is measured how long each filter takes.
    package var filterTimes = false

    package init() {}

    package func validate(_ check: inout SettingsCheck) {
        if matchTimeout <= .zero { check.error("match_timeout", "must be longer than 0") }
        if bind.isEmpty { check.error("", "a listener needs `bind`", hint: "add `bind: 127.0.0.1:8080`") }
        if maxConnections < 0 { check.error("max_connections", "must not be negative") }
        if backlog < 1 || backlog > 65_535 { check.error("backlog", "must be between 1 and 65535") }
        TCPKeepalive.validate(tcpKeepalive, &check)
        BufferLimit.validate(bufferLimit, "buffer_limit", &check)
        BufferLimit.validate(holdLimit, "hold_limit", &check)
    }
}
