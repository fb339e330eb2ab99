/// A syntax that reads its whole text as marks and the bytes between them.
protocol MarkedSyntax: ToolCallSyntax {
    /// The marks, in the order of the scanner's list.
    associatedtype Mark: RawRepresentable<Int>

    var scanner: MarkerScanner { get set }
    mutating func take(_ mark: Mark, _ out: inout PieceBuffer)
    mutating func take(_ byte: UInt8, _ out: inout PieceBuffer)
}

extension MarkedSyntax {
    mutating func append(_ byte: UInt8, to out: inout PieceBuffer) {
        scanner.push(byte)
        while let lexeme = scanner.next() {
            switch lexeme {
            case .byte(let byte): take(byte, &out)
            case .marker(let number): if let mark = Mark(rawValue: number) { take(mark, &out) }
            }
        }
    }
}
