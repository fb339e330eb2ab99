import Synchronization

/// Does something unless it is cancelled in time.
final class DrainDeadline: Sendable {
    private let task = Mutex<Task<Void, Never>?>(nil)

    init() {}

    func start(after delay: Duration, _ action: @escaping @Sendable () -> Void) {
        let started = Task {
            guard (try? await Task.sleep(for: delay)) != nil else { return }
            action()
        }
        task.withLock { $0 = started }
    }

    func cancel() { task.withLock { $0?.cancel() } }
}
