extension PackageTemplate {
    /// Filter.swift of the kind http.
    var httpFilter: String {
        "public import FilterAPI\n\n" + opening("HTTPFilter") + #"""
                /// Nothing but the heads of responses comes here, so that all the rest costs nothing.
                public static var interest: Interest { [.responseHead] }


            """# + made + #"""
                    /// Sets the field, and leaves: the rest of the response is not shown to this filter.
                    public func responseHead(
                        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
                    ) throws(Fault) -> Step {
                        head.headers.set(name, value)
                        changed.add()
                        return .leave
                    }
                }
                """#
    }

    /// The tests of the kind http.
    var httpTests: String {
        testsHead + fieldTests + testsEnd()
    }

    /// How each test file begins.
    var testsHead: String {
        #"""
        import FilterAPI
        import FilterTesting
        import Testing

        @testable import \#(id)

        @Suite("The filter \#(id)")
        struct \#(type)Tests {

        """#
    }

    /// How each test file ends: with what every filter must do.
    func testsEnd(_ options: String = "") -> String {
        #"""
            @Test("keeps the rules of filters")
            func conformance() {
                #expect(Conformance.findings(\#(type)Filter.self\#(options)) == [])
            }

            @Test("brings one filter, under the name that config files use and with a role")
            func brings() {
                #expect(\#(type)Plugin.filters.map { $0.manifest.id } == ["\#(id)"])
                #expect(\#(type)Plugin.filters.first is any \#(role).Type)
            }
        }

        """#
    }
}
