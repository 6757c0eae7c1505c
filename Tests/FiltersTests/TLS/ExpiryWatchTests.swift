import FilterAPI
import Synchronization
import Testing

@testable import Filters

@Suite("Certificates that expire") struct ExpiryWatchTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])

        func take() -> [String] {
            all.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private static let day: Int64 = 86_400
    private static let warning = Duration.seconds(14 * day)

    private let lines = Lines()
    private let gauge = Gauge.detached()

    private func look(_ watch: inout ExpiryWatch, _ one: Perishable, at seconds: Int64) -> Duration? {
        let log = FilterLog { [lines] level, message, _ in lines.all.withLock { $0.append("\(level) \(message)") } }
        return watch.look([one], Self.warning, Moment(seconds: seconds), [gauge], log)
    }

    private func certificate(days: Int64) -> Perishable {
        Perishable(what: "a certificate", path: "a.crt", subject: "CN=a", notBefore: 0, notAfter: days * Self.day)
    }

    @Test("a warning comes before the end each day, an error after it each hour, and the gauge goes below zero")
    func life() {
        var watch = ExpiryWatch()
        let one = certificate(days: 90)
        _ = look(&watch, one, at: 75 * Self.day)
        #expect(lines.take().isEmpty && gauge.value == 15 * Self.day)
        for day in Int64(76)...78 {
            _ = look(&watch, one, at: day * Self.day)
            _ = look(&watch, one, at: day * Self.day + 3600)
            #expect(lines.take() == ["warning a certificate in use expires soon"])
        }
        _ = look(&watch, one, at: 90 * Self.day)
        #expect(lines.take() == ["error a certificate in use has expired"])
        _ = look(&watch, one, at: 90 * Self.day + 1800)
        #expect(lines.take().isEmpty)
        _ = look(&watch, one, at: 90 * Self.day + 3600)
        #expect(lines.take() == ["error a certificate in use has expired"] && gauge.value == -3600)
    }

    @Test("the end is told at the moment when it comes, and so is the time of the warning")
    func wakes() {
        var watch = ExpiryWatch()
        let one = certificate(days: 90)
        #expect(look(&watch, one, at: 90 * Self.day - 60) == .seconds(60))
        #expect(look(&watch, one, at: 76 * Self.day - 30) == .seconds(30))
        #expect(look(&watch, one, at: 10 * Self.day) == .seconds(3600))
        #expect(ExpiryWatch().isIdle(without: []))
    }

    @Test("what lives for a day only is not warned of all its life")
    func shortLives() {
        var watch = ExpiryWatch()
        let one = certificate(days: 1)
        _ = look(&watch, one, at: Self.day / 2)
        #expect(lines.take().isEmpty)
        _ = look(&watch, one, at: Self.day * 4 / 5)
        #expect(lines.take() == ["warning a certificate in use expires soon"])
    }

    @Test("what is not yet valid is told")
    func early() {
        var watch = ExpiryWatch()
        _ = look(&watch, certificate(days: 90), at: -100)
        #expect(lines.take() == ["error a certificate in use is not yet valid"])
    }

    @Test("new files are told of anew")
    func forgets() {
        var watch = ExpiryWatch()
        _ = look(&watch, certificate(days: 90), at: 89 * Self.day)
        watch.forget()
        _ = look(&watch, certificate(days: 90), at: 89 * Self.day)
        #expect(lines.take().count == 2)
    }
}

extension ExpiryWatch {
    fileprivate func isIdle(without all: [Perishable]) -> Bool {
        var copy = self
        return copy.look(all, .zero, Moment(seconds: 0), [], FilterLog { _, _, _ in }) == nil
    }
}
