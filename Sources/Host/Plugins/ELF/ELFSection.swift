/// One section of a shared object.
struct ELFSection {
    enum Kind {
        static let relocations = 4
        static let dynamic = 6
        static let note = 7
        static let empty = 8
        static let dynamicSymbols = 11
    }

    var name = ""
    let nameOffset: Int
    let kind: Int
    /// Whether it is there at run time.
    let isLoaded: Bool
    /// Where it is at run time, from the object's own beginning.
    let addresses: Range<Int>
    /// Where it is in the file; never behind the file's end.
    let file: Range<Int>
    /// The number of another section, which depends on the kind.
    let link: Int

    /// Reads an entry of the table of sections.
    init(_ bytes: ELFBytes, at entry: Int) throws(ELFFault) {
        nameOffset = try bytes.word(entry, 4)
        kind = try bytes.word(entry + 4, 4)
        isLoaded = try bytes.word(entry + 8, 8) & 2 != 0
        let address = try bytes.word(entry + 16, 8)
        let start = try bytes.word(entry + 24, 8)
        let size = try bytes.word(entry + 32, 8)
        link = try bytes.word(entry + 40, 4)
        // Sections that are all zeros have a size, and no bytes.
        let length = kind == Kind.empty ? 0 : size
        if length > 0 {
            guard start <= bytes.count, length <= bytes.count - start else { throw .cutShort }
            file = start..<(start + length)
        } else {
            file = 0..<0
        }
        // More than any machine has: sums of addresses need not be checked any more.
        guard address < 1 << 48 else { throw .broken("table of sections") }
        addresses = address..<(address + length)
    }
}
