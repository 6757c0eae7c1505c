internal import Config
internal import Engine

/// The word that was probably meant; nil where none is near.
func nearest(_ word: String, _ words: [String]) -> String? { Nearest.match(for: word, among: words) }

/// Whether a file is there.
enum FileProbe {
    static func exists(_ path: String) -> Bool {
        guard let fd = try? Syscalls.open(path, .read) else { return false }
        Syscalls.close(fd)
        return true
    }
}
