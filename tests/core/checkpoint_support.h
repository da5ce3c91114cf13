// Checkpoints made by hand and a sink that remembers, for tests of loading.
#ifndef VITRINE_TESTS_CHECKPOINT_SUPPORT_H_
#define VITRINE_TESTS_CHECKPOINT_SUPPORT_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "vitrine/weights.h"

namespace vitrine::test {

/// A tensor of a file to be made.
struct FileTensor {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// 8 bytes of length, `header`, `data`.
std::vector<uint8_t> MakeFile(const std::string& header, std::span<const uint8_t> data);
/// The tensors one after the other.
std::vector<uint8_t> MakeFile(const std::vector<FileTensor>& tensors);

FileTensor MakeF32(const std::string& name, const std::vector<int64_t>& shape,
                   std::span<const float> values);
/// Every parameter of the plan as F32, under its own name.
std::vector<FileTensor> MakeTensors(const Plan& plan,
                                    const std::function<float(int, size_t)>& value);

/// timm's vit_tiny in little: one block, 2 x 2 patches, no dimension like another.
VitConfig LittleConfig();

/// Keeps what it is given.
class RecordingSink final : public ParameterSink {
 public:
  Result<void> SetParameter(int index, vitrine::Tensor values) override;
  std::map<int, std::vector<float>> parameters;
  bool twice = false;
};

struct Loaded {
  Result<void> result;
  std::map<int, std::vector<float>> parameters;
};

/// The whole file in pieces whose sizes `next_size` gives.
Loaded Load(
    const Plan& plan, std::span<const uint8_t> file,
    const std::function<size_t()>& next_size = [] { return size_t{1} << 20; });

}  // namespace vitrine::test

#endif  // VITRINE_TESTS_CHECKPOINT_SUPPORT_H_
