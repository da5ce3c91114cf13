// Loops over pthreadpool with C++ functions. A null pool runs them on the calling thread.
#ifndef VITRINE_PARALLEL_H_
#define VITRINE_PARALLEL_H_

#include <pthreadpool.h>

#include <algorithm>
#include <cstddef>

namespace vitrine {

/// function(i) for every i < count.
template <typename Function>
void Parallel(pthreadpool_t pool, size_t count, const Function& function) {
  pthreadpool_parallelize_1d(
      pool, [](void* f, size_t i) { (*static_cast<const Function*>(f))(i); }, const_cast<Function*>(&function), count,
      /*flags=*/0);
}

/// function(thread, i, j) for every i < outer and j < inner; a thread takes neighbours in j.
template <typename Function>
void Parallel2d(pthreadpool_t pool, size_t outer, size_t inner, const Function& function) {
  pthreadpool_parallelize_2d_with_thread(
      pool, [](void* f, size_t thread, size_t i, size_t j) { (*static_cast<const Function*>(f))(thread, i, j); },
      const_cast<Function*>(&function), outer, inner, /*flags=*/0);
}

/// function(first_row, num_rows) over the rows of a matrix, a few at a time: enough work for a row-wise
/// step to be worth handing to a thread.
template <typename Function>
void ParallelRows(pthreadpool_t pool, size_t rows, const Function& function) {
  constexpr size_t kRowsPerTask = 8;
  Parallel(pool, (rows + kRowsPerTask - 1) / kRowsPerTask, [&](size_t i) {
    const size_t first = i * kRowsPerTask;
    function(first, std::min(kRowsPerTask, rows - first));
  });
}

}  // namespace vitrine

#endif  // VITRINE_PARALLEL_H_
