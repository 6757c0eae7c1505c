import FilterAPI
import FilterTesting
import Glibc
import Testing

@testable import Filters

@Suite("Files of TLS that change, and certificates that expire") struct TLSMaterialTests {
    private static let day: Int64 = 86_400
    private let lab = TLSLab()

    private struct Watch {
        let lab: TLSLab
        let state: any WatchedState
        let start = Int64(time(nil))

        /// Looks at the files `seconds` from now.
        ///
        /// - Returns: the new lines of the log, without their fields, and when to look again.
        func look(after seconds: Int64) -> (lines: [String], again: Duration?) {
            let before = lab.server.logLines.count
            let again = state.refresh(Moment(seconds: start + seconds))
            let told = lab.server.logLines.dropFirst(before).map { line in
                String(line.prefix { $0 != "=" }).split(separator: " ").dropLast().joined(separator: " ")
            }
            return (Array(told), again)
        }

        func gauge(_ name: String) -> Int64? { lab.server.value(ofGauge: "tls.\(name)") }
        var secondsLeft: Int64? { gauge("certificate_seconds_left{file=\"\(lab.folder.path)/server.crt\"}") }
    }

    private func watch(_ pair: TestPair, _ edit: (inout TLS.Settings) -> Void = { _ in }) throws -> (Watch, TLS) {
        lab.folder.write("server", pair)
        let filter = try lab.server.make(TLS.self) { settings in
            settings.certificate = "\(lab.folder.path)/server.crt"
            settings.key = "\(lab.folder.path)/server.key"
            edit(&settings)
        }
        return (Watch(lab: lab, state: try #require(lab.server.watchedStates.first)), filter)
    }

    private static let soon = "warning tls: a certificate in use expires soon"
    private static let expired = "error tls: a certificate in use has expired"

    @Test("it is warned of a certificate's end once a day, and once an hour afterwards") func expiry() throws {
        let day = Self.day
        let (watch, filter) = try watch(.make(from: Int(-60 * day), until: Int(30 * day)))
        let steps: [(at: Int64, told: [String])] = [
            (0, []), (15 * day, []), (16 * day - 10, []), (16 * day + 10, [Self.soon]), (16 * day + 3600, []),
            (17 * day, []), (17 * day + 20, [Self.soon]), (29 * day, [Self.soon]), (30 * day - 10, []),
            // That it is over is told at once, whenever the last warning was.
            (30 * day + 10, [Self.expired]), (30 * day + 20, []), (30 * day + 3700, [Self.expired]),
            (31 * day, [Self.expired]),
        ]
        for (at, told) in steps {
            let (lines, again) = watch.look(after: at)
            #expect(lines == told, "after \(at) seconds")
            let left = 30 * day - at
            #expect(abs(try #require(watch.secondsLeft) - left) <= 2)
            // Looked at again by the hour, when it ends, and when it is to be warned of.
            let expected = [left, left - 14 * day].filter { $0 > 0 }.reduce(3600, min)
            #expect(abs(try #require(again).components.seconds - expected) <= 2)
        }
        #expect(watch.gauge("certificate_reloads") == 0 && watch.gauge("certificate_reload_failures") == 0)
        // It is served all the same: what clients make of it is up to them.
        let client = TLSBench(try lab.makeClient(), .upstream)
        let server = TLSBench(filter, .client)
        TLSLab.exchange(client, server)
        #expect(server.isOpen)
    }

    @Test("how long before is a setting; the first look is the one at the start") func warningTime() throws {
        let (_, _) = try watch(.make(from: -20 * 86_400, until: 3 * 86_400)) { $0.expiryWarning = .seconds(2 * 86_400) }
        #expect(!lab.server.logLines.contains { $0.hasPrefix(Self.soon) })
        let other = TLSLab()
        other.folder.write("server", .make(from: -20 * 86_400, until: 3 * 86_400 + 600))
        _ = try other.server.make(TLS.self) { settings in
            settings.certificate = "\(other.folder.path)/server.crt"
            settings.key = "\(other.folder.path)/server.key"
        }
        let line = try #require(other.server.logLines.first { $0.hasPrefix(Self.soon) })
        #expect(line.contains("seconds_left=259") && line.contains("subject=CN=pair") && line.contains("not_after="))
    }

    @Test("a certificate that is not valid yet is told of") func early() throws {
        let (watch, _) = try watch(.make(from: 7200, until: 40 * 86_400))
        #expect(lab.server.logLines.contains { $0.hasPrefix("error tls: a certificate in use is not yet valid") })
        #expect(watch.look(after: 7300).lines == [])
    }

    @Test("with a new pair all is new: gauges, warnings and what is served") func reload() throws {
        let (watch, filter) = try watch(.make(from: -20 * 86_400, until: Int(Self.day)))
        #expect(watch.look(after: 0).lines == [])
        lab.folder.write("server", .make(from: -20 * 86_400, until: Int(2 * Self.day)))
        #expect(watch.look(after: 10).lines == ["info tls: certificate files read again", Self.soon])
        #expect(watch.gauge("certificate_reloads") == 1)
        #expect(try #require(watch.secondsLeft) > Self.day)
        lab.folder.write("server", .any)
        #expect(watch.look(after: 20).lines == ["info tls: certificate files read again"])
        #expect(watch.look(after: 30).lines == [], "nothing has changed")
        #expect(watch.gauge("certificate_reloads") == 2 && watch.gauge("certificate_reload_failures") == 0)
        let (client, server) = (TLSBench(try lab.makeClient(), .upstream), TLSBench(filter, .client))
        TLSLab.exchange(client, server)
        #expect(client.connectionFacts.tls?.peer?.dnsNames == ["a.test", "*.wild.test"])
    }

    @Test("what cannot be used is counted, and changes nothing") func failures() throws {
        let (watch, filter) = try watch(.any)
        let refused = ["error tls: new certificate files refused, the old ones stay in use"]
        var count: Int64 = 0
        for spoil in [
            { $0.write("server.crt", "") }, { $0.write("server.key", "") },
            { $0.write("server", .make(from: -7200, until: -3600)) },
            { $0.write("server.crt", TestPair.make().certificate) },
        ] as [(TestFolder) -> Void] {
            lab.folder.write("server", .any)
            _ = watch.look(after: 0)
            spoil(lab.folder)
            #expect(watch.look(after: 0).lines == refused)
            count += 1
            #expect(watch.gauge("certificate_reload_failures") == count)
        }
        #expect(watch.gauge("certificate_reloads") == 0)
        #expect(try #require(watch.secondsLeft) > 29 * Self.day)
        let (client, server) = (TLSBench(try lab.makeClient(), .upstream), TLSBench(filter, .client))
        TLSLab.exchange(client, server)
        #expect(client.isOpen)
        lab.folder.write("server", .make())
        #expect(watch.look(after: 0).lines == ["info tls: certificate files read again"])
    }

    @Test("all files are watched, each under its own name") func files() throws {
        let ca = lab.folder.write("ca.pem", TestPair.authorityPEM)
        let crl = lab.folder.write("crl.pem", TestPair.revocationsPEM)
        let words = lab.folder.write("words", "words")
        let (watch, _) = try watch(.make(passphrase: "words")) { settings in
            (settings.ca, settings.crl, settings.passphraseFile) = (ca, crl, words)
        }
        let own = ["server.crt", "server.key"].map { "\(lab.folder.path)/\($0)" }
        #expect(Set(watch.state.files) == Set(own + [ca, crl, words]))
    }
}
