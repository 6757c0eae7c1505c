/// What is sent to Redis: commands as lists of words with their lengths.
enum RESP {
    /// One word.
    static func word(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
    }

    /// One word.
    static func word(_ text: String) -> [UInt8] { word(Array(text.utf8)) }

    /// A command of so many words, which follow.
    static func command(of count: Int) -> [UInt8] { Array("*\(count)\r\n".utf8) }

    /// A whole command.
    static func command(_ words: String...) -> [UInt8] {
        words.reduce(into: command(of: words.count)) { $0 += word($1) }
    }
}
