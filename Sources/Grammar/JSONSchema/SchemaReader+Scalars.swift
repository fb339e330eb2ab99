/// Keywords that speak of strings and of numbers.
extension SchemaReader {
    func stringDemand(of keyword: SchemaKeyword, value: Place) throws(JSONSchemaError) -> Formula {
        switch keyword {
        case .minLength:
            let minimum = try count(value, keyword)
            return minimum == 0
                ? FormulaStore.always : store.condition(.length(minimum: minimum, maximum: nil))
        case .maxLength:
            return store.condition(.length(minimum: 0, maximum: try count(value, keyword)))
        case .pattern:
            guard case .string(let pattern) = document[value] else {
                throw invalid("pattern", value, "must be a string")
            }
            return store.condition(.language(try patternLanguage(pattern, keyword: "pattern", at: value)))
        default:
            guard let name = document.string(value) else { throw invalid("format", value, "must be a string") }
            guard options.assertsFormats, let language = formatLanguage(name) else { return FormulaStore.always }
            return store.condition(.language(language))
        }
    }

    /// The strings in which `pattern` matches somewhere.
    func patternLanguage(
        _ pattern: [UInt8], keyword: String, at place: Place
    ) throws(JSONSchemaError) -> LanguageID {
        if let known = patterns[pattern] { return known }
        let text = String(decoding: pattern, as: UTF8.self)
        do throws(GrammarError) {
            let id = language(try RegularLanguage(pattern: text, anchoring: .search, limits: limits))
            patterns[pattern] = id
            return id
        } catch .unsupportedPattern(_, let offset, let construct) {
            throw unsupported(keyword, place, "\(construct) at character \(offset) of the regular expression")
        } catch .limitExceeded(let bound, let limit) {
            throw .limitExceeded(bound: bound, limit: limit, pointer: document.pointer(place))
        } catch .cancelled {
            throw .cancelled
        } catch {
            throw invalid(keyword, place, "is no regular expression: \(error)")
        }
    }

    private func formatLanguage(_ name: String) -> LanguageID? {
        if let known = formats[name] { return known }
        let format = StringFormat(rawValue: name)
        let id = format.map { language($0.language) }
        formats[name] = .some(id)
        if let id { formatsOfLanguages[id] = format }
        return id
    }

    /// A count that is not negative; one beyond `Int32` is taken as `Int32.max`, which no text reaches.
    func count(_ value: Place, _ keyword: SchemaKeyword) throws(JSONSchemaError) -> Int {
        guard case .number(let number) = document[value], number.isInteger, !number.negative else {
            throw invalid(keyword.rawValue, value, "must be an integer that is not negative")
        }
        return min(number.int ?? Int.max, Int(Int32.max))
    }

    /// A number written out without exponent must not be too long.
    func checkLength(_ number: DecimalNumber, at place: Place) throws(JSONSchemaError) {
        guard number.canonicalLength <= limits.maximumNumberLength else {
            throw .limitExceeded(
                bound: "maximumNumberLength", limit: limits.maximumNumberLength, pointer: document.pointer(place))
        }
    }

    func numberDemand(
        of keyword: SchemaKeyword, value: Place, in schema: SchemaKeywords
    ) throws(JSONSchemaError) -> Formula {
        let isMinimum = keyword == .minimum || keyword == .exclusiveMinimum
        if keyword == .exclusiveMinimum || keyword == .exclusiveMaximum, case .boolean = document[value] {
            // Draft 4: a flag that changes `minimum`, which is read there.
            return FormulaStore.always
        }
        guard case .number(let number) = document[value] else {
            throw invalid(keyword.rawValue, value, "must be a number")
        }
        try checkLength(number, at: value)
        switch keyword {
        case .multipleOf:
            guard !number.negative, !number.isZero else {
                throw invalid("multipleOf", value, "must be greater than zero")
            }
            guard NumberLanguage.canEnforce(multipleOf: number, limits: limits) else {
                throw unsupported("multipleOf", value, "its automaton would be too large")
            }
            return store.condition(.multiple(of: number))
        case .minimum, .exclusiveMinimum, .maximum, .exclusiveMaximum:
            var exclusive = keyword == .exclusiveMinimum || keyword == .exclusiveMaximum
            let flag = schema[isMinimum ? .exclusiveMinimum : .exclusiveMaximum]
            if let flag, case .boolean(true) = document[flag] { exclusive = true }
            return store.condition(
                isMinimum ? .lower(number, exclusive: exclusive) : .upper(number, exclusive: exclusive))
        default: return FormulaStore.always
        }
    }
}
