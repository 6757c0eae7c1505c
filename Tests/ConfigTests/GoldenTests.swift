import Glibc
import Testing

@testable import Config

@Suite("Broken configs and what is said about them") struct GoldenTests {
    static let folder = beside("Golden")
    static let cases = names(in: folder).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }

    /// Run with SLUICE_UPDATE_GOLDEN=1 to write the expected texts anew; then read the difference.
    static let isUpdating = unsafe getenv("SLUICE_UPDATE_GOLDEN") != nil

    @Test("the text is as expected", arguments: cases) func texts(name: String) throws {
        let text = try String(
            decoding: FileReading.read("\(Self.folder)/\(name).yaml", limit: 1 << 20, onlyRegular: true), as: UTF8.self)
        let result = read(Sample.self, text, environment: ["EMPTY": "", "PORT": "eighty-hush"], name: "\(name).yaml")
        let rendered = result.diagnostics.rendered(as: .text)
        #expect(result.diagnostics.hasErrors)
        if Self.isUpdating { write(rendered, to: "\(Self.folder)/\(name).expected") }
        let expected = try FileReading.read("\(Self.folder)/\(name).expected", limit: 1 << 20, onlyRegular: true)
        #expect(rendered == String(decoding: expected, as: UTF8.self))
    }

    @Test("there are golden texts") func exist() { #expect(Self.cases.count >= 20) }
}
