// Which parameter of the plan each tensor of a checkpoint is, whatever its library called it.
#ifndef VITRINE_WEIGHTS_CHECKPOINT_H_
#define VITRINE_WEIGHTS_CHECKPOINT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/plan.h"
#include "vitrine/safetensors.h"
#include "vitrine/tensor.h"

namespace vitrine {

/// Where the values of one tensor go: elements [offset, offset + count) of a parameter.
struct TensorTarget {
  int parameter = -1;  // index into plan.parameters; -1: not needed, skipped
  DType dtype = DType::kF32;
  size_t offset = 0;
  size_t count = 0;
};

/// timm's name of a tensor, and which of the equal parts of that parameter's rows it is: Hugging
/// Face keeps query, key and value apart, timm has them one below the other in "attn.qkv".
struct TimmName {
  std::string name;
  int part = 0;
  int num_parts = 1;
};

/// "vit.encoder.layer.3.attention.attention.key.bias" -> {"blocks.3.attn.qkv.bias", 1, 3};
/// timm's own names come back as they are.
TimmName ToTimmName(std::string_view name);

/// One target per tensor. kInvalidCheckpoint for names the plan does not have, shapes that differ,
/// parameters given twice or not at all; kUnsupported for dtypes other than F32, F16 and BF16, and
/// for parts of networks that this build has no code for (layer scale, register tokens).
[[nodiscard]] Result<std::vector<TensorTarget>> MapTensors(const std::vector<TensorInfo>& tensors,
                                                           const Plan& plan);

/// Widens values that lie as 16 bits in the upper half of their place to float32, in place:
/// `values` [count] holds them in its last 2 * count bytes.
void WidenInPlace(DType dtype, std::span<float> values);

}  // namespace vitrine

#endif  // VITRINE_WEIGHTS_CHECKPOINT_H_
