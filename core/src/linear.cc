#include "linear.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "text.h"

namespace vitrine {
namespace {

// Packed bytes of one panel: half of a common 1 MB second-level cache, so that rows fit beside it.
constexpr size_t kPanelBytes = 512 * 1024;
constexpr int kPanelMultiple = 64;  // of every XNNPACK tile's width

Result<void> Check(xnn_status status, std::string_view what) {
  switch (status) {
    case xnn_status_success:
      return {};
    case xnn_status_out_of_memory:
      return Fail(Status::kOutOfMemory, Concat(what, ": out of memory; use a smaller model or free memory"));
    case xnn_status_unsupported_hardware:
      return Fail(Status::kUnsupported,
                  Concat(what, ": this processor lacks the SIMD instructions XNNPACK needs (x86: SSE2, WebAssembly: "
                               "simd128)"));
    default:
      return Fail(Status::kInternal, Concat(what, ": XNNPACK status ", static_cast<int>(status),
                                            ", expected success; please report this"));
  }
}

}  // namespace

Result<void> InitializeXnnpack() { return Check(xnn_initialize(nullptr), "xnn_initialize"); }

Result<Linear> Linear::Pack(const Shape& shape, const float* weight, const float* bias) {
  const size_t bytes_per_col = (size_t{1} + shape.input_cols) * sizeof(float);
  const int cols_that_fit = static_cast<int>(kPanelBytes / bytes_per_col) / kPanelMultiple * kPanelMultiple;
  const int panel_cols = std::max(cols_that_fit, kPanelMultiple);

  Linear linear;
  for (int first = 0; first < shape.output_cols; first += panel_cols) {
    const size_t cols = std::min(panel_cols, shape.output_cols - first);
    xnn_operator_t op = nullptr;
    Result<void> created = Check(
        xnn_create_fully_connected_nc_f32(
            shape.input_cols, cols, shape.input_stride, shape.output_stride,
            weight + static_cast<size_t>(first) * shape.input_cols, bias == nullptr ? nullptr : bias + first,
            -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity(),
            /*flags=*/0, /*code_cache=*/nullptr, /*weights_cache=*/nullptr, &op),
        "xnn_create_fully_connected_nc_f32");
    if (!created) return std::unexpected(created.error());
    linear.panels_.push_back({first, std::unique_ptr<xnn_operator, Delete>(op)});
  }
  return linear;
}

Result<void> Linear::Bind(int rows, const float* input, float* output, pthreadpool_t pool) {
  for (Panel& panel : panels_) {
    Result<void> bound = Check(xnn_reshape_fully_connected_nc_f32(panel.op.get(), rows, pool),
                               "xnn_reshape_fully_connected_nc_f32");
    if (bound) {
      bound = Check(xnn_setup_fully_connected_nc_f32(panel.op.get(), input, output + panel.first_col),
                    "xnn_setup_fully_connected_nc_f32");
    }
    if (!bound) return bound;
  }
  return {};
}

Result<void> Linear::Run(pthreadpool_t pool) {
  for (Panel& panel : panels_) {
    if (Result<void> ran = Check(xnn_run_operator(panel.op.get(), pool), "xnn_run_operator"); !ran) return ran;
  }
  return {};
}

}  // namespace vitrine
