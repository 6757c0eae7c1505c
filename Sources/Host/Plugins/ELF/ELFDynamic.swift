/// What a shared object tells the system's loader.
struct ELFDynamic {
    /// The shared objects that it needs, by name.
    private(set) var needed: [String] = []
    /// The name by which others need it.
    private(set) var name: String?
    /// The folders that it has its libraries looked for in; `$ORIGIN` is its own.
    private(set) var folders: [String] = []

    init(_ file: ELFFile) throws(ELFFault) {
        guard let section = file.sections.first(where: { $0.kind == ELFSection.Kind.dynamic }) else {
            throw .broken("table for the loader")
        }
        let texts = try file.linked(section).file
        let bytes = ELFBytes(file.bytes)
        for entry in stride(from: section.file.lowerBound, to: section.file.upperBound - 15, by: 16) {
            let tag = try bytes.word(entry, 8)
            guard tag != 0 else { break }
            guard [1, 14, 15, 29].contains(tag) else { continue }
            let offset = try bytes.word(entry + 8, 8)
            guard offset < texts.count else { throw .broken("table for the loader") }
            let text = try bytes.text(texts.lowerBound + offset, in: texts)
            switch tag {
            case 1: needed.append(text)
            case 14: name = text
            default: folders = text.split(separator: ":").map(String.init)
            }
        }
    }
}
