internal import CLinux

/// Says which filter a worker was calling when the process crashed. The handler itself is C, as it may do next to nothing.
///
/// SAFETY: the texts that the handler reads are literals, or never freed.
enum CrashReport {
    /// Reports crashes on the error output from now on.
    static func prepare() {
        let phases = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: FilterPhase.allCases.count)
        for phase in FilterPhase.allCases {
            unsafe (phases + Int(phase.rawValue)).initialize(to: pointer(phase.text))
        }
        unsafe sluice_crash_prepare(2, pointer(SluiceMain.versionText), phases, Int32(FilterPhase.allCases.count))
    }

    private static func pointer(_ text: StaticString) -> UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
