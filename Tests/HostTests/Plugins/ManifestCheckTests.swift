import FilterAPI
import Testing

@testable import Host

/// What a plugin may not say of its filters.
@Suite("What plugins register") struct ManifestCheckTests {
    private class Said: HTTPFilter {
        class var manifest: Manifest { Manifest(id: "said", summary: "") }
        class var interest: Interest { .heads }
        required init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}
    }
    private final class Again: Said {}
    private final class Nameless: Said {
        override class var manifest: Manifest { Manifest(id: "", summary: "") }
    }
    private final class Odd: Said {
        override class var manifest: Manifest { Manifest(id: "a b: c", summary: "") }
    }
    private final class Curious: Said {
        override class var interest: Interest { Interest(rawValue: 0x8001) }
    }
    private final class Twofold: Said {
        override class var manifest: Manifest {
            Manifest(id: "twofold", summary: "", stats: [.counter("seen", "One."), .gauge("seen", "Other.")])
        }
    }
    private final class Blank: Said {
        override class var manifest: Manifest {
            Manifest(id: "blank", summary: "", reasons: [.init("", [.badRequest], "Nothing.")])
        }
    }
    private final class Repeating: Said {
        override class var manifest: Manifest {
            Manifest(
                id: "repeating", summary: "",
                reasons: [.init("a.b", [.badRequest], "One."), .init("a.b", [.noRoute], "Other.")])
        }
    }
    private final class Roleless: Filter {
        static var manifest: Manifest { Manifest(id: "roleless", summary: "") }
        init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}
    }
    private final class Torn: HTTPFilter, HTTPTerminal {
        static var manifest: Manifest { Manifest(id: "torn", summary: "") }
        init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}
    }

    private func refusal(_ types: [any Filter.Type]) -> String? {
        do throws(PluginRefusal) {
            try ManifestCheck.check(types)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("What is right is taken") func taken() { #expect(refusal([Said.self]) == nil) }

    @Test("Each kind of garbage has its own words, which name the filter") func words() {
        #expect(refusal([]) == "it brings no filters")
        #expect(refusal([Said.self, Again.self]) == "two of its filters are called `said`")
        #expect(refusal([Nameless.self]) == "its filter `Nameless` has an empty id")
        #expect(refusal([Odd.self]) == "the id of its filter `Odd` is `a b: c`, which cannot be named")
        #expect(refusal([Curious.self]) == "its filter `said` is interested in events that there are not (0x8000)")
        #expect(refusal([Twofold.self]) == "its filter `twofold` says of the statistic `seen` twice what it is")
        #expect(refusal([Blank.self]) == "its filter `blank` has a reason of the name ``, which cannot be written")
        #expect(refusal([Repeating.self]) == "its filter `repeating` says of the reason `a.b` twice what it is")
        #expect(refusal([Roleless.self])?.hasPrefix("its filter `Roleless` has no role") == true)
        #expect(refusal([Torn.self]) == "its filter `Torn` has several roles: HTTPFilter, HTTPTerminal")
    }
}
