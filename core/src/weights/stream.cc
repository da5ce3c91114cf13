#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/finite.h"
#include "base/json.h"
#include "vitrine/safetensors.h"
#include "vitrine/text.h"
#include "vitrine/weights.h"
#include "weights/checkpoint.h"

namespace vitrine {

// Tensors are taken in the order of their data. Bytes of a float32 tensor are written straight to
// their place in the parameter; 16-bit ones to the upper half of it, from where they are widened.
struct WeightStream::Impl {
  Impl(const Plan& plan, ParameterSink& sink) : plan(plan), sink(sink) {}

  Result<std::span<uint8_t>> Reserve(size_t wanted);
  Result<void> Commit(size_t size);
  Result<void> Finish();

  Result<void> StartData();
  Result<void> AllocateParameter();
  Result<void> CompleteTensors();
  Result<void> CompleteTensor();
  std::span<uint8_t> TensorBytes();
  bool AtEnd() const { return tensor == header.tensors.size(); }
  const TensorTarget& Target() const { return targets[tensor]; }

  /// A parameter of which not all parts have come yet.
  struct Pending {
    Tensor values;
    size_t received = 0;  // elements of completed tensors
  };

  const Plan& plan;
  ParameterSink& sink;
  SafetensorsHeaderReader reader;
  bool header_done = false;
  SafetensorsHeader header;
  std::vector<TensorTarget> targets;  // one per tensor of the header
  std::vector<Pending> pending;       // one per parameter of the plan
  size_t tensor = 0;                  // the one whose bytes come next
  uint64_t position = 0;              // bytes of it that have come
  std::vector<uint8_t> scratch;       // for bytes nobody needs
  size_t window = 0;                  // of the last Reserve
  uint64_t bytes_received = 0;
  bool finished = false;
  std::optional<Error> error;
};

/// The place of the current tensor's bytes, once its parameter has memory.
std::span<uint8_t> WeightStream::Impl::TensorBytes() {
  const TensorTarget& target = Target();
  const std::span<uint8_t> place = pending[target.parameter].values.bytes.span().subspan(
      target.offset * sizeof(float), target.count * sizeof(float));
  return target.dtype == DType::kF32 ? place : place.last(place.size() / 2);
}

Result<void> WeightStream::Impl::AllocateParameter() {
  Pending& parameter = pending[Target().parameter];
  if (parameter.values.bytes) return {};
  const Parameter& planned = plan.parameters[Target().parameter];
  parameter.values = Tensor::Allocate(DType::kF32, planned.shape);
  if (parameter.values.bytes) return {};
  return Fail(Status::kOutOfMemory, Concat(planned.name, ": no memory for its ",
                                           planned.num_elements(), " values; use a smaller model"));
}

Result<std::span<uint8_t>> WeightStream::Impl::Reserve(size_t wanted) {
  constexpr size_t kScratchBytes = 16 << 10;
  if (finished || wanted == 0) {
    return Fail(Status::kInvalidArgument, finished ? "WeightStream: Reserve after Finish"
                                                   : "WeightStream: Reserve of 0 bytes");
  }
  if (!header_done) return reader.Reserve(wanted);
  if (!AtEnd() && Target().parameter >= 0) {
    if (auto allocated = AllocateParameter(); !allocated) {
      return Forward(allocated);
    }
    std::span<uint8_t> rest = TensorBytes().subspan(static_cast<size_t>(position));
    return rest.first(std::min(wanted, rest.size()));
  }
  // Skipped tensors, and what should not come after the last one.
  uint64_t rest = AtEnd() ? kScratchBytes : header.tensors[tensor].size() - position;
  scratch.resize(kScratchBytes);
  // In 64 bits: a skipped tensor may be larger than the address space.
  rest = std::min({rest, uint64_t{kScratchBytes}, uint64_t{wanted}});
  return std::span(scratch).first(static_cast<size_t>(rest));
}

Result<void> WeightStream::Impl::Commit(size_t size) {
  if (size > window) {
    return Fail(Status::kInvalidArgument,
                Concat("WeightStream: Commit of ", size, " bytes, expected at most the ", window,
                       " reserved"));
  }
  window = 0;
  bytes_received += size;
  if (size == 0) return {};
  if (!header_done) {
    if (auto committed = reader.Commit(size); !committed) return committed;
    return reader.complete() ? StartData() : Result<void>();
  }
  if (AtEnd()) {
    return Fail(Status::kInvalidCheckpoint,
                Concat("model.safetensors: bytes after the end that its header announces (",
                       reader.bytes() + header.data_bytes, "); is the file damaged?"));
  }
  position += size;
  return CompleteTensors();
}

Result<void> WeightStream::Impl::StartData() {
  auto parsed = reader.Take();
  if (!parsed) return Forward(parsed);
  header = std::move(*parsed);
  auto mapped = MapTensors(header.tensors, plan);
  if (!mapped) return Forward(mapped);
  targets = std::move(*mapped);
  pending.resize(plan.parameters.size());
  header_done = true;
  return CompleteTensors();
}

/// Moves past every tensor of which all bytes have come (those of no bytes included).
Result<void> WeightStream::Impl::CompleteTensors() {
  while (!AtEnd() && position == header.tensors[tensor].size()) {
    if (Target().parameter >= 0) {
      if (auto completed = CompleteTensor(); !completed) return completed;
    }
    ++tensor;
    position = 0;
  }
  return {};
}

Result<void> WeightStream::Impl::CompleteTensor() {
  const TensorTarget& target = Target();
  Pending& parameter = pending[target.parameter];
  std::span<float> values = parameter.values.floats().subspan(target.offset, target.count);
  if (target.dtype != DType::kF32) WidenInPlace(target.dtype, values);
  if (size_t bad = FindNonFinite(values); bad != values.size()) {
    return Fail(Status::kInvalidCheckpoint,
                Concat(Excerpt(header.tensors[tensor].name), ": value ", bad, " is ",
                       std::isnan(values[bad]) ? "NaN" : "infinite",
                       ", expected finite numbers; is the file damaged?"));
  }
  parameter.received += target.count;
  if (parameter.received < parameter.values.floats().size()) return {};
  return sink.SetParameter(target.parameter, std::move(parameter.values));
}

Result<void> WeightStream::Impl::Finish() {
  if (!header_done) return std::unexpected<Error>(reader.Truncated());
  if (!AtEnd()) {
    return Fail(Status::kInvalidCheckpoint,
                Concat("model.safetensors: ends after ", bytes_received, " bytes within ",
                       Excerpt(header.tensors[tensor].name), ", expected ",
                       reader.bytes() + header.data_bytes, " bytes; is the download complete?"));
  }
  finished = true;
  return {};
}

WeightStream::WeightStream(const Plan& plan, ParameterSink& sink)
    : impl_(std::make_unique<Impl>(plan, sink)) {}
WeightStream::~WeightStream() = default;

Result<std::span<uint8_t>> WeightStream::Reserve(size_t wanted) {
  if (impl_->error.has_value()) return std::unexpected<Error>(*impl_->error);
  auto reserved = impl_->Reserve(wanted);
  impl_->window = reserved ? reserved->size() : 0;
  if (!reserved) impl_->error = reserved.error();
  return reserved;
}

Result<void> WeightStream::Commit(size_t size) {
  if (impl_->error.has_value()) return std::unexpected<Error>(*impl_->error);
  auto committed = impl_->Commit(size);
  if (!committed) impl_->error = committed.error();
  return committed;
}

Result<void> WeightStream::Write(std::span<const uint8_t> bytes) {
  if (impl_->error.has_value()) return std::unexpected<Error>(*impl_->error);
  while (!bytes.empty()) {
    auto window = Reserve(bytes.size());
    if (!window) return Forward(window);
    std::memcpy(window->data(), bytes.data(), window->size());
    if (auto committed = Commit(window->size()); !committed) return committed;
    bytes = bytes.subspan(window->size());
  }
  return {};
}

Result<void> WeightStream::Finish() {
  if (impl_->error.has_value()) return std::unexpected<Error>(*impl_->error);
  auto finished = impl_->Finish();
  if (!finished) impl_->error = finished.error();
  return finished;
}

uint64_t WeightStream::bytes_received() const { return impl_->bytes_received; }

uint64_t WeightStream::bytes_expected() const {
  return impl_->header_done ? impl_->reader.bytes() + impl_->header.data_bytes : 0;
}

}  // namespace vitrine
