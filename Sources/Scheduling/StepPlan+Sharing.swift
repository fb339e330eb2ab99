extension StepPlan {
    /// Brings entries whose page tables begin alike next to each other, those with more in common closer, and notes for
    /// each how many leading pages it has in common with the one before: attention then reads these pages once for all.
    /// Groups, and the entries in them, keep the order of their first ones.
    ///
    /// - Complexity: O(pages that are shared + entries²), the square of integer comparisons only.
    mutating func gatherSharers() {
        if entries.count < 2 { return }
        var order = Array(entries.indices)
        var shared = Array(repeating: 0, count: entries.count)
        gather(&order, &shared, 0..<entries.count, from: 0)
        let unordered = entries
        for (place, index) in order.enumerated() {
            if index != place { entries[place] = unordered[index] }
            entries[place].sharedPages = shared[place]
        }
    }

    /// Orders the entries at `places`, whose first `depth` pages are the same.
    private func gather(_ order: inout [Int], _ shared: inout [Int], _ places: Range<Int>, from depth: Int) {
        var common = entries[order[places.lowerBound]].pages.count
        for place in places.dropFirst() {
            common = commonPages(order[places.lowerBound], order[place], from: depth, limit: common)
        }
        var begin = places.lowerBound
        while begin < places.upperBound {
            var end = begin + 1
            if let page = page(order[begin], common) {
                for place in end..<places.upperBound where self.page(order[place], common) == page {
                    order.insert(order.remove(at: place), at: end)
                    end += 1
                }
            }
            if begin > places.lowerBound { shared[begin] = common }
            if end - begin > 1 { gather(&order, &shared, begin..<end, from: common) }
            begin = end
        }
    }

    private func page(_ entry: Int, _ number: Int) -> Int32? {
        number < entries[entry].pages.count ? entries[entry].pages[number] : nil
    }

    private func commonPages(_ a: Int, _ b: Int, from depth: Int, limit: Int) -> Int {
        let limit = min(limit, entries[b].pages.count)
        var common = depth
        while common < limit, entries[a].pages[common] == entries[b].pages[common] { common += 1 }
        return common
    }
}
