import Testing

@testable import Host

@Suite("The messages of gRPC's health service")
struct HealthMessageTests {
    @Test("a question names its service, or none")
    func question() {
        #expect(HealthMessage.request(for: "") == [0, 0, 0, 0, 0])
        #expect(HealthMessage.request(for: "a.B") == [0, 0, 0, 0, 5, 0x0A, 3, 0x61, 0x2E, 0x42])
        let long = HealthMessage.request(for: String(repeating: "x", count: 300))
        #expect(long.count == 308 && Array(long[..<8]) == [0, 0, 0, 1, 47, 0x0A, 0xAC, 0x02])
    }

    @Test(
        "an answer is one message, and the last value of its field counts",
        arguments: [
            ([0, 0, 0, 0, 2, 8, 1], .serving), ([0, 0, 0, 0, 2, 8, 2], .notServing),
            ([0, 0, 0, 0, 2, 8, 3], .serviceUnknown), ([0, 0, 0, 0, 0], .unknown), ([0, 0, 0, 0, 2, 8, 9], .unknown),
            ([0, 0, 0, 0, 4, 8, 1, 8, 2], .notServing), ([0, 0, 0, 0, 3, 8, 0x81, 0], .serving),
            // Fields that nobody knows, of each type.
            ([0, 0, 0, 0, 5, 0x12, 1, 9, 8, 1], .serving), ([0, 0, 0, 0, 4, 0x10, 5, 8, 1], .serving),
            ([0, 0, 0, 0, 7, 0x1D, 1, 2, 3, 4, 8, 1], .serving),
            ([0, 0, 0, 0, 11, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 8, 1], .serving),
        ] as [([UInt8], HealthMessage.Status)])
    func answer(bytes: [UInt8], status: HealthMessage.Status) {
        #expect(HealthMessage.status(in: bytes) == status)
        // Cut anywhere it is none.
        for count in 0..<bytes.count { #expect(HealthMessage.status(in: Array(bytes[..<count])) == nil) }
    }

    @Test(
        "anything else is none",
        arguments: [
            [1, 0, 0, 0, 2, 8, 1], [0, 0, 0, 0, 2, 8, 1, 0], [0, 0, 0, 0, 1, 8], [0, 0, 0, 0, 2, 8, 0x80],
            [0, 0, 0, 0, 3, 0x12, 9, 1], [0, 0, 0, 0, 2, 0x0B, 1], [0, 0, 0, 0, 2, 0, 1], [0, 0, 0, 0, 2, 0x1D, 1],
            [0, 0, 0, 0, 12, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] as [[UInt8]])
    func broken(bytes: [UInt8]) { #expect(HealthMessage.status(in: bytes) == nil) }
}
