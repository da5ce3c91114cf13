#include "vitrine/executor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cpu/kernels/kernels.h"
#include "cpu/linear.h"
#include "cpu/thread_pool.h"

namespace vitrine {
namespace {

constexpr int kMaxThreads = 64;

/// A step with what it needs to run: packed or raw parameters, in the order of Step::parameters.
struct BoundStep {
  std::vector<Buffer<float>> raw;
  Linear linear;    // kPatchEmbed, kLinear
  int missing = 0;  // parameters not yet set
};

}  // namespace

struct Executor::Impl {
  Impl(Plan plan, int num_threads) : plan(std::move(plan)), pool(num_threads) {}

  const Plan plan;
  const Kernels* kernels = &GetKernels();
  ThreadPool pool;
  std::vector<Buffer<float>> buffers;
  std::vector<BoundStep> steps;
  std::vector<bool> is_set;
  int parameters_missing = 0;
  size_t weight_bytes = 0;
  AttentionShape attention;
  size_t head_packed_size = 0;
  size_t thread_scratch_size = 0;
  Buffer<float> packed_heads;  // [num_heads, head_packed_size]
  Buffer<float> scratch;       // [num_threads, thread_scratch_size]

  Result<void> Allocate();
  Result<void> Pack(int step_index);
  void RunStep(int step_index, size_t rows);
  void RunEmbed(const BoundStep& bound_step, float* x);
  void RunAttention(const float* qkv, size_t rows, float* output);

