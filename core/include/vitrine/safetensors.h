// The header of a .safetensors file: 8 bytes of length (little-endian), then JSON naming every
// tensor, its dtype, shape and place. Format: https://github.com/huggingface/safetensors#format
#ifndef VITRINE_SAFETENSORS_H_
#define VITRINE_SAFETENSORS_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"

namespace vitrine {

inline constexpr size_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
inline constexpr size_t kMaxTensors = 65536;

struct TensorInfo {
  std::string name;
  std::string dtype;           // as written: "F32", "BF16", ...
  std::vector<int64_t> shape;  // [] for a scalar
  uint64_t begin;              // bytes [begin, end) of the data that follows the header
  uint64_t end;

  uint64_t size() const { return end - begin; }
};

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  // in the order of their data, which they fill without holes
  uint64_t data_bytes = 0;
};

/// Reads the JSON of a header. Checks everything: names once, known dtypes (else kUnsupported),
/// sizes that follow from shape and dtype, data that neither overlaps nor leaves holes.
[[nodiscard]] Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json);

/// Collects a header from bytes that arrive in any chunks. The announced length is only a limit:
/// memory grows with the bytes that have really come.
class SafetensorsHeaderReader {
 public:
  bool complete() const { return length_known_ && received_ == 8 + length_; }
  uint64_t bytes_received() const { return received_; }
  /// The whole header with its 8 bytes of length; meaningful once complete.
  uint64_t bytes() const { return 8 + length_; }

  /// A window for the header's next bytes, at most `wanted` (at least 1), never beyond its end.
  [[nodiscard]] Result<std::span<uint8_t>> Reserve(size_t wanted);
  /// The window's first `size` bytes have been written.
  [[nodiscard]] Result<void> Commit(size_t size);
  /// The parsed header, once; releases the collected bytes.
  [[nodiscard]] Result<SafetensorsHeader> Take();
  /// The error of a file that ends here.
  Error Truncated() const;

 private:
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };

  uint8_t prefix_[8] = {};
  bool length_known_ = false;
  uint64_t length_ = 0;
  uint64_t received_ = 0;  // with the 8 bytes of length
  std::unique_ptr<char, Free> json_;
  size_t capacity_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_SAFETENSORS_H_
