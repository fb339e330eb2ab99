/// JSON that is written member by member.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    mutating func open(_ bracket: String) {
        separate()
        bytes.append(contentsOf: bracket.utf8)
        needsComma = false
    }

    mutating func close(_ bracket: String) {
        bytes.append(contentsOf: bracket.utf8)
        needsComma = true
    }

    mutating func name(_ name: String) {
        separate()
        string(name.utf8)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A name that may be no UTF-8.
    mutating func name(bytes: [UInt8]) {
        separate()
        string(bytes)
        self.bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// JSON as it is.
    mutating func value(_ raw: String) {
        separate()
        bytes.append(contentsOf: raw.utf8)
        needsComma = true
    }

    mutating func member(_ name: String, raw: String) {
        self.name(name)
        bytes.append(contentsOf: raw.utf8)
        needsComma = true
    }

    mutating func member(_ name: String, _ value: Int) { member(name, raw: "\(value)") }

    mutating func member(_ name: String, _ value: String) {
        self.name(name)
        element(value.utf8)
    }

    /// A string of an array, or the value of a name that was written.
    mutating func element(_ text: some Sequence<UInt8>) {
        separate()
        string(text)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func string(_ text: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 48 + digit : 87 + digit) }
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
