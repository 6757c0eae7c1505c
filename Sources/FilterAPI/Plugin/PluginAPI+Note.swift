public import CPluginNote

extension PluginAPI {
    /// Grows with every change of FilterAPI that a plugin could notice.
    @_alwaysEmitIntoClient public static var version: UInt32 { unsafe note.pointee.version }

    /// The compiler, as far as the source can see it: 60301 is Swift 6.3.1.
    @_alwaysEmitIntoClient public static var compiler: UInt32 { unsafe note.pointee.compiler }

    /// What is compiled into a plugin to be read from its file, before any of its code runs.
    ///
    /// Whoever calls this has the note in its own file, and the numbers in it are those of its own build. That is why it
    /// is always emitted there: a call across the shared library would give the host's numbers for the plugin's.
    @_alwaysEmitIntoClient static var note: UnsafePointer<sluice_note> {
        #if compiler(>=6.5)
            unsafe sluice_note_60500()
        #elseif compiler(>=6.4.4)
            unsafe sluice_note_60404()
        #elseif compiler(>=6.4.3)
            unsafe sluice_note_60403()
        #elseif compiler(>=6.4.2)
            unsafe sluice_note_60402()
        #elseif compiler(>=6.4.1)
            unsafe sluice_note_60401()
        #elseif compiler(>=6.4)
            unsafe sluice_note_60400()
        #elseif compiler(>=6.3.4)
            unsafe sluice_note_60304()
        #elseif compiler(>=6.3.3)
            unsafe sluice_note_60303()
        #elseif compiler(>=6.3.2)
            unsafe sluice_note_60302()
        #elseif compiler(>=6.3.1)
            unsafe sluice_note_60301()
        #else
            unsafe sluice_note_60300()
        #endif
    }

    /// The note of the FilterAPI that runs, as it stands in a file; lives for ever.
    public static var ownNote: [UInt8] {
        // SAFETY: the note is constant data, as long as its type says.
        unsafe Array(UnsafeRawBufferPointer(start: note, count: MemoryLayout<sluice_note>.size))
    }
}
