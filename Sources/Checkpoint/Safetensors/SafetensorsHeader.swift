import Tensors

/// The header of a safetensors file, checked in full before any tensor is used.
///
/// Format (https://github.com/huggingface/safetensors): 8 bytes little-endian length n, n bytes of JSON that map each
/// name to type, shape and the range of its bytes after the header; then the bytes. Ranges may neither overlap nor
/// leave holes and end where the file ends.
struct SafetensorsHeader {
    let tensors: [TensorInformation]

    /// As in the format's own library.
    static let largestHeader = 100_000_000

    /// Types of the format, with bits of one element and the type that operations read.
    private static let types: [String: (bits: Int, dtype: DType?)] = [
        "F64": (64, nil), "F32": (32, .float32), "F16": (16, .float16), "BF16": (16, .bfloat16), "I64": (64, .int64),
        "I32": (32, .int32), "I16": (16, .int16), "I8": (8, .int8), "U8": (8, .uint8), "BOOL": (8, .bool),
        "U64": (64, nil), "U32": (32, nil), "U16": (16, nil), "F8_E4M3": (8, .float8e4m3),
        "F8_E5M2": (8, .float8e5m2),
        "F8_E8M0": (8, .float8e8m0), "F8_E4M3FNUZ": (8, nil), "F8_E5M2FNUZ": (8, nil), "F6_E2M3": (6, nil),
        "F6_E3M2": (6, nil), "F4": (4, nil), "C64": (64, nil),
    ]

    /// - Complexity: O(header + tensors · log tensors).
    /// - Throws: `malformedHeader`, `malformedJSON` or `malformedTensor` with the bytes in question.
    init(_ file: MappedFile) throws(CheckpointError) {
        let path = file.path
        guard let field = file.bytes(0..<8) else {
            throw .malformedHeader(
                file: path, bytes: 0..<8, expected: "a length of 8 bytes", found: "a file of \(file.count) bytes")
        }
        let length = UInt64(littleEndian: field.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(Self.largestHeader), 8 + Int(length) <= file.count,
            let text = file.bytes(8..<8 + Int(length))
        else {
            throw .malformedHeader(
                file: path, bytes: 0..<8,
                expected: "a header length of at most \(min(max(0, file.count - 8), Self.largestHeader))",
                found: "\(length)")
        }
        guard text.first == UInt8(ascii: "{") else {
            throw .malformedHeader(
                file: path, bytes: 8..<9, expected: "\"{\", the first byte of the header",
                found: text.first.map { "byte \($0)" } ?? "an empty header")
        }
        guard case .object(let members) = try JSONReader.parse(text, file: path, base: 8) else {
            throw .malformedHeader(
                file: path, bytes: 8..<8 + text.count, expected: "an object", found: "other JSON")
        }
        let data = 8 + text.count..<file.count
        var tensors: [TensorInformation] = []
        tensors.reserveCapacity(members.count)
        var seen = Set<String>()
        for member in members {
            guard seen.insert(member.key).inserted else {
                throw .malformedTensor(
                    file: path, tensor: member.key, bytes: nil, expected: "each name once", found: "it twice")
            }
            if member.key == "__metadata__" { continue }
            tensors.append(try Self.tensor(member, data: data, file: path))
        }
        try Self.checkCover(tensors, data: data, file: path)
        self.tensors = tensors
    }

    private static func tensor(
        _ member: JSONNode.Member, data: Range<Int>, file: String
    ) throws(CheckpointError) -> TensorInformation {
        let name = member.key
        func failure(_ expected: String, _ found: String, _ bytes: Range<Int>? = nil) -> CheckpointError {
            .malformedTensor(file: file, tensor: name, bytes: bytes, expected: expected, found: found)
        }
        guard case .object(let fields) = member.value else {
            throw failure("an object with dtype, shape and data_offsets", member.value.summary)
        }
        var values: [String: JSONNode] = [:]
        for field in fields {
            guard values.updateValue(field.value, forKey: field.key) == nil else {
                throw failure("each field once", "\(field.key) twice")
            }
        }
        guard case .string(let typeName)? = values["dtype"] else {
            throw failure("dtype as a string", values["dtype"]?.summary ?? "none")
        }
        guard let type = types[typeName] else {
            throw failure("a dtype of the format (\(types.keys.sorted().joined(separator: ", ")))", typeName)
        }
        let shapeNode = values["shape"]
        guard let shape = sizes(shapeNode) else {
            throw failure("shape as a list of sizes", shapeNode?.summary ?? "none")
        }
        let offsetsNode = values["data_offsets"]
        guard let offsets = sizes(offsetsNode), offsets.count == 2, offsets[0] <= offsets[1] else {
            throw failure("data_offsets as [begin, end]", offsetsNode?.summary ?? "none")
        }
        guard offsets[1] <= data.count else {
            let end = offsets[1].addingReportingOverflow(data.lowerBound)
            let range = end.overflow ? nil : data.lowerBound + offsets[0]..<end.partialValue
            throw failure(
                "bytes within the file, which ends at \(data.upperBound)", "end at \(offsets[1]) after the header",
                range)
        }
        let range = data.lowerBound + offsets[0]..<data.lowerBound + offsets[1]
        guard let bits = product(shape, times: type.bits) else {
            throw failure("a size that fits in 63 bits", "shape \(shape)", range)
        }
        guard bits % 8 == 0, bits / 8 == range.count else {
            throw failure("\(bits / 8) bytes for \(typeName) \(shape)", "\(range.count)", range)
        }
        return TensorInformation(
            name: name, typeName: typeName, dtype: type.dtype, shape: shape, file: file, bytes: range)
    }

    private static func sizes(_ node: JSONNode?) -> [Int]? {
        guard case .array(let elements)? = node else { return nil }
        var sizes: [Int] = []
        for element in elements {
            guard case .integer(let size) = element, size >= 0 else { return nil }
            sizes.append(size)
        }
        return sizes
    }

    /// Nil on overflow. Nothing overflows beside a zero, in any order of the factors.
    private static func product(_ shape: [Int], times bits: Int) -> Int? {
        if shape.contains(0) { return 0 }
        var result = bits
        for size in shape {
            let (value, overflow) = result.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            result = value
        }
        return result
    }

    /// Every byte after the header belongs to exactly one tensor.
    private static func checkCover(
        _ tensors: [TensorInformation], data: Range<Int>, file: String
    ) throws(CheckpointError) {
        var end = data.lowerBound
        for tensor in tensors.sorted(by: {
            ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
        }) {
            guard tensor.bytes.lowerBound == end else {
                throw .malformedTensor(
                    file: file, tensor: tensor.name, bytes: tensor.bytes,
                    expected: "a begin at byte \(end), where the tensor before it ends",
                    found: tensor.bytes.lowerBound < end ? "an overlap" : "a hole")
            }
            end = tensor.bytes.upperBound
        }
        guard end == data.upperBound else {
            throw .malformedHeader(
                file: file, bytes: end..<data.upperBound, expected: "the end of the file after the last tensor",
                found: "\(data.upperBound - end) bytes that belong to no tensor")
        }
    }
}
