internal import FilterAPI

/// What a plugin's file says that it was built with; see PluginAPI.note.
struct PluginNote: Equatable {
    static let section = ".note.sluice"
    /// The first words of the note, in every version of it.
    private static let head: [UInt8] = [7, 0, 0, 0]
    private static let owner: [UInt8] = Array("Sluice".utf8) + [0, 0]

    /// Of the filter API.
    let version: Int
    /// 60301 is Swift 6.3.1.
    let compiler: Int
    /// Of the sources of FilterAPI.
    let digest: String
    /// The build of the compiler.
    let toolchain: String

    /// The one of this program.
    static let own: PluginNote? = {
        let bytes = PluginAPI.ownNote
        return try? all(bytes, in: 0..<bytes.count).first
    }()

    /// The notes of a file, one of each source file that asked for it; none where it is no plugin of ours.
    static func all(of file: ELFFile) throws(ELFFault) -> [PluginNote] {
        guard let section = file.section(section) else { return [] }
        return try all(file.bytes, in: section.file)
    }

    private static func all(_ bytes: [UInt8], in range: Range<Int>) throws(ELFFault) -> [PluginNote] {
        let reader = ELFBytes(bytes)
        var notes: [PluginNote] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard range.upperBound - offset >= 20 + 24, Array(bytes[offset..<(offset + 4)]) == head,
                Array(bytes[(offset + 12)..<(offset + 20)]) == owner, try reader.word(offset + 8, 4) == 1
            else { throw .broken("note of Sluice") }
            let size = try reader.word(offset + 4, 4)
            guard size >= 24, size <= range.upperBound - offset - 20 else { throw .broken("note of Sluice") }
            notes.append(try PluginNote(reader, bytes, (offset + 20)..<(offset + 20 + size)))
            // The next one begins at a multiple of four.
            offset += 20 + (size + 3) / 4 * 4
        }
        return notes
    }

    private init(_ reader: ELFBytes, _ bytes: [UInt8], _ content: Range<Int>) throws(ELFFault) {
        version = try reader.word(content.lowerBound, 4)
        compiler = try reader.word(content.lowerBound + 4, 4)
        digest = Self.text(bytes[(content.lowerBound + 8)..<(content.lowerBound + 24)])
        toolchain = Self.text(bytes[(content.lowerBound + 24)..<content.upperBound])
    }

    /// Up to the zero that fills the rest, without what a terminal would act on.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { $0 < 0x20 || $0 > 0x7E ? 0x3F : $0 }, as: UTF8.self)
    }

    /// "6.3.1"
    var compilerText: String { Self.text(ofCompiler: compiler) }

    static func text(ofCompiler number: Int) -> String {
        let patch = number % 100
        return "\(number / 10_000).\(number / 100 % 100)" + (patch == 0 ? "" : ".\(patch)")
    }
}
