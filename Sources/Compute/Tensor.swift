/// Float32 activations `[rows, columns]`, row-major, in the memory of the backend that made it.
///
/// Allocated once at load for the largest step; an operation uses the first rows of it. Each backend has its own
/// subclass. Confined to the engine thread.
package class Tensor {
    package let rows: Int
    package let columns: Int

    package init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }
}

/// A small float32 vector (norm weight, bias) in the backend's memory.
package class Vector {
    package let count: Int
    package init(count: Int) { self.count = count }
}

/// How a weight is kept in memory.
package enum WeightFormat: String, Sendable, Hashable, CaseIterable {
    /// In the type it comes in.
    case stored
    /// Bytes with a scale for each output, symmetric: scale = largest magnitude / 127, or the published one where a
    /// checkpoint has it. Inputs are quantized row by row in the same way while the model runs (W8A8), so that products
    /// are those of bytes.
    case int8
    /// Four bits with a float16 scale for each 32 inputs of an output: scale = element of largest magnitude / -8. Inputs
    /// as for `int8`.
    case int4
    /// FP8 (E4M3) with a float32 scale for each output: largest magnitude / 448. Inputs as for `stored`.
    case fp8
    /// Four bits (E2M1) with a power of two for each 32 inputs of an output (OCP Microscaling 1.0, section 6.3: that of
    /// the largest magnitude, less that of the largest E2M1 number). Inputs as for `stored`.
    case mxfp4

    /// Inputs are quantized too.
    package var quantizesInputs: Bool { self == .int8 || self == .int4 }

    /// Of the embedding and the output projection, whose errors reach every token, where layers have this format.
    package var ofTables: WeightFormat {
        switch self {
        case .stored: .stored
        case .int8, .int4: .int8
        case .fp8, .mxfp4: .fp8
        }
    }
}

/// A weight `[outputs, inputs]` repacked into the layout the backend's micro-kernels read. Exists once in memory.
package class PackedWeight {
    package let outputs: Int
    package let inputs: Int
    /// Bytes that one pass over the weight reads.
    package let byteCount: Int
    package let format: WeightFormat

    package init(outputs: Int, inputs: Int, byteCount: Int, format: WeightFormat) {
        self.outputs = outputs
        self.inputs = inputs
        self.byteCount = byteCount
        self.format = format
    }
}

/// Pages of keys and values for all layers.
package class KVCache {
    package let layout: KVLayout
    package let pageCount: Int

    package init(layout: KVLayout, pageCount: Int) {
        self.layout = layout
        self.pageCount = pageCount
    }

    /// All bytes of one page where the host can reach them, for moving it elsewhere and back; nil if it cannot.
    /// Valid as long as the cache lives; whoever writes through it must know that nobody else uses the page.
    package func hostBytes(ofPage page: Int32) -> UnsafeMutableRawBufferPointer? { nil }

    /// Does a small piece (a millisecond at most) of what the first use of a page would have to do, for some of the
    /// pages that will be used next. For moments in which nothing else is to be done.
    ///
    /// - Parameter used: pages that have been in use, which come first.
    /// - Returns: false when nothing is left to do for now.
    package func warm(beyond used: Int) -> Bool { false }
}

/// Cosines and sines of the rotary embedding for the rows of the current step.
package class Rotary {
    /// Rotated dimensions of a head (even, ≤ head dimension).
    package let dimensions: Int
    package init(dimensions: Int) { self.dimensions = dimensions }
}
