// Letter case as Python's `str` methods have it: full mappings, one scalar at a time.

extension String {
    var pythonUpper: String {
        isASCII ? uppercased() : mapScalars { $0.properties.uppercaseMapping }
    }

    var pythonLower: String {
        if isASCII { return lowercased() }
        let scalars = Array(unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() { result += Self.lower(scalar, at: index, in: scalars) }
        return result
    }

    /// First scalar in title case, the rest in lower case.
    var pythonCapitalized: String {
        let scalars = Array(unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() {
            result += index == 0 ? scalar.properties.titlecaseMapping : Self.lower(scalar, at: index, in: scalars)
        }
        return result
    }

    /// `str.title`: a scalar after an uncased one in title case, others in lower case.
    var pythonTitle: String {
        let scalars = Array(unicodeScalars)
        var result = ""
        var afterCased = false
        for (index, scalar) in scalars.enumerated() {
            result += afterCased ? Self.lower(scalar, at: index, in: scalars) : scalar.properties.titlecaseMapping
            afterCased = scalar.properties.isCased
        }
        return result
    }

    var pythonSwapCase: String {
        let scalars = Array(unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() {
            if scalar.properties.isUppercase {
                result += Self.lower(scalar, at: index, in: scalars)
            } else if scalar.properties.isLowercase {
                result += scalar.properties.uppercaseMapping
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Lower case for caseless comparison. Differs from `lower` for ß and its like.
    var pythonCaseFolded: String {
        mapScalars { scalar in
            switch scalar {
            case "ß", "ẞ": "ss"
            case "ς": "σ"
            default: scalar.properties.lowercaseMapping
            }
        }
    }

    /// At least one cased scalar and none of the other case.
    func isPythonCased(upper: Bool) -> Bool {
        var found = false
        for scalar in unicodeScalars {
            let properties = scalar.properties
            if upper ? properties.isLowercase : properties.isUppercase { return false }
            if properties.generalCategory == .titlecaseLetter { return false }
            if upper ? properties.isUppercase : properties.isLowercase { found = true }
        }
        return found
    }

    var isPythonTitle: Bool {
        var found = false
        var afterCased = false
        for scalar in unicodeScalars {
            let properties = scalar.properties
            if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
                if afterCased { return false }
                (afterCased, found) = (true, true)
            } else if properties.isLowercase {
                if !afterCased { return false }
                found = true
            } else {
                afterCased = false
            }
        }
        return found
    }

    private var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }

    private func mapScalars(_ mapping: (Unicode.Scalar) -> String) -> String {
        var result = ""
        for scalar in unicodeScalars { result += mapping(scalar) }
        return result
    }

    /// The one mapping that depends on context: a capital sigma at the end of a word (Unicode, section 3.13).
    private static func lower(_ scalar: Unicode.Scalar, at index: Int, in scalars: [Unicode.Scalar]) -> String {
        guard scalar == "Σ" else { return scalar.properties.lowercaseMapping }
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = (before?.properties.isCased ?? false) && !(after?.properties.isCased ?? false)
        return isFinal ? "ς" : "σ"
    }
}
