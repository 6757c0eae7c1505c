import Glibc

@testable import Filters

/// A folder that goes with the test.
final class TestFolder {
    let path: String

    init() {
        var template = Array("/tmp/sluice-tls-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
                ?? "/nonexistent"
        }
    }

    deinit { unsafe system("rm -rf '\(path)'") }

    /// Writes a file.
    ///
    /// - Returns: its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = unsafe fopen("\(path)/\(name)", "w")
        unsafe fwrite(bytes, 1, bytes.count, file)
        unsafe fclose(file)
        return "\(path)/\(name)"
    }

    @discardableResult
    func write(_ name: String, _ text: String) -> String { write(name, Array(text.utf8)) }

    /// Writes `name`.crt and `name`.key.
    ///
    /// - Returns: their paths.
    @discardableResult
    func write(_ name: String, _ pair: TestPair) -> (certificate: String, key: String) {
        (write("\(name).crt", pair.certificate), write("\(name).key", pair.key))
    }
}
