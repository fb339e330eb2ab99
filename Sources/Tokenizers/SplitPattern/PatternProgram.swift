/// A pattern compiled for the backtracking matcher: flat arrays, no pointers between nodes.
struct PatternProgram: Sendable {
    /// What an instruction does; `a`, `b`, `c` are its operands.
    enum Operation: UInt8 {
        /// One code point of set `a`.
        case set
        /// At least `b`, at most `c` code points of set `a` (`c` < 0: no bound), as many as possible, giving back.
        case greedyLoop
        /// The same, giving nothing back.
        case possessiveLoop
        /// The same, as few as possible.
        case lazyLoop
        /// Go on at `a`.
        case jump
        /// Try `a`, and if that fails `b`.
        case fork
        /// Try the branches that table `a` lists for the next byte, in order.
        case dispatch
        /// Body at `a`, go on at `b`.
        case atomic
        /// Body at `a`, go on at `b` without moving if the body matched (`c` = 0) or did not (`c` = 1).
        case lookahead
        /// As lookahead, with the body `d` code points back.
        case lookbehind
        /// The condition `a` (index into `PatternAssertion`) holds here.
        case assertion
        case accept
        /// Never matches; the last instruction of each program.
        case fail
    }

    struct Instruction: Sendable {
        var operation: Operation
        var a: Int32 = 0
        var b: Int32 = 0
        var c: Int32 = 0
        var d: Int32 = 0
    }

    let code: [Instruction]
    /// Two words of 64 flags for the ASCII members of each set.
    let asciiWords: [UInt64]
    /// `CodePointTable.blockCount` block numbers for each set.
    let blocks: [UInt16]
    /// Four words for each block.
    let words: [UInt64]
    /// 257 list starts for each dispatch, by next byte; 256 stands for the end of the text.
    let dispatchStarts: [Int32]
    /// Branch addresses, each list closed with −1.
    let dispatchLists: [Int32]
    /// Bytes with which a match can start; empty where a match can be empty.
    let firstBytes: [Bool]
    /// Set of the unbounded loop that opens the pattern, or −1. Where the match fails behind such a loop it fails for
    /// each start inside the same run too, so that the search may skip the run and stays linear.
    let openingLoop: Int32

    /// Instructions above this are refused: `((a{1000}){1000})` must not fill the memory.
    static let sizeLimit = 20_000

    init(_ node: PatternNode) throws(PatternError) {
        var compiler = PatternCompiler()
        try compiler.compile(node, follow: .accepts)
        compiler.emit(.init(operation: .accept))
        compiler.emit(.init(operation: .fail))
        code = compiler.code
        asciiWords = compiler.asciiWords
        blocks = compiler.blocks
        words = compiler.words
        dispatchStarts = compiler.dispatchStarts
        dispatchLists = compiler.dispatchLists
        firstBytes = node.firstSet?.leadBytes() ?? []
        var opening: Int32 = -1
        if case .repetition(.set, let min, nil, let greed) = node.opening, min <= 1, greed != .lazy {
            if let first = compiler.code.first, first.operation == .greedyLoop || first.operation == .possessiveLoop {
                opening = first.a
            }
        }
        openingLoop = opening
    }
}

extension PatternNode {
    /// The first part of a sequence, or the node itself.
    fileprivate var opening: PatternNode {
        if case .sequence(let nodes) = self, let first = nodes.first { return first }
        return self
    }
}

/// Turns the tree into instructions.
private struct PatternCompiler {
    /// What comes behind a node, as far as giving back can matter.
    enum Follow {
        /// Whatever comes always succeeds, so a loop never has to give back.
        case accepts
        /// Must start with a code point of the set.
        case set(CodePointSet)
        case unknown
    }

    var code: [PatternProgram.Instruction] = []
    var asciiWords: [UInt64] = []
    var blocks: [UInt16] = []
    var words: [UInt64] = []
    var dispatchStarts: [Int32] = []
    var dispatchLists: [Int32] = []
    private var sets: [CodePointSet] = []
    private var knownBlocks: [[UInt64]: UInt16] = [:]

    mutating func emit(_ instruction: PatternProgram.Instruction) {
        code.append(instruction)
    }

    private var here: Int32 { Int32(code.count) }

    private mutating func number(of set: CodePointSet) -> Int32 {
        if let known = sets.firstIndex(of: set) { return Int32(known) }
        sets.append(set)
        let index = CodePointTable.index(set, words: &words, known: &knownBlocks)
        blocks += index
        let ascii = Int(index[0]) * 4
        asciiWords += [words[ascii], words[ascii + 1]]
        return Int32(sets.count - 1)
    }

