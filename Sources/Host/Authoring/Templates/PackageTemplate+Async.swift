extension PackageTemplate {
    /// Filter.swift of an asynchronous filter.
    var asyncFilter: String {
        "public import FilterAPI\npublic import FilterAsync\n\n" + opening("AsyncHTTPFilter") + made + #"""
                /// From the request to its response, on the worker's own thread: wait for what you like, and never block.
                ///
                /// Who does not call `next` answers by `request.reply(403, body: "no\n")`; what must be asked first is asked by
                /// `try await request.fetch(…, from: cluster)`.
                public nonisolated(nonsending) func handle(
                    _ request: consuming AsyncRequest, next: consuming Next
                ) async throws -> AsyncResponse {
                    var response = try await next(request)
                    response.head.headers.set(name, value)
                    changed.add()
                    return response
                }
            }
            """#
    }

    /// The tests of an asynchronous filter.
    var asyncTests: String { testsHead + fieldTests + testsEnd() }
}
