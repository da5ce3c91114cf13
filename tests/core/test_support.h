// What several tests of the core need: where test material lies, files, reference tensors,
// networks.
#ifndef VITRINE_TESTS_TEST_SUPPORT_H_
#define VITRINE_TESTS_TEST_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vitrine/classifier.h"
#include "vitrine/config.h"
#include "vitrine/cpu.h"
#include "vitrine/executor.h"
#include "vitrine/plan.h"

namespace vitrine::test {

/// The root of the checkout.
std::filesystem::path SourceDir();

/// The shared test material: the VITRINE_SHARED environment variable, else the folder `shared`
/// beside the checkout; skips the running test case, saying so, where neither is there.
std::filesystem::path NeedSharedDir();

/// A whole file; the running test fails where it cannot be read.
std::vector<uint8_t> ReadBytes(const std::filesystem::path& path);
std::string ReadText(const std::filesystem::path& path);

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

/// Reference tensors and their metadata. Reads the F32 tensors only, apart from the code under
/// test.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Fails the running test where there is no such tensor.
  const Tensor& at(const std::string& name) const;
};
TensorFile ReadTensors(const std::filesystem::path& path);

/// The texts of a model folder, kept alive for ModelFiles.
struct ModelFolder {
  explicit ModelFolder(const std::filesystem::path& folder);
  ModelFiles files() const { return {config, preprocessor_config, labels}; }

  std::filesystem::path path;
  std::string config, preprocessor_config, labels;
  std::vector<uint8_t> weights;
};

/// Writes `bytes` in pieces of the sizes that `next_size` gives, then finishes.
Result<void> Stream(WeightStream& stream, std::span<const uint8_t> bytes,
                    const std::function<size_t()>& next_size);
/// In pieces of 64 KiB.
Result<void> Stream(WeightStream& stream, std::span<const uint8_t> bytes);

/// A loaded network; the running test fails where loading does.
struct Network {
  std::shared_ptr<const Model> model;
  std::shared_ptr<CpuWeights> weights;
  std::unique_ptr<Executor> executor;

  /// Unfolds `input` [in_chans, height, width] and runs; the running test fails where either does.
  void Run(std::span<const float> input, Want want, const StepObserver* observer = nullptr);
  std::vector<float> Output() const;
  std::vector<float> Features() const;
  std::vector<float> Tokens() const;
};
Network LoadNetwork(const ModelFolder& folder, int num_threads);
Network LoadNetwork(const ModelFolder& folder, int num_threads,
                    const std::function<size_t()>& next_size, std::string_view isa = "");

std::unique_ptr<Classifier> LoadClassifier(const ModelFolder& folder, int num_threads);

/// The largest |a - b| and the largest |b|; infinite where sizes differ or a value is not finite.
struct Difference {
  double max_abs_error = 0;
  double max_abs_value = 0;
  double relative() const { return max_abs_error / (max_abs_value > 0 ? max_abs_value : 1.0); }
};
Difference Compare(std::span<const float> actual, std::span<const float> expected);

int ArgMax(std::span<const float> values);

}  // namespace vitrine::test

#endif  // VITRINE_TESTS_TEST_SUPPORT_H_
