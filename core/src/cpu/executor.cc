#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <utility>
#include <vector>

#include "cpu/packed_step.h"
#include "cpu/thread_pool.h"
#include "vitrine/cpu.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

class CpuExecutor final : public Executor {
 public:
  CpuExecutor(std::shared_ptr<const CpuWeights> weights, int num_threads)
      : weights_(std::move(weights)),
        plan_(weights_->plan()),
        kernels_(*weights_->impl().kernels),
        pool_(num_threads) {}

  Result<void> Allocate();

  const Plan& plan() const override { return plan_; }
  bool ready() const override { return weights_->ready(); }
  Result<void> Run(Want want, const StepObserver* observer) override;
  std::span<float> Contents(int buffer) override {
    assert(buffer >= 0 && buffer < std::ssize(plan_.buffers));
    const PlanBuffer& shape = plan_.buffers[buffer];
    return buffers_[buffer].span().first(static_cast<size_t>(shape.rows) * shape.cols);
  }
  std::string_view isa() const override { return weights_->isa(); }
  int num_threads() const override { return pool_.num_threads(); }
  size_t weight_bytes() const override { return weights_->bytes(); }
  size_t activation_bytes() const override;

 private:
  void RunStep(const Step& step, const PackedStep& packed, size_t rows);
  void RunEmbed(const Step& step, const PackedStep& packed);
  void RunAttention(const Step& step, size_t rows);
  AttentionShape ShapeOf(const Step& attention) const;

  float* Row(int buffer, int row) {
    return buffers_[buffer].data() + static_cast<size_t>(row) * plan_.buffers[buffer].cols;
  }

  const std::shared_ptr<const CpuWeights> weights_;
  const Plan& plan_;
  const Kernels& kernels_;
  ThreadPool pool_;
  std::vector<Buffer<float>> buffers_;
  Buffer<float> packed_heads_;  // keys and values of the largest attention step
  Buffer<float> scratch_;       // [num_threads, thread_scratch_size_]
  size_t thread_scratch_size_ = 0;
};

/// Strides are those of the step's buffers; a row of its input is q, k and v.
AttentionShape CpuExecutor::ShapeOf(const Step& attention) const {
  return {.num_tokens = static_cast<size_t>(plan_.buffers[attention.input].rows),
          .head_dim = static_cast<size_t>(attention.head_dim),
          .qkv_stride = static_cast<size_t>(plan_.buffers[attention.input].cols),
          .output_stride = static_cast<size_t>(plan_.buffers[attention.output].cols),
          .scale = attention.scale};
}

Result<void> CpuExecutor::Allocate() {
  for (const PlanBuffer& buffer : plan_.buffers) {
    buffers_.push_back(Buffer<float>::Allocate(static_cast<size_t>(buffer.rows) * buffer.cols +
                                               Linear::kReadPastEnd));
    if (buffers_.back().empty()) {
      return Fail(Status::kOutOfMemory, Concat("buffer ", buffer.name, " ",
                                               ShapeText(std::array{buffer.rows, buffer.cols}),
                                               ": out of memory; use a smaller img_size or model"));
    }
  }
  size_t packed_size = 0;
  for (const Step& step : plan_.steps) {
    if (step.kind != StepKind::kAttention) continue;
    const AttentionShape shape = ShapeOf(step);
    packed_size = std::max(packed_size, kernels_.attention_packed_size(shape) * step.num_heads);
    // Threads write to lines of cache of their own.
    thread_scratch_size_ =
        std::max(thread_scratch_size_, (kernels_.attention_scratch_size(shape) + 15) / 16 * 16);
  }
  if (packed_size == 0) return {};
  packed_heads_ = Buffer<float>::Allocate(packed_size);
  scratch_ = Buffer<float>::Allocate(thread_scratch_size_ * pool_.num_threads());
  if (packed_heads_ && scratch_) return {};
  return Fail(Status::kOutOfMemory, "attention: out of memory; use a smaller img_size or model");
}

// Prefix tokens in front, then the position embedding added to every token.
void CpuExecutor::RunEmbed(const Step& step, const PackedStep& packed) {
  for (size_t i = 1; i < packed.raw.size(); ++i) {
    const std::span<const float> token = packed.raw[i].floats();
    std::copy(token.begin(), token.end(), Row(step.output, step.parameter_rows[i]));
  }
  kernels_.add(packed.Raw(0), packed.raw[0].floats().size(),
               Row(step.output, step.parameter_rows[0]));
}

