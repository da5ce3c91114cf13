// Runs a plan on the CPU with XNNPACK operators and the kernels of core/src/kernels.
#ifndef VITRINE_EXECUTOR_H_
#define VITRINE_EXECUTOR_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "vitrine/error.h"
#include "vitrine/plan.h"
#include "vitrine/weights.h"

namespace vitrine {

/// What a run has to compute.
enum class Want {
  kHead,    // the head's output and the features; patch tokens nobody reads are skipped
  kTokens,  // every row of every step: forward_features, golden tests, profiles
};

/// Called after each step of a run with its output rows [rows, cols] and its duration.
using StepObserver =
    std::function<void(const Step& step, std::span<const float> output, double ms)>;

/// Owns the packed weights and activations of one network. Not thread-safe; uses `num_threads`
/// threads (the caller's and num_threads - 1 of its own) inside Run; fewer where they cannot be
/// started.
class Executor final : public ParameterSink {
 public:
  /// Allocates buffers, not weights. Errors: kInvalidArgument, kOutOfMemory, kUnsupported (the
  /// machine lacks what XNNPACK needs).
  [[nodiscard]] static Result<std::unique_ptr<Executor>> Create(Plan plan, int num_threads);
  ~Executor() override;

  [[nodiscard]] Result<void> SetParameter(int index, Buffer<float> values) override;
  /// True once every parameter has been set.
  bool ready() const;

  const Plan& plan() const;
  int num_threads() const;
  /// Bytes of packed weights and of activations.
  size_t weight_bytes() const;
  size_t activation_bytes() const;
  /// The instruction set the kernels use: "avx512", "avx2", "baseline", "simd", "relaxed".
  static const char* isa();

  /// The buffer that Run reads: unfolded patches [num_patches, in_chans * patch_h * patch_w], each
  /// patch in the order of patch_embed.proj.weight ([in_chans, patch_h, patch_w]). Overwritten by
  /// nobody but the caller.
  std::span<float> input();

  [[nodiscard]] Result<void> Run(Want want, const StepObserver* observer = nullptr);

  /// After Run: logits [num_classes] (the features when num_classes is 0).
  std::span<const float> output() const;
  /// After Run: the embedding before the head [num_features].
  std::span<const float> features() const;
  /// After Run(Want::kTokens): timm's forward_features [num_tokens, embed_dim].
  std::span<const float> tokens() const;

 private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine

#endif  // VITRINE_EXECUTOR_H_
