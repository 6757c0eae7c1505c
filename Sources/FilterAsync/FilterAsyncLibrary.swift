internal import FilterAPI

/// This module as a shared object.
public enum FilterAsyncLibrary {
    /// The filter API that it was built for.
    ///
    /// Not inlined, so that the shared object has the note of ``/FilterAPI/PluginAPI`` in it, by which the program knows it.
    @inline(never)
    public static var version: UInt32 { PluginAPI.version }
}
