import FilterAPI
import Testing

@testable import hello

@Suite("The plugin hello")
struct HelloTests {
    @Test("brings one filter, under the name that config files use")
    func brings() {
        #expect(Hello.filters.map { $0.manifest.id } == ["hello"])
        #expect(HelloFilter.interest == .responseHead)
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
