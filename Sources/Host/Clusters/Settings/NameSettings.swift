internal import FilterAPI

/// How the names among a cluster's endpoints are looked up.
struct NameSettings: SettingsStruct, Hashable {
    var family = NameFamily.auto
    /// The shortest time between two lookups of a name; the time that an answer says it is good for counts where it
    /// is longer, up to five minutes.
    var refresh = Duration.seconds(1)
    /// Time for one lookup, over all servers and tries.
    var timeout = Duration.seconds(5)

    init() {}

    func validate(_ check: inout SettingsCheck) {
        if refresh < .milliseconds(100) { check.error("refresh", "must be at least 100ms") }
        if timeout < .milliseconds(100) || timeout > .seconds(60) {
            check.error("timeout", "must be between 100ms and 60s")
        }
    }
}

/// Which addresses of a name become endpoints.
enum NameFamily: String, Codable, Sendable, CaseIterable {
    /// The IPv4 addresses; the IPv6 ones where the name has no others, or this machine has no way to the others.
    ///
    /// One kind only: both usually lead to the same servers, and one of them is often closed (`localhost`).
    case auto
    /// The IPv4 addresses.
    case v4
    /// The IPv6 addresses.
    case v6
    /// The addresses of both kinds.
    case all
}
