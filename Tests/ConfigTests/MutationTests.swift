import FilterAPI
import Testing

@testable import Config

@Suite("One mistake in a good file") struct MutationTests {
    static let good = """
        # A file with one of everything.
        workers: 2
        drain_timeout: 30s   # long enough
        log: { level: info, format: text }
        max_connections: 100
        sampling: 0.5
        plugins: [./libhello.so]
        listeners:
          inbound:
            bind: 127.0.0.1:0
            http:
              max_head: 60KiB
              max_http_heads: 100
              idle_timeout: 1h
              cache_ttl: 60s
              normalize_path: true
              escaped_slashes: reject
              server_header: "sluice"
            router:
              routes:
                - name: api
                  match: { host: "*.example.org", prefix: /api }
                  to: app
                  timeout: 15s
                  weight: 10
                  methods: [GET, POST]
                  upgrades: [websocket]
                  set_headers:
                    x-a: one
                    x-b: two
                - to: app
          second:
            bind:
              - 127.0.0.1:1
              - 127.0.0.1:2
            router: { to: app }
        clusters:
          app:
            endpoints:
              - 127.0.0.1:8080
              - { address: db.internal:80, weight: 2 }
              - address: db.internal:81
                weight: 3
            connect_timeout: 5s

        """

    /// Below these the operator makes up the keys.
    static let free = ["listeners", "clusters", "listeners.inbound.router.routes[0].set_headers"]

    static func firstLine(_ text: String) -> Int? {
        let (_, diagnostics) = read(Sample.self, text)
        return diagnostics.sorted.first.map { $0.place?.range.line ?? 0 }
    }

    @Test("the unchanged file is accepted") func unchanged() {
        let result = read(Sample.self, Self.good)
        #expect(brief(result.diagnostics) == [])
        #expect(result.decoded?.clusterUses.count == 3)
    }

    @Test("each misspelt key and each value of the wrong kind is refused")
    func allAreFound() {
        for mutation in mutations(of: Self.good) where mutation.kind != .drop {
            if mutation.kind == .misspell, Self.free.contains(mutation.container) { continue }
            #expect(Self.firstLine(mutation.text) != nil, "\(mutation)")
        }
    }

    @Test("at least 95 % of the first messages point at the line that was changed") func atTheLine() {
        var messages = 0
        var misses: [String] = []
        for mutation in mutations(of: Self.good) {
            guard let line = Self.firstLine(mutation.text) else { continue }
            messages += 1
            if !mutation.lines.contains(line) { misses.append("\(mutation): line \(line), not \(mutation.lines)") }
        }
        #expect(messages >= 80)
        #expect(misses.count * 20 <= messages, "\(misses.joined(separator: "\n"))")
    }

    @Test("one mistake makes one message, not several") func noFollowUps() {
        for mutation in mutations(of: Self.good) {
            let (_, diagnostics) = read(Sample.self, mutation.text)
            #expect(diagnostics.sorted.count <= 1, "\(mutation)\n\(diagnostics.rendered(as: .text))")
        }
    }
}
