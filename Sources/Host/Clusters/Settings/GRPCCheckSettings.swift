internal import FilterAPI

/// A call of `grpc.health.v1.Health/Check`, which a good endpoint answers with SERVING.
struct GRPCCheckSettings: SettingsStruct, Equatable {
    /// Which service is asked for; the server as a whole unless it is set.
    var service = ""
    /// The `:authority` of the call; the endpoint as the config knows it unless it is set.
    var authority: String?

    init() {}

    init?(shorthand: String) { service = shorthand }

    func validate(_ check: inout SettingsCheck) {
        var head = RequestHead()
        if let authority, authority.isEmpty || !head.setAuthority(authority) {
            check.error("authority", "`\(authority)` cannot be a host")
        }
        if service.utf8.count > 1024 { check.error("service", "must not be longer than 1024 bytes") }
    }
}
