import CKernels
package import Tensors

/// A weight in the layout of ck_gemm.h.
final class CPUPackedWeight: PackedWeight {
    let dtype: ck_dtype
    let data: UnsafeMutableRawPointer
    private let region: MemoryRegion

    init(
        outputs: Int, inputs: Int, dtype: ck_dtype, format: WeightFormat, purpose: String
    ) throws(ComputeError) {
        // The packed size exceeds the product by padding only.
        _ = try MemoryRegion.size(outputs + 64, inputs + 64, MemoryLayout<Float>.stride, purpose: purpose)
        self.dtype = dtype
        region = try MemoryRegion(
            byteCount: ck_packed_bytes(dtype, Int64(outputs), Int64(inputs)), purpose: purpose)
        data = region.base
        super.init(outputs: outputs, inputs: inputs, byteCount: region.byteCount, format: format)
    }

    // See CPUMemory.swift.
    override init(outputs: Int, inputs: Int, byteCount: Int, format: WeightFormat) {
        preconditionFailure("a weight without memory")
    }
}

extension PackedWeight {
    var cpu: CPUPackedWeight {
        precondition(type(of: self) == CPUPackedWeight.self)
        return unsafeDowncast(self, to: CPUPackedWeight.self)
    }
}

extension CPUBackend {
    package func packWeight(
        _ parts: [TensorView], as format: WeightFormat
    ) throws(ComputeError) -> PackedWeight {
        precondition(!parts.isEmpty && parts.allSatisfy { $0.shape.count == 2 })
        let (inputs, type) = (parts[0].shape[1], parts[0].dtype)
        precondition(parts.allSatisfy { $0.shape[1] == inputs && $0.dtype == type })
        guard let source = type.kernelType else {
            throw .unsupportedDType(tensor: parts[0].name, dtype: type, supported: DType.kernelTypes)
        }
        let dtype =
            switch format {
            case .stored: source
            case .int8: CK_I8
            case .int4: CK_I4
            }
        let weight = try CPUPackedWeight(
            outputs: parts.reduce(0) { $0 + $1.shape[0] }, inputs: inputs, dtype: dtype, format: format,
            purpose: parts[0].name)
        var row = 0
        for part in parts {
            var call = ck_pack_call(
                dtype: dtype, source_dtype: source, source: part.bytes.baseAddress, destination: weight.data,
                n: Int64(weight.outputs), k: Int64(inputs), first_row: Int64(row), row_count: Int64(part.shape[0]))
            let tasks = Int(ck_pack_tasks(&call))
            // Bound by page faults of source and destination, which differ from panel to panel.
            pool.run(kernels.gemm.pointee.pack, call, count: tasks, grain: 4, .onDemand)
            row += part.shape[0]
        }
        return weight
    }
}
