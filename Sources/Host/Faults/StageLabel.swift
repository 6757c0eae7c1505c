internal import CLinux
internal import FilterAPI
internal import Synchronization

/// The name of a stage where signal handlers and other threads can read it at any time: plain memory, never freed, and
/// made once for each name, so that reloads do not add to it.
///
/// SAFETY: what `pointer` points at is written before anybody else sees it, and never changed.
@safe
struct StageLabel: @unchecked Sendable {
    let pointer: UnsafePointer<sluice_call_label>
    /// The address, which has room for a phase in its lowest five bits.
    var bits: UInt { unsafe UInt(bitPattern: pointer) }

    private struct Key: Hashable {
        let stage: String
        let owner: String
        let plugin: String?
    }

    private static let known = Mutex<[Key: StageLabel]>([:])

    /// The label of a stage.
    ///
    /// - Parameters:
    ///   - owner: `listener inbound`.
    ///   - plugin: the plugin's file, where it comes from one.
    static func of(stage: String, owner: String, plugin: String?) -> StageLabel {
        let key = Key(stage: stage, owner: owner, plugin: plugin)
        return known.withLock { known in
            if let label = known[key] { return label }
            let label = StageLabel(key)
            known[key] = label
            return label
        }
    }

    private init(_ key: Key) {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: unsafe MemoryLayout<sluice_call_label>.size, alignment: 32)
        let label = unsafe memory.bindMemory(to: sluice_call_label.self, capacity: 1)
        let plugin = unsafe key.plugin.map { unsafe Self.text($0) }
        let (stage, owner) = unsafe (Self.text(key.stage), Self.text(key.owner))
        unsafe label.initialize(to: sluice_call_label(stage: stage, owner: owner, plugin: plugin))
        unsafe pointer = UnsafePointer(label)
    }

    private static func text(_ text: String) -> UnsafePointer<CChar> {
        let bytes = Array(text.utf8)
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { unsafe memory[index] = CChar(bitPattern: byte) }
        unsafe memory[bytes.count] = 0
        return unsafe UnsafePointer(memory)
    }

    /// What the label says.
    var stage: String { unsafe String(cString: pointer.pointee.stage) }
    /// What the label says.
    var owner: String { unsafe String(cString: pointer.pointee.owner) }
    /// What the label says.
    var plugin: String? { unsafe pointer.pointee.plugin.map { unsafe String(cString: $0) } }

    init?(bits: UInt) {
        guard let pointer = unsafe UnsafePointer<sluice_call_label>(bitPattern: bits & ~31) else { return nil }
        unsafe self.pointer = pointer
    }
}
