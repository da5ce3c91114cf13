#include "cpu/thread_pool.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace vitrine {
namespace {

// About 50 microseconds: longer than the gap between two steps, shorter than anyone would notice.
#if defined(__wasm__)
constexpr int kSpins = 30000;
#else
constexpr int kSpins = 1000;
#endif

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

/// Waits for `ready` a little while; returns whether it came true.
template <typename Condition>
bool Spin(const Condition& ready) {
  for (int i = 0; i < kSpins; ++i) {
    if (ready()) return true;
    Pause();
  }
  return ready();
}

class Lock {
 public:
  explicit Lock(pthread_mutex_t& mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_); }
  ~Lock() { pthread_mutex_unlock(&mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  pthread_mutex_t& mutex_;
};

}  // namespace

ThreadPool::ThreadPool(int num_threads) {
  for (int i = 1; i < num_threads; ++i) {
    auto worker = std::make_unique<Worker>(Worker{this, static_cast<size_t>(i), {}});
    const int failed = pthread_create(
        &worker->handle, nullptr,
        [](void* self) -> void* {
          const Worker& worker = *static_cast<const Worker*>(self);
          worker.pool->WorkerLoop(worker.index);
          return nullptr;
        },
        worker.get());
    if (failed != 0) break;
    workers_.push_back(std::move(worker));
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  {
    const Lock lock(mutex_);
    pthread_cond_broadcast(&work_available_);
  }
  for (const std::unique_ptr<Worker>& worker : workers_) pthread_join(worker->handle, nullptr);
}

void ThreadPool::Run(size_t count, Function function, const void* context) {
  if (workers_.empty() || count <= 1) {
    for (size_t i = 0; i < count; ++i) function(context, 0, i);
    return;
  }
  function_ = function;
  context_ = context;
  count_ = count;
  unfinished_ = count;
  const uint64_t loop = (ticket_.load() >> 32) + 1;
  ticket_ = loop << 32 | count;
  // A worker counts itself before its last look at the ticket, this thread looks for sleepers after
  // writing the ticket: one of the two sees the other.
  if (sleeping_workers_ > 0) {
    const Lock lock(mutex_);
    pthread_cond_broadcast(&work_available_);
  }

  Work(0);
  const auto finished = [this] { return unfinished_ == 0; };
  if (Spin(finished)) return;
  const Lock lock(mutex_);
  caller_sleeps_ = true;
  while (!finished()) pthread_cond_wait(&work_finished_, &mutex_);
  caller_sleeps_ = false;
}

void ThreadPool::Work(size_t thread) {
  uint64_t ticket = ticket_;
  while (const uint32_t left = static_cast<uint32_t>(ticket)) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1)) continue;
    // This iteration is ours, and its loop cannot end before it is done.
    function_(context_, thread, count_ - left);
    if (--unfinished_ == 0 && caller_sleeps_) {
      const Lock lock(mutex_);
      pthread_cond_signal(&work_finished_);
    }
    ticket = ticket_;
  }
}

void ThreadPool::WorkerLoop(size_t thread) {
  const auto wanted = [this] { return HasWork() || stopping_; };
  while (true) {
    if (!Spin(wanted)) {
      const Lock lock(mutex_);
      ++sleeping_workers_;
      while (!wanted()) pthread_cond_wait(&work_available_, &mutex_);
      --sleeping_workers_;
    }
    if (stopping_) return;
    Work(thread);
  }
}

}  // namespace vitrine
