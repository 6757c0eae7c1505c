import FilterAPI
import Testing

@testable import Filters

/// The index against a matcher that tries one route after the other, on routes and requests made at random from few
/// letters, so that they meet often.
struct RandomRoutesTests {
    /// What a request is, in strings.
    private struct Sample: CustomStringConvertible {
        var method: String
        var host: String
        var path: String
        var version: String?
        var description: String { "\(method) \(host)\(path) version \(version ?? "none")" }
    }

    @Test(arguments: UInt64(1)...40) func theIndexFindsWhatALinearSearchFinds(_ seed: UInt64) throws {
        var random = Numbers(state: seed)
        let routes = (0..<Int.random(in: 1...60, using: &random)).map { _ in route(&random) }
        let table = try RouteTable(routes)
        for _ in 0..<300 {
            let sample = sample(&random)
            let fields = sample.version.map { [("x-version", $0)] } ?? []
            let expected = routes.firstIndex { matches($0, sample) } ?? -1
            let found = table.find(sample.method, sample.path, host: sample.host, fields)
            #expect(found == expected, "\(sample) over \(routes)")
            guard found == expected else { return }
        }
    }

    // MARK: At random

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 32) | (state << 32)
        }
    }

    private func text(_ letters: String, upTo count: Int, _ random: inout Numbers) -> String {
        String(
            (0..<Int.random(in: 0...count, using: &random)).map { _ in letters.randomElement(using: &random) ?? "/" })
    }

    private func host(_ random: inout Numbers) -> String {
        (0..<Int.random(in: 1...3, using: &random))
            .map { _ in "ab".randomElement(using: &random).map(String.init) ?? "a" }.joined(separator: ".")
    }

    private func route(_ random: inout Numbers) -> Router.MatchSettings {
        var match = Router.MatchSettings()
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            match.host.append(Bool.random(using: &random) ? host(&random) : "*." + host(&random))
        }
        if Int.random(in: 0..<20, using: &random) == 0 { match.host.append("*") }
        let path = "/" + text("ab/", upTo: 4, &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2: match.prefix = path
        case 3...5: match.path = path
        case 6: match.regex = path + "[ab]*"
        default: break
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            match.methods = [["GET", "POST", "PURGE"].randomElement(using: &random) ?? "GET"]
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            var value = Router.ValueSettings()
            value.exact = "\(Int.random(in: 0...2, using: &random))"
            value.invert = Bool.random(using: &random)
            match.headers = ["x-version": value]
        }
        return match
    }

    private func sample(_ random: inout Numbers) -> Sample {
        Sample(
            method: ["GET", "POST", "PURGE", "TRACK"].randomElement(using: &random) ?? "GET",
            host: host(&random) + (Bool.random(using: &random) ? ":80" : ""),
            path: "/" + text("ab/", upTo: 5, &random),
            version: Bool.random(using: &random) ? "\(Int.random(in: 0...2, using: &random))" : nil)
    }

    // MARK: One after the other

    private func matches(_ route: Router.MatchSettings, _ sample: Sample) -> Bool {
        let host = String(sample.host.split(separator: ":")[0])
        let fitsHost =
            route.host.isEmpty
            || route.host.contains { pattern in
                pattern == "*" || pattern == host || pattern.hasPrefix("*.") && host.hasSuffix(pattern.dropFirst())
            }
        guard fitsHost, fitsPath(route, sample.path) else { return false }
        guard route.methods.isEmpty || route.methods.contains(sample.method) else { return false }
        return route.headers.values.allSatisfy { test in (sample.version == test.exact) != test.invert }
    }

    private func fitsPath(_ route: Router.MatchSettings, _ path: String) -> Bool {
        if let exact = route.path { return path == exact }
        if let prefix = route.prefix { return path.hasPrefix(prefix) }
        guard let regex = route.regex else { return true }
        let start = regex.dropLast("[ab]*".count)
        return path.hasPrefix(start) && path.dropFirst(start.count).allSatisfy { $0 == "a" || $0 == "b" }
    }
}
