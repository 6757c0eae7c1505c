import Testing

@testable import hello

@Test func defaults() {
    #expect(HelloFilter.Settings().header == "x-hello")
}
