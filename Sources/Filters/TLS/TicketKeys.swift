internal import COpenSSL
internal import Synchronization

/// The keys that session tickets are sealed with: one for the process, so that every worker and every generation can
/// open what another has sealed. They change with time and are never written anywhere.
final class TicketKeys: Sendable {
    /// One key.
    struct Key: Sendable {
        let name: [UInt8]
        let cipher: [UInt8]
        let mac: [UInt8]
        let madeAt: Int64
    }

    private let keys = Mutex<[Key]>([])

    /// The key to seal with now: a new one where the last has served for its time.
    func current(_ now: Int64, lifetime: Int64) -> Key? {
        keys.withLock { keys in
            if let first = keys.first, now < first.madeAt + lifetime, now >= first.madeAt { return first }
            guard let fresh = Self.make(now) else { return nil }
            // A ticket lives as long as a key seals, so what is older than twice that has sealed none that is good.
            keys = [fresh] + keys.filter { now < $0.madeAt + 2 * lifetime }.prefix(3)
            return fresh
        }
    }

    /// The key of that name, and whether it is the one that seals now.
    func find(_ name: UnsafeBufferPointer<UInt8>, _ now: Int64, lifetime: Int64) -> (key: Key, isCurrent: Bool)? {
        keys.withLock { keys in
            for (index, key) in keys.enumerated() where unsafe name.elementsEqual(key.name) {
                return now < key.madeAt + 2 * lifetime ? (key, index == 0 && now < key.madeAt + lifetime) : nil
            }
            return nil
        }
    }

    private static func make(_ now: Int64) -> Key? {
        var bytes = [UInt8](repeating: 0, count: 80)
        guard unsafe RAND_bytes(&bytes, 80) == 1 else { return nil }
        return Key(name: Array(bytes[..<16]), cipher: Array(bytes[16..<48]), mac: Array(bytes[48...]), madeAt: now)
    }
}
