import FilterAPI
import FilterTesting

@testable import Filters

/// A `tls` filter for each side, made from files of its own.
final class TLSLab {
    let folder = TestFolder()
    let server = FakeWorker()
    let client = FakeWorker()

    /// A filter that ends TLS, with the pair `server` of the folder.
    func makeServer(_ edit: (inout TLS.Settings) -> Void = { _ in }) throws -> TLS {
        if server.watchedStates.isEmpty { folder.write("server", .any) }
        return try server.make(TLS.self) { settings in
            settings.certificate = "\(folder.path)/server.crt"
            settings.key = "\(folder.path)/server.key"
            edit(&settings)
        }
    }

    /// A filter that begins TLS, and trusts the authority of all pairs.
    func makeClient(_ edit: (inout TLS.Settings) -> Void = { _ in }) throws -> TLS {
        client.side = .upstream
        let ca = folder.write("ca.pem", TestPair.authorityPEM)
        return try client.make(TLS.self) { settings in
            settings.ca = ca
            edit(&settings)
        }
    }

    /// Gives each end what the other has sent, until nobody has anything more to say.
    static func exchange(_ one: TLSBench, _ other: TLSBench) {
        while !one.toPeer.isEmpty || !other.toPeer.isEmpty {
            other.receive(one.takeToPeer())
            one.receive(other.takeToPeer())
        }
    }
}
