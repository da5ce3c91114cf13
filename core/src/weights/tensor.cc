#include "vitrine/tensor.h"

#include <utility>

namespace vitrine {

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
  }
  return "";
}

size_t DTypeBytes(DType dtype) { return dtype == DType::kF32 ? 4 : 2; }

int64_t NumElements(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

Tensor Tensor::Allocate(DType dtype, std::vector<int64_t> shape) {
  const size_t size = static_cast<size_t>(NumElements(shape)) * DTypeBytes(dtype);
  return {dtype, std::move(shape), Buffer<uint8_t>::Allocate(size)};
}

std::span<float> Tensor::floats() const {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

}  // namespace vitrine
