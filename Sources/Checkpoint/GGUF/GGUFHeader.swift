import Tensors

/// Metadata value of a GGUF file. Strings are places in the file: a vocabulary has some hundred thousand of them.
enum GGUFValue: Sendable {
    case integer(Int)
    case float(Double)
    case boolean(Bool)
    case string(Range<Int>)
    case integers([Int])
    case floats([Double])
    case strings([Range<Int>])
}

/// What stands before the tensors of a GGUF file, checked in full before any of it is used.
///
/// Format (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3, little-endian: magic, version,
/// number of tensors, number of metadata pairs; the pairs (name, type, value); for each tensor its name, sizes (innermost
/// first), type and offset; then, aligned, the data.
struct GGUFHeader {
    let values: [String: GGUFValue]
    let tensors: [GGUFTensor]

    /// - Throws: `malformedHeader` or `malformedTensor` with the bytes in question; `unsupported` for another version.
    init(_ file: MappedFile) throws(CheckpointError) {
        var reader = GGUFReader(file)
        try reader.magic()
        let tensorCount = try reader.count("the number of tensors", smallestElement: 24)
        let pairCount = try reader.count("the number of metadata pairs", smallestElement: 13)
        var values: [String: GGUFValue] = [:]
        for _ in 0..<pairCount {
            let start = reader.position
            let name = try reader.text("a metadata name")
            let value = try reader.value()
            guard values.updateValue(value, forKey: name) == nil else {
                throw reader.failure(start, expected: "each metadata name once", found: "\(name) twice")
            }
        }
        var alignment = 32
        if let value = values["general.alignment"] {
            guard case .integer(let stated) = value, stated > 0, stated <= 1 << 20, stated.nonzeroBitCount == 1 else {
                throw reader.failure(
                    reader.position, expected: "general.alignment as a power of two", found: "another value")
            }
            alignment = stated
        }
        var stated: [(name: String, shape: [Int], type: GGUFTensorType, offset: Int)] = []
        var names = Set<String>()
        for _ in 0..<tensorCount {
            let start = reader.position
            let tensor = try reader.tensor()
            guard names.insert(tensor.name).inserted else {
                throw reader.failure(start, expected: "each tensor once", found: "\(tensor.name) twice")
            }
            stated.append(tensor)
        }
        let data = (reader.position + alignment - 1) / alignment * alignment
        var tensors: [GGUFTensor] = []
        for tensor in stated {
            func failure(_ expected: String, _ found: String, _ bytes: Range<Int>? = nil) -> CheckpointError {
                .malformedTensor(
                    file: file.path, tensor: tensor.name, bytes: bytes, expected: expected, found: found)
            }
            guard tensor.offset % alignment == 0 else {
                throw failure("an offset that is a multiple of \(alignment)", "\(tensor.offset)")
            }
            guard let size = tensor.type.byteCount(tensor.shape) else {
                throw failure("rows of whole blocks of \(tensor.type.blockSize)", "\(tensor.type) \(tensor.shape)")
            }
            let (begin, overflow) = data.addingReportingOverflow(tensor.offset)
            guard !overflow, begin <= file.count, size <= file.count - begin else {
                throw failure(
                    "\(size) bytes within the file, which ends at \(file.count)", "offset \(tensor.offset)")
            }
            tensors.append(
                GGUFTensor(
                    name: tensor.name, shape: tensor.shape, type: tensor.type, bytes: begin..<begin + size))
        }
        self.values = values
        self.tensors = tensors
    }
}

struct GGUFTensor {
    var name: String
    /// Outermost first, as everywhere else.
    var shape: [Int]
    var type: GGUFTensorType
    var bytes: Range<Int>
}

/// Steps through the header; every length is compared with what is left of the file before it is believed.
private struct GGUFReader {
    private let file: MappedFile
    private(set) var position = 0

    init(_ file: MappedFile) { self.file = file }

    func failure(_ start: Int, expected: String, found: String) -> CheckpointError {
        .malformedHeader(
            file: file.path, bytes: start..<max(start, position), expected: expected, found: found)
    }

    private mutating func take(_ count: Int, _ what: String) throws(CheckpointError) -> UnsafeRawBufferPointer {
        guard count <= file.count - position, let bytes = file.bytes(position..<position + count) else {
            throw .malformedHeader(
                file: file.path, bytes: position..<file.count, expected: "\(count) bytes of \(what)",
                found: "the end of the file after \(file.count - position)")
        }
        position += count
        return bytes
    }

    private mutating func number<T: FixedWidthInteger>(_ type: T.Type, _ what: String) throws(CheckpointError) -> T {
        T(littleEndian: try take(MemoryLayout<T>.size, what).loadUnaligned(as: T.self))
    }

