// Streams a model.safetensors into a network, any chunking, any tensor order.
#ifndef VITRINE_WEIGHTS_H_
#define VITRINE_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "vitrine/error.h"
#include "vitrine/executor.h"
#include "vitrine/plan.h"

namespace vitrine {

/// Reads the bytes of a .safetensors file in file order and hands every parameter of the plan to
/// the sink the moment its last byte (for Hugging Face's separate query, key and value: its last
/// part) arrives. Peak memory beyond the sink's own: the largest parameter (16-bit values are
/// widened in place) and the header. Not thread-safe.
///
///   while (n = read(window = stream.Reserve(65536))) stream.Commit(n);
///   stream.Finish();
///
/// Errors (kInvalidCheckpoint unless said otherwise): a header that is truncated, over 100 MB
/// (kTooLarge), not JSON, or whose offsets overlap, leave holes or run past the file; dtypes other
/// than F32, F16, BF16 for a tensor the model needs (kUnsupported); a name the model does not know;
/// a shape that differs; tensors missing; a value that is NaN or infinite; bytes after the end; an
/// end before the last byte, at Finish. Names, shapes and missing tensors are known from the
/// header, so a file of another model fails in the Commit that completes it. After an error every
/// further call returns that error.
class WeightStream {
 public:
  WeightStream(const Plan& plan, ParameterSink& sink);  // both must outlive the stream
  ~WeightStream();

  /// A window to write the next bytes of the file to: at least 1 and at most `wanted` bytes, or an
  /// error. Valid until the next call. At the end of the file's announced bytes the window is a
  /// small scratch area, so that trailing bytes are noticed by Commit.
  [[nodiscard]] Result<std::span<uint8_t>> Reserve(size_t wanted);
  /// The first `size` bytes of the window have been written.
  [[nodiscard]] Result<void> Commit(size_t size);
  /// Reserve and Commit around a copy, for callers that hold the bytes already.
  [[nodiscard]] Result<void> Write(std::span<const uint8_t> bytes);
  /// No more bytes come. Fails when the file is cut short.
  [[nodiscard]] Result<void> Finish();

  uint64_t bytes_received() const;
  /// The whole file's size as its header announces it; 0 until the header is complete.
  uint64_t bytes_expected() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine

#endif  // VITRINE_WEIGHTS_H_
