internal import FilterAPI

/// Finds the groups of routes whose host patterns fit a host: by the whole name, and by each of its suffixes.
///
/// One open hash table for both, filled when the config is read, so that no request can make it slower.
struct HostIndex {
    private struct Slot {
        var hash: UInt64 = 0
        var group: Int32 = -1
        var textStart: Int32 = 0
        var textEnd: Int32 = 0
        var isSuffix = false
    }

    private var slots: [Slot] = Array(repeating: Slot(), count: 16)
    private var texts: [UInt8] = []
    private var count = 0
    private var hasSuffixes = false
    private var hasNames = false

    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    /// From the end to the start, so that one pass over a name hashes all of its suffixes.
    @inline(__always)
    private static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(ASCII.lower(byte))) &* 0x0000_0100_0000_01B3
    }

    private func slot(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash ^ (hash >> 29)) & (slots.count - 1) }

    /// Adds a pattern: a name, or `*.` and a suffix.
    ///
    /// - Parameter group: not negative.
    mutating func add(_ pattern: String, group: Int32) {
        let isSuffix = pattern.hasPrefix("*.")
        let text = Array(pattern.lowercased().utf8.dropFirst(isSuffix ? 1 : 0))
        if isSuffix { hasSuffixes = true } else { hasNames = true }
        count += 1
        if count * 2 > slots.count { grow() }
        var slot = Slot(group: group, textStart: Int32(texts.count), isSuffix: isSuffix)
        texts += text
        slot.textEnd = Int32(texts.count)
        slot.hash = text.reversed().reduce(Self.seed) { Self.mix($0, $1) }
        insert(slot)
    }

    private mutating func insert(_ slot: Slot) {
        var index = self.slot(of: slot.hash)
        while slots[index].group >= 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for slot in old where slot.group >= 0 { insert(slot) }
    }

    /// Shows the groups of all patterns that fit a host without a port; `*` is not among them.
    @inline(__always)
    func find(_ host: RawSpan, _ body: (Int32) -> Void) {
        guard hasNames || hasSuffixes, host.byteCount > 0 else { return }
        var hash = Self.seed
        var index = host.byteCount - 1
        while index >= 0 {
            let byte = host.byte(at: index)
            hash = Self.mix(hash, byte)
            if byte == UInt8(ascii: "."), hasSuffixes, index > 0 {
                let group = group(hash, host.extracting(index..<host.byteCount), isSuffix: true)
                if group >= 0 { body(group) }
            }
            index -= 1
        }
        let group = group(hash, host, isSuffix: false)
        if group >= 0 { body(group) }
    }

    private func group(_ hash: UInt64, _ text: RawSpan, isSuffix: Bool) -> Int32 {
        var index = slot(of: hash)
        while slots[index].group >= 0 {
            let slot = slots[index]
            if slot.hash == hash, slot.isSuffix == isSuffix, isText(of: slot, text) { return slot.group }
            index = (index + 1) & (slots.count - 1)
        }
        return -1
    }

    private func isText(of slot: Slot, _ text: RawSpan) -> Bool {
        guard Int(slot.textEnd - slot.textStart) == text.byteCount else { return false }
        for index in 0..<text.byteCount
        where ASCII.lower(text.byte(at: index)) != texts[Int(slot.textStart) + index] { return false }
        return true
    }
}
