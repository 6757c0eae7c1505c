internal import Filters
internal import Glibc

/// Certificates for `sluice demo`, by an authority that forgets its key: files in a folder that goes with the demo.
///
/// They are for this machine, and are made anew each time. For examples there is scripts/certificates, which leaves its
/// files there.
struct DemoCertificates {
    /// The folder, absolute, readable by its owner only.
    let folder: String

    private static let names = ["ca.pem", "server.crt", "server.key", "client.crt", "client.key"]

    /// Makes a folder with `ca.pem`, and the pairs `server` and `client`.
    ///
    /// - Returns: nil where the folder cannot be made, or OpenSSL will not.
    static func make() -> DemoCertificates? {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/sluice-demo-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { return nil }
        let path = template.dropLast().map { UInt8(bitPattern: $0) }
        let made = DemoCertificates(folder: String(decoding: path, as: UTF8.self))
        guard made.fill() else {
            made.remove()
            return nil
        }
        return made
    }

    /// Removes the folder with all that was made in it.
    func remove() {
        for name in Self.names { unsafe unlink("\(folder)/\(name)") }
        unsafe rmdir(folder)
    }

    private func fill() -> Bool {
        guard let authority = ThrowAwayAuthority("throw-away authority of sluice demo"),
            let server = authority.issue(
                "server", usage: "serverAuth", names: "DNS:localhost,IP:127.0.0.1,URI:spiffe://sluice.demo/upstream"),
            let client = authority.issue("client", usage: "clientAuth", names: "URI:spiffe://sluice.demo/proxy")
        else { return false }
        return write(authority.pem, to: "ca.pem") && write(server, to: "server") && write(client, to: "client")
    }

    private func write(_ pair: ThrowAwayAuthority.Pair, to name: String) -> Bool {
        write(pair.certificate, to: "\(name).crt") && write(pair.key, to: "\(name).key")
    }

    private func write(_ text: String, to name: String) -> Bool {
        guard let file = unsafe fopen("\(folder)/\(name)", "w") else { return false }
        let isWritten = unsafe fputs(text, file) >= 0
        return unsafe fclose(file) == 0 && isWritten
    }
}
