internal import Engine

/// What the proxy says on its standard error: passed on as it comes, and looked through for where it listens.
final class ProxyLog: EventSource {
    /// The proxy's end, until ``closeWriting()``.
    private(set) var writing: Int32 = -1
    private let loop: EventLoop
    private var whenReady: (([String: String]) -> Void)?
    private var addresses: [String: String] = [:]
    private var line: [UInt8] = []

    /// - Parameter whenReady: called once, with the address of each listener by its name.
    init(on loop: EventLoop, whenReady: @escaping ([String: String]) -> Void) throws(SystemFault) {
        self.loop = loop
        self.whenReady = whenReady
        super.init()
        let (reading, writing) = try Syscalls.pipe()
        Syscalls.setNonBlocking(reading)
        do throws(SystemFault) {
            try loop.registerReadOnly(self, fd: reading)
        } catch {
            Syscalls.close(reading)
            Syscalls.close(writing)
            throw error
        }
        self.writing = writing
    }

    /// Only the proxy has it from now on, so that its end is seen.
    func closeWriting() {
        Syscalls.close(writing)
        writing = -1
    }

    override func ready(_ readiness: Readiness) { drain() }

    /// Passes on what there is.
    func drain() {
        while isRegistered {
            var isOpen = true
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                switch unsafe Syscalls.readFile(fd, into: UnsafeMutableRawBufferPointer(buffer)) {
                case .bytes(let got): count = got
                case .wouldBlock: break
                default: isOpen = false
                }
            }
            if !isOpen { return loop.close(self) }
            if bytes.isEmpty { return }
            for byte in bytes { take(byte) }
        }
    }

    private func take(_ byte: UInt8) {
        line.append(byte)
        guard byte == UInt8(ascii: "\n") else { return }
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        Terminal.error(refusal(in: text) ?? text)
        look(text.split { $0 == " " || $0 == "\n" })
    }

    /// What is wrong with a config, as a person reads it; in a log it is one line.
    private func refusal(in text: String) -> String? {
        guard text.split(separator: " ").dropFirst(2).starts(with: ["config", "refused,"]) else { return nil }
        let key = Array(" details=\"".utf8)
        let bytes = Array(text.utf8)
        guard let begin = bytes.indices.first(where: { bytes[$0...].starts(with: key) }) else { return nil }
        var plain: [UInt8] = []
        var rest = bytes[(begin + key.count)...]
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                plain.append(byte)
                continue
            }
            plain.append(next == UInt8(ascii: "n") ? UInt8(ascii: "\n") : next)
        }
        return String(decoding: plain, as: UTF8.self) + "sluice: this config is not used; what ran before goes on\n"
    }

    private func look(_ words: [Substring]) {
        guard whenReady != nil else { return }
        func value(_ key: String) -> String? {
            words.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.utf8.count + 1)) }
        }
        if words.contains("listening"), let listener = value("listener") { addresses[listener] = value("address") }
        if words.contains("ready"), value("workers") != nil {
            whenReady?(addresses)
            whenReady = nil
        }
    }
}
