#include <algorithm>
#include <optional>
#include <utility>

#include "cpu/packed_step.h"
#include "vitrine/cpu.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

bool IsProduct(const Step& step) {
  return step.kind == StepKind::kPatchEmbed || step.kind == StepKind::kLinear;
}

/// The table of that name, the best where it is ""; null where there is none.
const Kernels* FindKernels(std::string_view isa) {
  for (const Kernels& kernels : SupportedKernels()) {
    if (kernels.isa == isa) return &kernels;
  }
  return isa.empty() ? &SupportedKernels().back() : nullptr;
}

}  // namespace

std::vector<std::string_view> CpuIsas() {
  std::vector<std::string_view> names;
  for (const Kernels& kernels : SupportedKernels()) names.emplace_back(kernels.isa);
  return names;
}

CpuWeights::CpuWeights(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CpuWeights::~CpuWeights() = default;

Result<std::shared_ptr<CpuWeights>> CpuWeights::Create(std::shared_ptr<const Plan> plan,
                                                       std::string_view isa) {
  const Kernels* kernels = FindKernels(isa);
  if (kernels == nullptr) {
    return Fail(Status::kInvalidArgument,
                Expected("isa", Concat("'", isa, "'"), Concat("one of ", ListText(CpuIsas()))));
  }
  const std::optional<Gemm> gemm = FindGemm(kernels->isa);
  if (!gemm) {
    return Fail(Status::kUnsupported,
                "this processor has no SIMD instructions that XNNPACK knows (x86: SSE2, Arm: NEON, "
                "WebAssembly: simd128); use another machine or browser");
  }
  auto impl =
      std::make_unique<Impl>(Impl{.plan = std::move(plan), .kernels = kernels, .gemm = *gemm});
  for (const Step& step : impl->plan->steps) {
    PackedStep& packed = impl->steps.emplace_back();
    packed.raw.resize(step.parameters.size());
    packed.missing = static_cast<int>(step.parameters.size());
  }
  impl->is_set.resize(impl->plan->parameters.size());
  impl->missing = static_cast<int>(impl->is_set.size());
  return std::shared_ptr<CpuWeights>(new CpuWeights(std::move(impl)));
}

Result<void> CpuWeights::SetParameter(int index, Tensor values) {
  Impl& impl = *impl_;
  const Plan& plan = *impl.plan;
  if (index < 0 || index >= std::ssize(plan.parameters) || impl.is_set[index]) {
    return Fail(
        Status::kInvalidArgument,
        Concat("parameter ", index, ": set already or not one of ", plan.parameters.size()));
  }
  const Parameter& parameter = plan.parameters[index];
  if (values.dtype != DType::kF32 || values.shape != parameter.shape) {
    return Fail(
        Status::kInvalidArgument,
        Expected(parameter.name, Concat(DTypeName(values.dtype), " ", ShapeText(values.shape)),
                 Concat("F32 ", ShapeText(parameter.shape))));
  }
  impl.is_set[index] = true;
  --impl.missing;
  PackedStep& packed = impl.steps[parameter.step];
  const std::vector<int>& order = plan.steps[parameter.step].parameters;
  packed.raw[std::find(order.begin(), order.end(), index) - order.begin()] = std::move(values);
  if (--packed.missing > 0) return {};
  return impl.Pack(parameter.step);
}

Result<void> CpuWeights::Impl::Pack(int step_index) {
  const Step& step = plan->steps[step_index];
  PackedStep& packed = steps[step_index];
  if (!IsProduct(step)) return {};
  const float* bias = packed.raw.size() > 1 ? packed.Raw(1) : nullptr;
  Result<Linear> linear = Linear::Pack(gemm, plan->buffers[step.input].cols,
                                       plan->buffers[step.output].cols, packed.Raw(0), bias);
  if (!linear) {
    linear.error().message = Concat(step.name, ": ", linear.error().message);
    return Forward(linear);
  }
  packed.linear = std::move(*linear);
  packed.raw.clear();
  return {};
}

int CpuWeights::missing() const { return impl_->missing; }
const Plan& CpuWeights::plan() const { return *impl_->plan; }
std::string_view CpuWeights::isa() const { return impl_->kernels->isa; }

size_t CpuWeights::bytes() const {
  if (!ready()) return static_cast<size_t>(plan().num_parameters()) * sizeof(float);
  size_t bytes = 0;
  for (const PackedStep& packed : impl_->steps) {
    bytes += packed.linear.bytes();
    for (const Tensor& tensor : packed.raw) bytes += tensor.bytes.size();
  }
  return bytes;
}

}  // namespace vitrine
