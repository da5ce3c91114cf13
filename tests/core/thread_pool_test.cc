#include "cpu/thread_pool.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>
#include <vector>

namespace vitrine {
namespace {

// The wasm build starts its threads ahead of time, as many as the machine has processors at least.
constexpr int kMaxThreads = 2;

TEST_CASE("every iteration runs once, whatever the count and the number of threads", "[threads]") {
  const int num_threads = GENERATE(1, kMaxThreads);
  ThreadPool pool(num_threads);
  CHECK(pool.num_threads() == num_threads);
  for (size_t count : {0, 1, 2, 3, 100, 1000}) {
    std::vector<std::atomic<int>> runs(count);
    std::atomic<bool> thread_in_range = true;
    pool.For(count, [&](size_t thread, size_t i) {
      ++runs[i];
      if (thread >= static_cast<size_t>(num_threads)) thread_in_range = false;
    });
    for (const std::atomic<int>& run : runs) REQUIRE(run == 1);
    CHECK(thread_in_range);
  }
}

TEST_CASE("many short loops one after another lose no iteration and mix no two loops",
          "[threads]") {
  ThreadPool pool(kMaxThreads);
  for (int loop = 0; loop < 20000; ++loop) {
    const size_t count = 1 + loop % 7;
    std::atomic<int> sum = 0;
    pool.For(count, [&sum, loop](size_t, size_t) { sum += loop; });
    REQUIRE(sum == loop * static_cast<int>(count));
  }
}

TEST_CASE("two dimensions and rows are covered exactly", "[threads]") {
  ThreadPool pool(kMaxThreads);
  std::vector<std::atomic<int>> cells(5 * 7);
  pool.For2d(5, 7, [&](size_t, size_t i, size_t j) { ++cells[i * 7 + j]; });
  for (const std::atomic<int>& cell : cells) CHECK(cell == 1);

  for (size_t num_rows : {1, 8, 9, 197}) {
    std::vector<std::atomic<int>> rows(num_rows);
    pool.ForRows(num_rows, [&](size_t first, size_t count) {
      for (size_t row = first; row < first + count; ++row) ++rows[row];
    });
    for (const std::atomic<int>& row : rows) REQUIRE(row == 1);
  }
}

TEST_CASE("pools come and go, used or not", "[threads]") {
  for (int round = 0; round < 50; ++round) {
    ThreadPool pool(kMaxThreads);
    if (round % 2 == 0) continue;
    std::atomic<int> runs = 0;
    pool.For(10, [&](size_t, size_t) { ++runs; });
    REQUIRE(runs == 10);
  }
}

}  // namespace
}  // namespace vitrine
