// A fully connected layer on XNNPACK's operator.
#ifndef VITRINE_LINEAR_H_
#define VITRINE_LINEAR_H_

#include <pthreadpool.h>
#include <xnnpack.h>

#include <memory>
#include <vector>

#include "vitrine/error.h"

namespace vitrine {

/// output = input weight^T + bias. The weights are packed into memory of the operator's own, split into
/// panels of output columns that fit the second-level cache: XNNPACK walks all columns for every few
/// rows, so an unsplit layer would stream its weights from memory once per tile of rows.
class Linear {
 public:
  struct Shape {
    int input_cols;
    int output_cols;
    int input_stride;   // floats between rows
    int output_stride;  // floats between rows
  };

  /// weight: [output_cols, input_cols]; bias: [output_cols] or null. Both may be freed afterwards.
  [[nodiscard]] static Result<Linear> Pack(const Shape& shape, const float* weight, const float* bias);

  /// Sets rows and buffers of the runs that follow.
  [[nodiscard]] Result<void> Bind(int rows, const float* input, float* output, pthreadpool_t pool);
  [[nodiscard]] Result<void> Run(pthreadpool_t pool);

 private:
  struct Delete {
    void operator()(xnn_operator_t op) const { xnn_delete_operator(op); }
  };
  struct Panel {
    int first_col;
    std::unique_ptr<xnn_operator, Delete> op;
  };
  std::vector<Panel> panels_;
};

/// Once per process, before any operator is created.
[[nodiscard]] Result<void> InitializeXnnpack();

}  // namespace vitrine

#endif  // VITRINE_LINEAR_H_