    mutating func magic() throws(CheckpointError) {
        let magic = try take(4, "\"GGUF\"")
        guard magic.elementsEqual("GGUF".utf8) else {
            throw failure(0, expected: "\"GGUF\"", found: "other bytes: this is no GGUF file")
        }
        let version = try number(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            let swapped = version.byteSwapped
            throw .unsupported(
                file: file.path, key: "version",
                found: swapped == 2 || swapped == 3 ? "a big-endian file" : "version \(version)",
                supported: "versions 2 and 3, little-endian, are supported")
        }
    }

    mutating func count(_ what: String, smallestElement: Int) throws(CheckpointError) -> Int {
        let start = position
        let count = try number(UInt64.self, what)
        guard count <= UInt64((file.count - position) / smallestElement) else {
            throw failure(start, expected: "\(what) that fits in \(file.count - position) bytes", found: "\(count)")
        }
        return Int(count)
    }

    mutating func string(_ what: String) throws(CheckpointError) -> Range<Int> {
        let length = try count("the length of \(what)", smallestElement: 1)
        let start = position
        _ = try take(length, what)
        return start..<position
    }

    mutating func text(_ what: String) throws(CheckpointError) -> String {
        let range = try string(what)
        guard let bytes = file.bytes(range), let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else {
            throw failure(range.lowerBound, expected: "\(what) in UTF-8", found: "other bytes")
        }
        return text
    }

    mutating func value() throws(CheckpointError) -> GGUFValue {
        let start = position
        let type = try number(UInt32.self, "a type")
        switch type {
        case 8: return .string(try string("a string"))
        case 9: return try array()
        default:
            guard let value = try scalar(type) else {
                throw failure(start, expected: "a metadata type from 0 to 12", found: "\(type)")
            }
            return value
        }
    }

    /// Nil for a type that is no number.
    private mutating func scalar(_ type: UInt32) throws(CheckpointError) -> GGUFValue? {
        let what = "a value"
        switch type {
        case 0: return .integer(Int(try number(UInt8.self, what)))
        case 1: return .integer(Int(try number(Int8.self, what)))
        case 2: return .integer(Int(try number(UInt16.self, what)))
        case 3: return .integer(Int(try number(Int16.self, what)))
        case 4: return .integer(Int(try number(UInt32.self, what)))
        case 5: return .integer(Int(try number(Int32.self, what)))
        case 6: return .float(Double(Float(bitPattern: try number(UInt32.self, what))))
        case 7: return .boolean(try number(UInt8.self, what) != 0)
        case 10: return .integer(Int(clamping: try number(UInt64.self, what)))
        case 11: return .integer(Int(try number(Int64.self, what)))
        case 12: return .float(Double(bitPattern: try number(UInt64.self, what)))
        default: return nil
        }
    }

    private mutating func array() throws(CheckpointError) -> GGUFValue {
        let start = position
        let type = try number(UInt32.self, "the type of an array")
        if type == 8 {
            let count = try count("the length of an array", smallestElement: 8)
            var strings: [Range<Int>] = []
            strings.reserveCapacity(count)
            for _ in 0..<count { strings.append(try string("a string")) }
            return .strings(strings)
        }
        let count = try count("the length of an array", smallestElement: 1)
        var integers: [Int] = []
        var floats: [Double] = []
        for _ in 0..<count {
            switch try scalar(type) {
            case .integer(let value): integers.append(value)
            case .boolean(let value): integers.append(value ? 1 : 0)
            case .float(let value): floats.append(value)
            default:
                throw failure(start, expected: "an array of numbers or strings", found: "one of type \(type)")
            }
        }
        return floats.isEmpty ? .integers(integers) : .floats(floats)
    }

    mutating func tensor() throws(CheckpointError) -> (
        name: String, shape: [Int], type: GGUFTensorType, offset: Int
    ) {
        let start = position
        let name = try text("a tensor's name")
        let dimensions = try number(UInt32.self, "the number of dimensions")
        guard dimensions <= 4 else {
            throw failure(start, expected: "at most 4 dimensions of \(name)", found: "\(dimensions)")
        }
        var shape: [Int] = []
        for _ in 0..<dimensions {
            let size = try number(UInt64.self, "a size")
            guard size <= UInt64(Int32.max) else {
                throw failure(start, expected: "sizes below 2^31 of \(name)", found: "\(size)")
            }
            shape.append(Int(size))
        }
        let code = try number(UInt32.self, "a tensor type")
        guard let type = GGUFTensorType(rawValue: code) else {
            throw .unsupportedTensorType(
                file: file.path, tensor: name, type: GGUFTensorType.name(ofCode: code),
                supported: GGUFTensorType.allCases.map { "\($0)".uppercased() })
        }
        let offset = try number(UInt64.self, "an offset")
        guard offset <= UInt64(Int.max) else {
            throw failure(start, expected: "an offset of \(name) within the file", found: "\(offset)")
        }
        return (name, shape.reversed(), type, Int(offset))
    }
}
