package import Config
internal import Engine
package import FilterAPI
internal import Filters

/// One of several chains of a listener.
package struct ChainEntrySettings: SettingsStruct {
    /// For logs.
    package var name: String?
    package var match = ChainMatchSettings()
    package var chain = RawNode()

    package init() {}
}

/// Which clients get a chain: all that is said must hold, and of a list one element.
package struct ChainMatchSettings: SettingsStruct {
    /// Host names that TLS clients ask for; `*.example.com` for every name below one.
    package var serverNames: [String] = []
    /// Protocols that TLS clients offer.
    package var applicationProtocols: [String] = []
    /// Where the client connected to: addresses and ranges of them.
    package var destinations: [String] = []
    package var destinationPorts: [Int] = []
    /// Where the client is: addresses and ranges of them.
    package var sources: [String] = []
    /// Whether the first bytes are TLS; nil for no matter.
    package var tls: Bool?

    package init() {}

    package func validate(_ check: inout SettingsCheck) {
        for (index, name) in serverNames.enumerated() where ServerNamePattern(name) == nil {
            check.error(
                "server_names[\(index)]", "`\(name)` is not a host name",
                hint: "for example `api.example.com`, or `*.example.com` for every name below it")
        }
        for (index, name) in applicationProtocols.enumerated() where name.isEmpty || name.utf8.count > 255 {
            check.error(
                "application_protocols[\(index)]", "a protocol's name has 1 to 255 bytes", hint: "for example `h2`")
        }
        for (index, port) in destinationPorts.enumerated() where port < 1 || port > 65_535 {
            check.error("destination_ports[\(index)]", "must be between 1 and 65535")
        }
        Self.check(destinations, "destinations", &check)
        Self.check(sources, "sources", &check)
        if tls == false, !serverNames.isEmpty || !applicationProtocols.isEmpty {
            check.error("tls", "only TLS clients name a server or a protocol, so this matches nobody")
        }
    }

    private static func check(_ ranges: [String], _ key: String, _ check: inout SettingsCheck) {
        for (index, text) in ranges.enumerated() {
            do throws(AddressError) { _ = try AddressRange(text) } catch {
                check.error("\(key)[\(index)]", error.message, hint: "for example `10.0.0.0/8` or `2001:db8::1`")
            }
        }
    }
}