    mutating func compile(_ node: PatternNode, follow: Follow) throws(PatternError) {
        if code.count > PatternProgram.sizeLimit {
            throw PatternError(syntax: "more than \(PatternProgram.sizeLimit) instructions", offset: 0)
        }
        switch node {
        case .empty:
            break
        case .set(let set):
            emit(.init(operation: .set, a: number(of: set)))
        case .sequence(let nodes):
            for (index, part) in nodes.enumerated() {
                try compile(part, follow: Self.follow(of: nodes[(index + 1)...], outer: follow))
            }
        case .alternatives(let nodes):
            try compileAlternatives(nodes, follow: follow)
        case .repetition(.set(let set), let min, let max, let greed):
            let loop = loopOperation(set, greed: greed, follow: follow)
            emit(.init(operation: loop, a: number(of: set), b: Int32(min), c: max.map(Int32.init) ?? -1))
        case .repetition(let body, let min, let max, let greed):
            try compileRepetition(body, min: min, max: max, greed: greed, follow: follow)
        case .atomic(let body):
            try compileBody(body, .init(operation: .atomic))
        case .lookahead(let body, let negative):
            try compileBody(body, .init(operation: .lookahead, c: negative ? 1 : 0))
        case .lookbehind(let body, let negative):
            let length = Int32(body.fixedLength ?? 0)
            try compileBody(body, .init(operation: .lookbehind, c: negative ? 1 : 0, d: length))
        case .assertion(let assertion):
            emit(.init(operation: .assertion, a: assertion.code))
        }
    }

    /// A greedy loop that never has to give back saves its stack frame.
    private func loopOperation(
        _ set: CodePointSet, greed: PatternGreed, follow: Follow
    ) -> PatternProgram.Operation {
        switch (greed, follow) {
        case (.lazy, _): .lazyLoop
        case (.possessive, _), (.greedy, .accepts): .possessiveLoop
        case (.greedy, .set(let next)): set.isDisjoint(from: next) ? .possessiveLoop : .greedyLoop
        case (.greedy, .unknown): .greedyLoop
        }
    }

    private static func follow(of rest: ArraySlice<PatternNode>, outer: Follow) -> Follow {
        if rest.allSatisfy(\.alwaysMatches), case .accepts = outer { return .accepts }
        if rest.isEmpty { return outer }
        if let set = PatternNode.sequence(Array(rest)).firstSet { return .set(set) }
        return .unknown
    }

    private mutating func compileBody(
        _ body: PatternNode, _ instruction: PatternProgram.Instruction
    ) throws(PatternError) {
        let head = code.count
        emit(instruction)
        code[head].a = here
        try compile(body, follow: .accepts)
        emit(.init(operation: .accept))
        code[head].b = here
    }

    private mutating func compileAlternatives(_ nodes: [PatternNode], follow: Follow) throws(PatternError) {
        let table = Int32(dispatchStarts.count / 257)
        emit(.init(operation: .dispatch, a: table))
        dispatchStarts += [Int32](repeating: 0, count: 257)
        var addresses: [Int32] = []
        var jumps: [Int] = []
        for node in nodes {
            addresses.append(here)
            try compile(node, follow: follow)
            jumps.append(code.count)
            emit(.init(operation: .jump))
        }
        for jump in jumps { code[jump].a = here }
        let flags = nodes.map { $0.firstSet?.leadBytes() }
        var known: [[Int32]: Int32] = [:]
        for byte in 0...256 {
            var list: [Int32] = []
            for (address, flag) in zip(addresses, flags) where flag.map({ byte < 256 && $0[byte] }) ?? true {
                list.append(address)
            }
            if known[list] == nil {
                known[list] = Int32(dispatchLists.count)
                dispatchLists += list + [-1]
            }
            dispatchStarts[Int(table) * 257 + byte] = known[list] ?? 0
        }
    }

    /// Repetition of something longer than a code point: the required copies, then forks.
    private mutating func compileRepetition(
        _ body: PatternNode, min: Int, max: Int?, greed: PatternGreed, follow: Follow
    ) throws(PatternError) {
        if greed == .possessive {
            return try compile(.atomic(.repetition(body, min: min, max: max, greed: .greedy)), follow: follow)
        }
        for _ in 0..<min { try compile(body, follow: .unknown) }
        if let max {
            // (body(body(…)?)?)?
            var forks: [Int] = []
            for _ in min..<max {
                forks.append(code.count)
                emit(.init(operation: .fork))
                try compile(body, follow: .unknown)
            }
            for fork in forks { setFork(fork, enter: Int32(fork + 1), leave: here, greed: greed) }
        } else {
            let fork = code.count
            emit(.init(operation: .fork))
            try compile(body, follow: .unknown)
            emit(.init(operation: .jump, a: Int32(fork)))
            setFork(fork, enter: Int32(fork + 1), leave: here, greed: greed)
        }
    }

    private mutating func setFork(_ fork: Int, enter: Int32, leave: Int32, greed: PatternGreed) {
        code[fork].a = greed == .lazy ? leave : enter
        code[fork].b = greed == .lazy ? enter : leave
    }
}

extension PatternAssertion {
    /// Operand of the assertion instruction.
    fileprivate var code: Int32 {
        switch self {
        case .textStart: 0
        case .textEnd: 1
        case .textEndOrFinalNewline: 2
        case .lineStart: 3
        case .lineEnd: 4
        case .wordBoundary: 5
        case .notWordBoundary: 6
        }
    }
}
