/// Finds one byte string in others in linear time (Knuth, Morris, Pratt 1977), so that no input makes a search slow.
struct ByteSearch {
    let needle: [UInt8]
    private let borders: [Int32]

    init(_ needle: String) { self.init(bytes: Array(needle.utf8)) }

    init(bytes needle: [UInt8]) {
        self.needle = needle
        var borders = [Int32](repeating: 0, count: self.needle.count)
        var length = 0
        for index in self.needle.indices.dropFirst() {
            while length > 0, self.needle[index] != self.needle[length] { length = Int(borders[length - 1]) }
            if self.needle[index] == self.needle[length] { length += 1 }
            borders[index] = Int32(length)
        }
        self.borders = borders
    }

    /// Start of the first occurrence at or after `start`; an empty needle is found at once.
    func first(in haystack: [UInt8], from start: Int = 0) -> Int? {
        if needle.isEmpty { return start <= haystack.count ? start : nil }
        var matched = 0
        var position = start
        while position < haystack.count {
            while matched > 0, haystack[position] != needle[matched] { matched = Int(borders[matched - 1]) }
            if haystack[position] == needle[matched] { matched += 1 }
            position += 1
            if matched == needle.count { return position - matched }
        }
        return nil
    }

    /// Starts of the occurrences that do not overlap, from the left, at most `limit`. Not for an empty needle.
    func all(in haystack: [UInt8], limit: Int = .max) -> [Int] {
        var starts: [Int] = []
        var position = 0
        while starts.count < limit, let start = first(in: haystack, from: position) {
            starts.append(start)
            position = start + needle.count
        }
        return starts
    }
}
