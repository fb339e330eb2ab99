/// Memory whose bytes can be fetched again when they are read again, so that they need not stay in the process.
package protocol ReleasableMemory: AnyObject {
    /// Says that these bytes, which lie in this memory, are not needed soon. They stay readable.
    func release(_ bytes: UnsafeRawBufferPointer)
}

/// Borrowed bytes of a tensor in row-major order, with shape and type. Keeps its owner (a mapped file) alive.
///
/// Not Sendable: a view stays with the thread that loads the model.
package struct TensorView {
    /// Name in the checkpoint; used in error messages.
    package let name: String
    package let dtype: DType
    /// Outermost dimension first; the product times `dtype.byteCount` equals `bytes.count`.
    package let shape: [Int]
    /// Product of `shape`.
    package let elementCount: Int
    package let bytes: UnsafeRawBufferPointer
    let owner: AnyObject

    /// Says that a range of the bytes is not needed soon, so that a weight and its packed form need not be in memory
    /// together.
    package func release(_ range: Range<Int>) {
        (owner as? any ReleasableMemory)?.release(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    /// A copy of the bytes. `bytes` alone does not keep the owner: a view that nobody holds any more takes what it owns
    /// with it.
    package var copiedBytes: [UInt8] { withExtendedLifetime(owner) { Array(bytes) } }

    /// - Precondition: `bytes.count` matches shape and type (the reader of the file has checked it), and `bytes` stays
    ///   valid while `owner` lives.
    package init(name: String, dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        // Beside a zero the other sizes may be anything, and their product more than an Int holds.
        let elementCount = shape.contains(0) ? 0 : shape.reduce(1, *)
        precondition(elementCount * dtype.byteCount == bytes.count)
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.elementCount = elementCount
        self.bytes = bytes
        self.owner = owner
    }
}
