// A checkpoint in chunks: input byte 0 says how many of the next bytes are chunk sizes, which
// repeat until the rest, the file, is written. Whatever the chunks, the outcome is that of one
// piece.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "fuzz_support.h"

namespace {

using namespace vitrine;

/// Every chunk through Reserve and Commit; granted windows may be smaller than wanted.
Result<void> WriteInChunks(WeightStream& stream, std::span<const uint8_t> file,
                           std::span<const uint8_t> sizes) {
  for (size_t i = 0; !file.empty(); ++i) {
    const size_t wanted = sizes.empty() ? file.size() : size_t{1} + sizes[i % sizes.size()];
    const Result<std::span<uint8_t>> window = stream.Reserve(wanted);
    if (!window) return Forward(window);
    fuzz::Require(!window->empty() && window->size() <= wanted);
    const size_t count = std::min(window->size(), file.size());
    std::memcpy(window->data(), file.data(), count);
    if (Result<void> committed = stream.Commit(count); !committed) return committed;
    file = file.subspan(count);
  }
  return stream.Finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t num_sizes = std::min<size_t>(data[0] % 16, size - 1);
  const std::span<const uint8_t> sizes(data + 1, num_sizes);
  const std::span<const uint8_t> file(data + 1 + num_sizes, size - 1 - num_sizes);

  fuzz::CheckingSink sink, whole_sink;
  WeightStream stream(fuzz::SmallPlan(), sink), whole_stream(fuzz::SmallPlan(), whole_sink);
  const Result<void> result = WriteInChunks(stream, file, sizes);
  Result<void> whole = whole_stream.Write(file);
  if (whole) whole = whole_stream.Finish();
  fuzz::Require(result.has_value() == whole.has_value());
  if (result) fuzz::Require(sink.complete());
  if (!result) fuzz::Require(result.error().status == whole.error().status);
  return 0;
}
