/// What becomes of the matches of a split.
enum SplitBehavior: Sendable {
    struct Part {
        var range: Range<Int>
        var isMatch: Bool
    }

    case removed
    /// Each match is a piece.
    case isolated
    case mergedWithPrevious
    case mergedWithNext
    /// Neighbouring matches are one piece.
    case contiguous

    /// Reads `behavior` of `field`.
    init(_ field: JSONField) throws(TokenizerError) {
        switch try field.string() {
        case "Removed", "removed": self = .removed
        case "Isolated", "isolated": self = .isolated
        case "MergedWithPrevious", "merged_with_previous": self = .mergedWithPrevious
        case "MergedWithNext", "merged_with_next": self = .mergedWithNext
        case "Contiguous", "contiguous": self = .contiguous
        case let name:
            throw TokenizerError.invalidValue(path: field.path, value: "\"\(name)\"", reason: "not a split behavior")
        }
    }

    /// The pieces that the parts become.
    func joined(_ parts: [Part]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var previousIsMatch = false
        switch self {
        case .removed:
            return parts.filter { !$0.isMatch }.map(\.range)
        case .isolated:
            return parts.map(\.range)
        case .contiguous, .mergedWithPrevious:
            for part in parts {
                let joins =
                    self == .contiguous
                    ? part.isMatch == previousIsMatch : part.isMatch && !previousIsMatch
                if joins, let last = result.last {
                    result[result.count - 1] = last.lowerBound..<part.range.upperBound
                } else {
                    result.append(part.range)
                }
                previousIsMatch = part.isMatch
            }
        case .mergedWithNext:
            for part in parts.reversed() {
                if part.isMatch, !previousIsMatch, let last = result.last {
                    result[result.count - 1] = part.range.lowerBound..<last.upperBound
                } else {
                    result.append(part.range)
                }
                previousIsMatch = part.isMatch
            }
            result.reverse()
        }
        return result
    }
}
