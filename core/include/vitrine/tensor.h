// Values of a weight tensor: what a checkpoint gives and an executor takes.
#ifndef VITRINE_TENSOR_H_
#define VITRINE_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vitrine/buffer.h"

namespace vitrine {

/// How values are stored. Parameters reach executors as F32 today; the stream widens the others.
enum class DType { kF32, kF16, kBF16 };

/// safetensors' name: "F32", "F16", "BF16".
std::string_view DTypeName(DType dtype);
size_t DTypeBytes(DType dtype);

/// The product of the extents.
int64_t NumElements(std::span<const int64_t> shape);

/// Row-major, little-endian, 64-byte aligned.
struct Tensor {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  Buffer<uint8_t> bytes;  // of NumElements(shape) values

  /// Of undefined values; without bytes where memory runs out.
  static Tensor Allocate(DType dtype, std::vector<int64_t> shape);

  /// The values of an F32 tensor.
  std::span<float> floats() const;
};

}  // namespace vitrine

#endif  // VITRINE_TENSOR_H_
