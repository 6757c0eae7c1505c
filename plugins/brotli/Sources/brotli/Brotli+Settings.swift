public import FilterAPI

extension Brotli {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// How hard it tries, from 0, the fastest, to 11, the smallest.
        public var level = 4
        /// How far back it looks, as a power of two: 10 to 24.
        public var windowBits = 18
        /// Bodies that are known to be shorter are left as they are.
        public var minLength = ByteSize.bytes(256)
        /// The types of content that are compressed.
        public var contentTypes = MediaTypeList.usualTypes
        /// Whether answers that depend on what codings clients accept say so.
        public var vary = true
        /// What becomes of responses with a strong entity tag.
        public var strongEtags = StrongETags.weaken
        /// How many bodies may be worked on at once, over all workers.
        public var maxBodies = 1000

        /// Responses are compressed.
        public init() {}

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            Self.checkLevel(level, &check)
            if !(10...24).contains(windowBits) { check.error("window_bits", "must be between 10 and 24") }
            if minLength.bytes < 0 { check.error("min_length", "must not be negative") }
            if !(1...1_000_000).contains(maxBodies) { check.error("max_bodies", "must be between 1 and 1000000") }
            for (index, type) in contentTypes.enumerated() where type.split(separator: "/").count != 2 {
                check.error(
                    "content_types[\(index)]", "is not a type of content",
                    hint: "for example `text/html`, `text/*` or `application/*+json`, without parameters")
            }
        }

        static func checkLevel(_ level: Int, _ check: inout SettingsCheck) {
            if !(0...11).contains(level) { check.error("level", "must be between 0 and 11") }
            if level > 9 {
                check.warning("level", "takes some hundred times as long as 4: fit for files, not for a proxy")
            }
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

    /// What becomes of responses whose entity tag promises the same bytes each time.
    public enum StrongETags: String, Codable, Sendable, CaseIterable {
        /// The tag is made weak.
        case weaken
        /// The response is left as it is.
        case skip
    }
}
