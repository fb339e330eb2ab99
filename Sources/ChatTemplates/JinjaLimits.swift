/// Bounds for one rendering. A template comes from a model's directory or from a client, so it is not trusted: whatever
/// it does, it must end soon and in bounded memory.
///
/// All but `duration` are counts, so the same template with the same input always passes or always fails.
package struct JinjaLimits: Sendable, Equatable {
    /// Wall-clock time; looked at every few thousand steps.
    package var duration: Duration = .seconds(5)
    /// Evaluated nodes plus a share for each byte and element that an operation touches.
    package var steps: Int = 20_000_000
    /// UTF-8 bytes of the rendered text.
    package var outputBytes: Int = 16 << 20
    /// UTF-8 bytes of any one string.
    package var stringBytes: Int = 16 << 20
    /// Bytes of all strings and lists made during the rendering, freed ones included: an upper bound for memory.
    package var totalBytes: Int = 1 << 30
    /// Elements of any one list, tuple or dictionary.
    package var elements: Int = 1_000_000
    /// Elements of a `range`; the reference sandbox has the same bound.
    package var rangeElements: Int = 100_000
    /// Iterations of all loops together.
    package var iterations: Int = 1_000_000
    /// Statements, expressions and macro calls inside one another while rendering; a macro call counts for three. Half a
    /// megabyte of stack holds as many.
    package var recursion: Int = 500
    /// Lists and dictionaries inside one another, in the input as well.
    package var nesting: Int = 150

    /// What the server uses.
    package static let standard = JinjaLimits()

    package init() {}

    /// Bounds of the source itself, checked when a template is parsed.
    enum Source {
        static let bytes = 4 << 20
        /// Tags and parentheses inside one another.
        static let nesting = 100
        /// Depth of one expression's tree; a chain `a + b + c + …` counts one per operator.
        static let expressionDepth = 300
    }

    /// Which bound was exceeded, and its value.
    package enum Exceeded: Equatable, Sendable {
        case duration(Duration)
        case steps(Int)
        case outputBytes(Int)
        case stringBytes(Int)
        case totalBytes(Int)
        case elements(Int)
        case rangeElements(Int)
        case iterations(Int)
        case recursion(Int)
        case nesting(Int)
        /// Python's integers have no bound; ours are 64 bits wide.
        case integer
    }
}

extension JinjaLimits.Exceeded: CustomStringConvertible {
    package var description: String {
        switch self {
        case .duration(let limit): "rendering took longer than \(limit)"
        case .steps(let limit): "rendering took more than \(limit) steps"
        case .outputBytes(let limit): "the rendered text is longer than \(limit) bytes"
        case .stringBytes(let limit): "a string is longer than \(limit) bytes"
        case .totalBytes(let limit): "rendering used more than \(limit) bytes of memory"
        case .elements(let limit): "a list or dictionary has more than \(limit) elements"
        case .rangeElements(let limit): "a range has more than \(limit) elements"
        case .iterations(let limit): "loops ran for more than \(limit) iterations"
        case .recursion(let limit): "statements, expressions or macro calls are nested deeper than \(limit)"
        case .nesting(let limit): "lists and dictionaries are nested deeper than \(limit)"
        case .integer: "an integer does not fit 64 bits"
        }
    }
}

/// Counts what one rendering uses and refuses it when a limit is reached.
struct RenderBudget {
    let limits: JinjaLimits
    private let deadline: ContinuousClock.Instant
    private var steps = 0
    private var nextClockCheck = RenderBudget.clockInterval
    private var bytes = 0
    private var iterations = 0

    private static let clockInterval = 4096

    init(limits: JinjaLimits) {
        self.limits = limits
        deadline = .now + limits.duration
    }

    /// Accounts for `count` steps of work.
    mutating func spend(_ count: Int = 1) throws(Fault) {
        steps = steps.addingCapped(count)
        if steps >= nextClockCheck { try check() }
    }

    /// Accounts for an operation that reads or writes `count` bytes of text.
    mutating func scan(bytes count: Int) throws(Fault) {
        try spend(1 + count >> 5)
    }

    /// Accounts for a new string of `count` bytes.
    mutating func makeText(bytes count: Int) throws(Fault) {
        guard count <= limits.stringBytes else { throw .limit(.stringBytes(limits.stringBytes)) }
        try allocate(count)
        try scan(bytes: count)
    }

    /// Accounts for a new collection.
    mutating func makeCollection(elements count: Int, depth: Int) throws(Fault) {
        guard count <= limits.elements else { throw .limit(.elements(limits.elements)) }
        guard depth <= limits.nesting else { throw .limit(.nesting(limits.nesting)) }
        try allocate(64 + min(count, 1 << 50) * MemoryLayout<JinjaValue>.stride)
        try spend(1 + count >> 2)
    }

    mutating func iterate() throws(Fault) {
        iterations += 1
        guard iterations <= limits.iterations else { throw .limit(.iterations(limits.iterations)) }
    }

    private mutating func allocate(_ count: Int) throws(Fault) {
        bytes = bytes.addingCapped(count)
        guard bytes <= limits.totalBytes else { throw .limit(.totalBytes(limits.totalBytes)) }
    }

    private mutating func check() throws(Fault) {
        guard steps <= limits.steps else { throw .limit(.steps(limits.steps)) }
        nextClockCheck = min(steps.addingCapped(Self.clockInterval), limits.steps.addingCapped(1))
        guard ContinuousClock.now < deadline else { throw .limit(.duration(limits.duration)) }
    }
}

extension Int {
    /// The sum of two counts, or the largest integer.
    fileprivate func addingCapped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
