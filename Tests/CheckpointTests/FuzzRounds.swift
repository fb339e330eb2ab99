import Glibc

/// How often each kind of file is damaged.
enum FuzzRounds {
    /// `RADISH_FUZZ_ROUNDS`, or else so many.
    static func count(_ usual: Int) -> UInt64 {
        getenv("RADISH_FUZZ_ROUNDS").flatMap { UInt64(String(cString: $0)) } ?? UInt64(usual)
    }
}