  const float* Row(int buffer, int row) const {
    return buffers[buffer].data() + static_cast<size_t>(row) * plan.buffers[buffer].cols;
  }
  float* Row(int buffer, int row) {
    return const_cast<float*>(std::as_const(*this).Row(buffer, row));
  }
  std::span<const float> Contents(int buffer) const {
    const PlanBuffer& b = plan.buffers[buffer];
    return {buffers[buffer].data(), static_cast<size_t>(b.rows) * b.cols};
  }
};

Result<void> Executor::Impl::Allocate() {
  for (const PlanBuffer& buffer : plan.buffers) {
    buffers.push_back(Buffer<float>::Allocate(static_cast<size_t>(buffer.rows) * buffer.cols +
                                              Linear::kReadPastEnd));
    if (buffers.back().data() == nullptr) {
      return Fail(Status::kOutOfMemory, Concat("buffer ", buffer.name, " ",
                                               ShapeText(std::array{buffer.rows, buffer.cols}),
                                               ": out of memory; use a smaller img_size or model"));
    }
  }
  const VitConfig& config = plan.config;
  attention = {
      .num_tokens = static_cast<size_t>(config.num_tokens()),
      .head_dim = static_cast<size_t>(config.head_dim()),
      .qkv_stride = static_cast<size_t>(3 * config.embed_dim),
      .output_stride = static_cast<size_t>(config.embed_dim),
      .scale = config.qk_scale.value_or(1.0f / std::sqrt(static_cast<float>(config.head_dim())))};
  head_packed_size = kernels->attention_packed_size(attention);
  // Threads write to lines of cache of their own.
  thread_scratch_size = (kernels->attention_scratch_size(attention) + 15) / 16 * 16;
  packed_heads = Buffer<float>::Allocate(head_packed_size * config.num_heads);
  scratch = Buffer<float>::Allocate(thread_scratch_size * pool.num_threads());
  if (packed_heads.data() == nullptr || scratch.data() == nullptr) {
    return Fail(Status::kOutOfMemory,
                Concat("attention over ", config.num_tokens(),
                       " tokens: out of memory; use a smaller img_size or model"));
  }
  return {};
}

Result<void> Executor::Impl::Pack(int step_index) {
  const Step& step = plan.steps[step_index];
  BoundStep& target = steps[step_index];
  if (step.kind != StepKind::kPatchEmbed && step.kind != StepKind::kLinear) return {};
  const float* bias = target.raw.size() > 1 ? target.raw[1].data() : nullptr;
  Result<Linear> linear = Linear::Pack(plan.buffers[step.input].cols,
                                       plan.buffers[step.output].cols, target.raw[0].data(), bias);
  if (!linear) {
    linear.error().message = Concat(step.name, ": ", linear.error().message);
    return std::unexpected(std::move(linear.error()));
  }
  target.linear = std::move(*linear);
  target.raw.clear();
  return {};
}

// Prefix tokens in front, then the position embedding added to every token.
void Executor::Impl::RunEmbed(const BoundStep& bound_step, float* x) {
  const size_t cols = plan.config.embed_dim;
  for (size_t token = 0; token + 1 < bound_step.raw.size();
       ++token) {  // pos_embed, cls_token, dist_token
    std::copy_n(bound_step.raw[token + 1].data(), cols, x + token * cols);
  }
  kernels->add(bound_step.raw[0].data(), plan.config.num_tokens() * cols, x);
}

void Executor::Impl::RunAttention(const float* qkv, size_t rows, float* output) {
  const size_t embed_dim = plan.config.embed_dim;
  const size_t num_heads = plan.config.num_heads;
  pool.For(num_heads, [&](size_t /*thread*/, size_t head) {
    const float* k = qkv + embed_dim + head * attention.head_dim;  // a token's row is q, k, v
    kernels->attention_pack(attention, k, k + embed_dim,
                            packed_heads.data() + head * head_packed_size);
  });
  const size_t tile = kernels->attention_rows;
  pool.For2d(num_heads, (rows + tile - 1) / tile, [&](size_t thread, size_t head, size_t i) {
    const size_t first = i * tile;
    kernels->attention(attention, std::min(tile, rows - first),
                       qkv + first * attention.qkv_stride + head * attention.head_dim,
                       packed_heads.data() + head * head_packed_size,
                       scratch.data() + thread * thread_scratch_size,
                       output + first * attention.output_stride + head * attention.head_dim);
  });
}

void Executor::Impl::RunStep(int step_index, size_t rows) {
  const Step& step = plan.steps[step_index];
  BoundStep& target = steps[step_index];
  const size_t cols = plan.buffers[step.output].cols;
  const float* input = Row(step.input, step.input_row);
  float* output = Row(step.output, step.output_row);
  switch (step.kind) {
    case StepKind::kPatchEmbed:
    case StepKind::kLinear:
      target.linear.Run(rows, input, output, step.activation, pool);
      break;
    case StepKind::kEmbed:
      RunEmbed(target, output);
      break;
    case StepKind::kLayerNorm:
      pool.ForRows(rows, [&](size_t first, size_t count) {
        for (size_t row = first; row < first + count; ++row) {
          kernels->layer_norm(input + row * cols, target.raw[0].data(), target.raw[1].data(),
                              plan.config.layer_norm_eps, cols, output + row * cols);
        }
      });
      break;
    case StepKind::kAttention:
      RunAttention(input, rows, output);
      break;
    case StepKind::kAdd:
      pool.ForRows(rows, [&](size_t first, size_t count) {
        kernels->add(input + first * cols, count * cols, output + first * cols);
      });
      break;
    case StepKind::kPool:
      std::copy_n(input, cols, output);
      for (int row = 1; row < step.input_rows; ++row)
        kernels->add(input + row * cols, cols, output);
      for (size_t i = 0; i < cols; ++i) output[i] /= static_cast<float>(step.input_rows);
      break;
    case StepKind::kAverage:
      for (size_t i = 0; i < cols; ++i) output[i] = (output[i] + input[i]) / 2;
      break;
  }
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::~Executor() = default;

Result<std::unique_ptr<Executor>> Executor::Create(Plan plan, int num_threads) {
  if (num_threads < 1 || num_threads > kMaxThreads) {
    return Fail(Status::kInvalidArgument,
                Concat("threads: ", num_threads, ", expected a number from 1 to ", kMaxThreads));
  }
  auto impl = std::make_unique<Impl>(std::move(plan), num_threads);
  if (Result<void> allocated = impl->Allocate(); !allocated)
    return std::unexpected(allocated.error());
  impl->steps.resize(impl->plan.steps.size());
  for (size_t i = 0; i < impl->steps.size(); ++i) {
    impl->steps[i].missing = static_cast<int>(impl->plan.steps[i].parameters.size());
    impl->steps[i].raw.resize(impl->plan.steps[i].parameters.size());
  }
  impl->parameters_missing = static_cast<int>(impl->plan.parameters.size());
  impl->is_set.resize(impl->plan.parameters.size());
  return std::unique_ptr<Executor>(new Executor(std::move(impl)));
}

Result<void> Executor::SetParameter(int index, Buffer<float> values) {
  Impl& impl = *impl_;
  if (index < 0 || index >= static_cast<int>(impl.plan.parameters.size()) || impl.is_set[index]) {
    return Fail(
        Status::kInvalidArgument,
        Concat("parameter ", index, ": set already or not one of ", impl.plan.parameters.size()));
  }
  const Parameter& parameter = impl.plan.parameters[index];
  if (static_cast<int64_t>(values.size()) != parameter.num_elements()) {
    return Fail(Status::kInvalidArgument, Concat(parameter.name, ": ", values.size(),
                                                 " values, expected ", parameter.num_elements()));
  }
  impl.weight_bytes += values.size() * sizeof(float);
  impl.is_set[index] = true;
  --impl.parameters_missing;

  BoundStep& target = impl.steps[parameter.step];
  const std::vector<int>& order = impl.plan.steps[parameter.step].parameters;
  target.raw[std::find(order.begin(), order.end(), index) - order.begin()] = std::move(values);
  if (--target.missing > 0) return {};
  return impl.Pack(parameter.step);
}

bool Executor::ready() const { return impl_->parameters_missing == 0; }
const Plan& Executor::plan() const { return impl_->plan; }
int Executor::num_threads() const { return impl_->pool.num_threads(); }
size_t Executor::weight_bytes() const { return impl_->weight_bytes; }
const char* Executor::isa() { return GetKernels().isa; }

size_t Executor::activation_bytes() const {
  size_t floats = impl_->packed_heads.size() + impl_->scratch.size();
  for (const Buffer<float>& buffer : impl_->buffers) floats += buffer.size();
  return floats * sizeof(float);
}

std::span<float> Executor::input() {
  const std::span<const float> contents = impl_->Contents(impl_->plan.input);
  return {const_cast<float*>(contents.data()), contents.size()};
}
std::span<const float> Executor::output() const { return impl_->Contents(impl_->plan.output); }
std::span<const float> Executor::features() const { return impl_->Contents(impl_->plan.features); }
std::span<const float> Executor::tokens() const { return impl_->Contents(impl_->plan.tokens); }

Result<void> Executor::Run(Want want, const StepObserver* observer) {
  using Clock = std::chrono::steady_clock;
  Impl& impl = *impl_;
  if (!ready()) {
    return Fail(Status::kInvalidArgument,
                Concat(impl.parameters_missing, " of ", impl.plan.parameters.size(),
                       " parameters are not loaded yet; finish the weights first"));
  }
  for (size_t i = 0; i < impl.plan.steps.size(); ++i) {
    const Step& step = impl.plan.steps[i];
    const int rows = want == Want::kHead ? step.head_rows : step.rows;
    const Clock::time_point start = observer != nullptr ? Clock::now() : Clock::time_point();
    impl.RunStep(static_cast<int>(i), rows);
    if (observer != nullptr) {
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      const size_t size = static_cast<size_t>(rows) * impl.plan.buffers[step.output].cols;
      (*observer)(step, {impl.Row(step.output, step.output_row), size}, ms);
    }
  }
  return {};
}

}  // namespace vitrine
