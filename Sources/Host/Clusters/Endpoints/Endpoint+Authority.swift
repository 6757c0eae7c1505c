internal import Engine

extension Endpoint {
    /// Host and port as the config knows them, for requests of our own, without the ports that need not be said
    /// (RFC 9110 section 4.2.3).
    ///
    /// - Parameter name: for a Unix socket, which has no host.
    func authority(otherwise name: String) -> String {
        guard !host.isEmpty, let port = address.port else { return name }
        let host = host.contains(":") ? "[\(host)]" : host
        return port == 80 || port == 443 ? host : "\(host):\(port)"
    }
}
