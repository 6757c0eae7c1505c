/// Which certificates are good for which names.
struct CertificateNames {
    private var exact: [String: [Int]] = [:]
    private var wildcard: [String: [Int]] = [:]

    init(_ credentials: [Credential]) {
        for (index, credential) in credentials.enumerated() {
            for name in credential.names {
                if name.hasPrefix("*.") {
                    wildcard[String(name.dropFirst(2)), default: []].append(index)
                } else {
                    exact[name, default: []].append(index)
                }
            }
        }
    }

    /// The certificates for a name in lower case, in the order of the settings; nil where there is none.
    func find(_ name: String) -> [Int]? {
        if let found = exact[name] { return found }
        // A wildcard stands for one label (RFC 6125 section 6.4.3).
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return nil }
        return wildcard[String(name[name.index(after: dot)...])]
    }
}
