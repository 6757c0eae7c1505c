import FilterAPI
import FilterTesting
import Testing

@testable import hello

@Suite("The plugin hello")
struct HelloTests {
    @Test("brings one filter, under the name that config files use")
    func brings() {
        #expect(Hello.filters.map { $0.manifest.id } == ["hello"])
        #expect(HelloFilter.interest == .responseHead)
    }

    @Test("sets its field, and what a route says in its place")
    func field() throws {
        let worker = FakeWorker()
        let stream = FakeStream(try worker.make(HelloFilter.self, config: "{ value: good day }"))
        stream.requestHead(last: true)
        stream.responseHead(200, last: true)
        #expect(stream.above.values("x-hello") == ["good day"])
        #expect(worker.value(of: "hello.greetings") == 1)
        let other = FakeStream(stream.filter)
        var route = HelloFilter.RouteSettings()
        route.value = "good night"
        other.routeSettings = route
        other.responseHead(200, last: true)
        #expect(other.above.values("x-hello") == ["good night"])
    }

    @Test("refuses what is no name of a field, in words for the operator")
    func refused() {
        let fault = #expect(throws: ConfigurationFault.self) {
            try FakeWorker().make(HelloFilter.self, config: "{ header: 'not a name' }")
        }
        #expect(fault?.key == "header")
    }

    @Test("keeps the rules of filters")
    func conformance() {
        #expect(Conformance.findings(HelloFilter.self) == [])
    }

    @Test("says what it was built with, and nothing to questions that it does not know")
    func answers() {
        var handshake = PluginHandshake(version: 0, compiler: 0, layout: 0)
        #expect(sluicePlugin(0, &handshake) == 0)
        #expect(
            handshake
                == PluginHandshake(version: PluginAPI.version, compiler: PluginAPI.compiler, layout: PluginAPI.layout))
        #expect(sluicePlugin(99, &handshake) != 0)
    }
}
