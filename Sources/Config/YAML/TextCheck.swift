/// Checks that a file is text before libyaml sees it, so that the place of the first bad byte is known.
enum TextCheck {
    /// What is wrong with the bytes.
    struct Problem {
        let offset: Int
        let message: String
        let hint: String?
    }

    static func firstProblem(in bytes: [UInt8]) -> Problem? {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return Problem(offset: 0, message: "the file is not UTF-8 but UTF-16", hint: "save it as UTF-8")
        }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let offset = error.byteOffsets.lowerBound
            let byte = hex(UInt32(bytes[offset]), width: 2)
            return Problem(
                offset: offset, message: "byte \(offset + 1) of the file (0x\(byte)) is not UTF-8",
                hint: "save the file as UTF-8")
        }
        return firstForbidden(in: bytes)
    }

    private static func firstForbidden(in bytes: [UInt8]) -> Problem? {
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if (byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D) || byte == 0x7F {
                return forbidden(UInt32(byte), at: offset)
            }
            // U+0080 to U+009F, but not U+0085.
            if byte == 0xC2, bytes[offset + 1] < 0xA0, bytes[offset + 1] != 0x85 {
                return forbidden(UInt32(bytes[offset + 1]), at: offset)
            }
            if byte == 0xEF, isForbiddenAfterEF(bytes[offset + 1], bytes[offset + 2]) {
                let scalar = 0xF000 | UInt32(bytes[offset + 1] & 0x3F) << 6 | UInt32(bytes[offset + 2] & 0x3F)
                return forbidden(scalar, at: offset)
            }
            offset += 1
        }
        return nil
    }

    /// U+FEFF, U+FFFE and U+FFFF.
    private static func isForbiddenAfterEF(_ second: UInt8, _ third: UInt8) -> Bool {
        (second == 0xBB && third == 0xBF) || (second == 0xBF && third >= 0xBE)
    }

    private static func forbidden(_ scalar: UInt32, at offset: Int) -> Problem {
        let name = "U+\(hex(scalar, width: 4))"
        return Problem(
            offset: offset, message: "the control character \(name) may not stand in the file",
            hint: "in double quotes it can be written as `\\u\(hex(scalar, width: 4))`")
    }

    private static func hex(_ value: UInt32, width: Int) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