void CpuExecutor::RunAttention(const Step& step, size_t rows) {
  const AttentionShape shape = ShapeOf(step);
  const size_t packed_size = kernels_.attention_packed_size(shape);
  const size_t num_heads = step.num_heads;
  const size_t width = num_heads * shape.head_dim;  // of q, of k and of v
  const float* qkv = Row(step.input, 0);
  float* output = Row(step.output, 0);
  pool_.For(num_heads, [&](size_t /*thread*/, size_t head) {
    const float* k = qkv + width + head * shape.head_dim;
    kernels_.attention_pack(shape, k, k + width, packed_heads_.data() + head * packed_size);
  });
  const size_t tile = kernels_.attention_rows;
  pool_.For2d(num_heads, (rows + tile - 1) / tile, [&](size_t thread, size_t head, size_t i) {
    const size_t first = i * tile;
    kernels_.attention(
        shape, std::min(tile, rows - first), qkv + first * shape.qkv_stride + head * shape.head_dim,
        packed_heads_.data() + head * packed_size, scratch_.data() + thread * thread_scratch_size_,
        output + first * shape.output_stride + head * shape.head_dim);
  });
}

void CpuExecutor::RunStep(const Step& step, const PackedStep& packed, size_t rows) {
  const size_t cols = plan_.buffers[step.output].cols;
  assert(step.output_row + rows <= static_cast<size_t>(plan_.buffers[step.output].rows));
  const float* input = Row(step.input, step.input_row);
  float* output = Row(step.output, step.output_row);
  switch (step.kind) {
    case StepKind::kPatchEmbed:
    case StepKind::kLinear:
      packed.linear.Run(weights_->impl().gemm, kernels_, rows, input, output, step.activation,
                        pool_);
      break;
    case StepKind::kEmbed:
      RunEmbed(step, packed);
      break;
    case StepKind::kLayerNorm:
      pool_.ForRows(rows, [&](size_t first, size_t count) {
        for (size_t row = first; row < first + count; ++row) {
          kernels_.layer_norm(input + row * cols, packed.Raw(0), packed.Raw(1), step.eps, cols,
                              output + row * cols);
        }
      });
      break;
    case StepKind::kAttention:
      RunAttention(step, rows);
      break;
    case StepKind::kAdd: {
      const float* other = Row(step.other, step.output_row);
      pool_.ForRows(rows, [&](size_t first, size_t count) {
        if (output != other) std::copy_n(other + first * cols, count * cols, output + first * cols);
        kernels_.add(input + first * cols, count * cols, output + first * cols);
      });
      break;
    }
    case StepKind::kPool:
      std::copy_n(input, cols, output);
      for (int row = 1; row < step.input_rows; ++row)
        kernels_.add(input + row * cols, cols, output);
      for (size_t i = 0; i < cols; ++i) output[i] /= static_cast<float>(step.input_rows);
      break;
    case StepKind::kAverage: {
      const float* other = Row(step.other, step.output_row);
      for (size_t i = 0; i < cols; ++i) output[i] = (other[i] + input[i]) / 2;
      break;
    }
  }
}

size_t CpuExecutor::activation_bytes() const {
  size_t bytes = packed_heads_.bytes() + scratch_.bytes();
  for (const Buffer<float>& buffer : buffers_) bytes += buffer.bytes();
  return bytes;
}

Result<void> CpuExecutor::Run(Want want, const StepObserver* observer) {
  using Clock = std::chrono::steady_clock;
  if (!ready()) {
    return Fail(Status::kInvalidArgument,
                Concat(weights_->missing(), " of ", plan_.parameters.size(),
                       " parameters are not loaded yet; finish the weights first"));
  }
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    const int rows = step.Rows(want);
    const Clock::time_point start = observer != nullptr ? Clock::now() : Clock::time_point();
    RunStep(step, weights_->impl().steps[i], rows);
    if (observer != nullptr) {
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      const size_t size = static_cast<size_t>(rows) * plan_.buffers[step.output].cols;
      (*observer)(step, {Row(step.output, step.output_row), size}, ms);
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Executor>> MakeCpuExecutor(std::shared_ptr<const CpuWeights> weights,
                                                  int num_threads) {
  if (num_threads < 1 || num_threads > kMaxThreads) {
    return Fail(Status::kInvalidArgument,
                Expected("threads", num_threads, Concat("a number from 1 to ", kMaxThreads)));
  }
  auto executor = std::make_unique<CpuExecutor>(std::move(weights), num_threads);
  if (Result<void> allocated = executor->Allocate(); !allocated) return Forward(allocated);
  return executor;
}

}  // namespace vitrine
