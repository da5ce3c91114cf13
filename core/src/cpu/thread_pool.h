// The threads that share the work of one network's steps.
#ifndef VITRINE_CPU_THREAD_POOL_H_
#define VITRINE_CPU_THREAD_POOL_H_

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vitrine {

/// Runs loops over a few threads. Every iteration is handed out singly, and a loop is over when its
/// iterations are: a thread that the system has not scheduled yet, on a busy machine, holds nobody
/// up. (pthreadpool waits for every thread at the end of every loop; with a hundred short loops a
/// picture, two threads on two busy cores came out ten times slower than one.)
///
/// Loops of one pool must not overlap or nest.
class ThreadPool {
 public:
  /// num_threads counts the caller's. Threads that cannot be started are done without.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// function(thread, i) for every i < count, in any order; thread < num_threads().
  template <typename Function>
  void For(size_t count, const Function& function) {
    Run(
        count,
        [](const void* f, size_t thread, size_t i) {
          (*static_cast<const Function*>(f))(thread, i);
        },
        &function);
  }

  /// function(thread, i, j) for every i < outer and j < inner; neighbours in j run at about the
  /// same time.
  template <typename Function>
  void For2d(size_t outer, size_t inner, const Function& function) {
    For(outer * inner,
        [&](size_t thread, size_t index) { function(thread, index / inner, index % inner); });
  }

  /// function(first_row, num_rows) over the rows of a matrix, a few at a time: enough work for a
  /// row-wise step to be worth handing out.
  template <typename Function>
  void ForRows(size_t rows, const Function& function) {
    constexpr size_t kRowsPerTask = 8;
    For((rows + kRowsPerTask - 1) / kRowsPerTask, [&](size_t /*thread*/, size_t i) {
      const size_t first = i * kRowsPerTask;
      function(first, std::min(kRowsPerTask, rows - first));
    });
  }

 private:
  using Function = void (*)(const void* context, size_t thread, size_t i);
  struct Worker {
    ThreadPool* pool;
    size_t index;
    pthread_t handle;
  };

  void Run(size_t count, Function function, const void* context);
  void Work(size_t thread);        // takes iterations until none is left
  void WorkerLoop(size_t thread);  // until the pool is destroyed
  bool HasWork() const { return static_cast<uint32_t>(ticket_.load()) != 0; }

  // The current loop. Written only while no iteration is out, read only while holding one.
  Function function_ = nullptr;
  const void* context_ = nullptr;
  size_t count_ = 0;

  // High half: the loop's number. Low half: iterations nobody has taken yet. One word, so that
  // taking an iteration of a loop that has ended meanwhile fails.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<size_t> unfinished_{0};

  // Threads spin a while for more work, then sleep on these.
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t work_available_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t work_finished_ = PTHREAD_COND_INITIALIZER;
  std::atomic<int> sleeping_workers_{0};
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace vitrine

#endif  // VITRINE_CPU_THREAD_POOL_H_
