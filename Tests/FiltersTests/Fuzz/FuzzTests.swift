import FuzzTargets
import Glibc
import Testing

@Suite("What the fuzzer has found")
struct FuzzTests {
    @Test("Nothing is wrong with any known input", arguments: FuzzTargets.names)
    func known(name: String) throws {
        let target = try #require(FuzzTargets.make(name))
        let inputs = Self.inputs("corpus/\(name)") + Self.inputs("regressions/\(name)")
        #expect(inputs.count > 20)
        for input in inputs { #expect(target.complaint(about: input.bytes) == nil, "\(input.path)") }
    }

    private static func inputs(_ folder: String) -> [(path: String, bytes: [UInt8])] {
        let here = #filePath
        let tests = here.firstRange(of: "/FiltersTests/").map { String(here[..<$0.lowerBound]) } ?? "."
        let path = "\(tests)/Fuzz/\(folder)"
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var found: [(path: String, bytes: [UInt8])] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            found.append(("\(path)/\(name)", readBytes("\(path)/\(name)")))
        }
        return found.sorted { $0.path < $1.path }
    }
}
