public import FilterAPI

extension Gzip {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// What is done with the bodies of responses.
        public var responses = Work.compress
        /// What is done with the bodies of requests.
        public var requests = Work.off
        /// How hard it tries, from 1, the fastest, to 9, the smallest.
        public var level = 1
        /// How far back it looks, as a power of two: 9 to 15.
        public var windowBits = 15
        /// How much memory it uses beside that, 1 to 9.
        public var memoryLevel = 8
        /// Bodies that are known to be shorter are left as they are.
        public var minLength = ByteSize.bytes(256)
        /// The types of content that are compressed.
        public var contentTypes = MediaTypeList.usualTypes
        /// Whether answers that depend on what codings clients accept say so.
        public var vary = true
        /// What becomes of responses with a strong entity tag.
        public var strongEtags = StrongETags.weaken
        /// How many bytes may come out of each byte that is decompressed.
        public var maxRatio = 100
        /// How many bytes may come out of a body.
        public var maxSize = ByteSize.mebibytes(128)
        /// How many bodies may be worked on at once, over all workers.
        public var maxBodies = 1000

        /// Responses are compressed.
        public init() {}

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            Self.checkLevel(level, &check)
            if windowBits < 9 || windowBits > 15 { check.error("window_bits", "must be between 9 and 15") }
            if memoryLevel < 1 || memoryLevel > 9 { check.error("memory_level", "must be between 1 and 9") }
            if minLength.bytes < 0 { check.error("min_length", "must not be negative") }
            if maxRatio < 1 || maxRatio > 10_000 { check.error("max_ratio", "must be between 1 and 10000") }
            if maxSize.bytes < 1 { check.error("max_size", "must be at least one byte") }
            if maxBodies < 1 || maxBodies > 1_000_000 { check.error("max_bodies", "must be between 1 and 1000000") }
            for (index, type) in contentTypes.enumerated() where !Self.isType(type) {
                check.error(
                    "content_types[\(index)]", "is not a type of content",
                    hint: "for example `text/html`, `text/*` or `application/*+json`, without parameters")
            }
            if responses == .off && requests == .off {
                check.warning("responses", "does nothing, and `requests` neither: the filter is without effect")
            }
        }

        static func checkLevel(_ level: Int, _ check: inout SettingsCheck) {
            if level < 1 || level > 9 { check.error("level", "must be between 1 and 9") }
        }

        private static func isType(_ text: String) -> Bool {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return false }
            if text == "*/*" { return true }
            if parts[0].contains("*") || parts[1].dropFirst().contains("*") { return false }
            return text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: ",") }
        }
    }

    /// What a route sets for responses to its own requests.
    public struct RouteSettings: FilterSettings {
        /// Whether they are looked at.
        public var enabled = true
        /// How hard it tries; as the filter does unless it is set.
        public var level: Int?

        /// Nothing of its own.
        public init() {}

        /// Checks the level.
        public func validate(_ check: inout SettingsCheck) {
            if let level { Settings.checkLevel(level, &check) }
        }
    }

    /// What is done with bodies.
    public enum Work: String, Codable, Sendable, CaseIterable {
        /// They are compressed, where the receiver accepts it.
        case compress
        /// They are decompressed, where the receiver does not accept them as they are.
        case decompress
        /// Nothing.
        case off
    }

    /// What becomes of responses whose entity tag promises the same bytes each time.
    public enum StrongETags: String, Codable, Sendable, CaseIterable {
        /// The tag is made weak.
        case weaken
        /// The response is left as it is.
        case skip
    }
}
