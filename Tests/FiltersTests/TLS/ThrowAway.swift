import Foundation

/// A folder with certificates that scripts/certificates makes, once for the run.
enum ThrowAway {
    static let folder: String = {
        let path = NSTemporaryDirectory() + "sluice-tests-\(getpid())"
        let script = #filePath.components(separatedBy: "/Tests/")[0] + "/scripts/certificates"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: script)
        process.arguments = [path]
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        atexit { try? FileManager.default.removeItem(atPath: ThrowAway.folder) }
        return path
    }()
}
