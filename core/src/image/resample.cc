// Source of every rule here: Pillow, src/libImaging/Resample.c (filters) and Geometry.c (nearest).
#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "image/rgb.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

// Weights are fixed-point: 8 bits for the result, 2 for sums that leave 0..255.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

// Of the weights and of the picture between the two passes: only sides of absurd ratio need more.
constexpr uint64_t kMaxScratchBytes = uint64_t{1} << 29;

struct Filter {
  double (*weight)(double x);
  double support;
};

double Bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double Lanczos(double x) { return -3.0 <= x && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

Filter FilterOf(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::kBilinear:
      return {Bilinear, 1.0};
    case Interpolation::kLanczos:
      return {Lanczos, 3.0};
    default:
      return {Bicubic, 2.0};
  }
}

/// Which source samples make each of a run of result samples, along one axis.
struct Taps {
  struct Span {
    int first, count;
  };
  Buffer<Span> spans;       // [size]
  Buffer<int32_t> weights;  // [size, stride], fixed-point
  size_t stride = 0;
  int size = 0;
  int begin = 0, end = 0;  // the source samples that any of them needs

  const int32_t* weights_of(int i) const { return weights.data() + i * stride; }
};

/// Taps of the results [start, start + size) of `full_size`, from `source_size` samples. Empty
/// spans when memory runs out.
Taps MakeTaps(const Filter& filter, int source_size, int64_t full_size, int64_t start, int size) {
  const double scale = static_cast<double>(source_size) / static_cast<double>(full_size);
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter.support * filter_scale;
  const double inverse_scale = 1.0 / filter_scale;

  Taps taps;
  taps.size = size;
  taps.stride = static_cast<size_t>(std::ceil(support)) * 2 + 1;
  if (taps.stride > kMaxScratchBytes / sizeof(int32_t) / size) return {};
  taps.spans = Buffer<Taps::Span>::Allocate(size);
  taps.weights = Buffer<int32_t>::Allocate(taps.stride * size);
  Buffer<double> exact = Buffer<double>::Allocate(taps.stride);
  if (!taps.spans || !taps.weights || !exact) return {};

  taps.begin = source_size;
  for (int i = 0; i < size; ++i) {
    const double center = (static_cast<double>(start + i) + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last =
        static_cast<int>(std::min(center + support + 0.5, static_cast<double>(source_size)));
    const int count = last - first;
    double sum = 0.0;
    for (int k = 0; k < count; ++k) {
      exact[k] = filter.weight((k + first - center + 0.5) * inverse_scale);
      sum += exact[k];
    }
    int32_t* weights = taps.weights.data() + i * taps.stride;
    for (int k = 0; k < count; ++k) {
      const double weight = (sum != 0.0 ? exact[k] / sum : exact[k]) * (1 << kPrecisionBits);
      weights[k] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps.spans[i] = {first, count};
    taps.begin = std::min(taps.begin, first);
    taps.end = std::max(taps.end, first + count);
  }
  return taps;
}

inline uint8_t Clip(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

// The compiler's portable vectors: gcc and clang turn them into SSE, NEON or WebAssembly SIMD.
using Int4 __attribute__((vector_size(16))) = int32_t;
using Byte4 __attribute__((vector_size(4))) = uint8_t;

inline Int4 Widen(const uint8_t* bytes, size_t count) {
  Byte4 four = {};
  std::memcpy(&four, bytes, count);
  return __builtin_convertvector(four, Int4);
}

/// One row of RGB along x: out [taps.size, 3].
void ResampleRowRgb(const uint8_t* row, const Taps& taps, uint8_t* out) {
  for (int i = 0; i < taps.size; ++i, out += 3) {
    const auto [first, count] = taps.spans[i];
    const uint8_t* pixel = row + size_t{3} * first;
    const int32_t* weights = taps.weights_of(i);
    // A pixel is read with the next one's first byte as the vector's fourth lane, but for the last.
    Int4 even = {kHalf, kHalf, kHalf, 0};
    Int4 odd = {};
    int k = 0;
    for (; k + 2 < count; k += 2, pixel += 6) {
      even += Widen(pixel, 4) * weights[k];
      odd += Widen(pixel + 3, 4) * weights[k + 1];
    }
    for (; k < count; ++k, pixel += 3) even += Widen(pixel, 3) * weights[k];
    const Int4 sum = even + odd;
    for (int c = 0; c < 3; ++c) out[c] = Clip(sum[c]);
  }
}

/// One row of grey along x: out [taps.size].
void ResampleRowGrey(const uint8_t* row, const Taps& taps, uint8_t* out) {
  for (int i = 0; i < taps.size; ++i) {
    const auto [first, count] = taps.spans[i];
    const int32_t* weights = taps.weights_of(i);
    int32_t sum = kHalf;
    for (int k = 0; k < count; ++k) sum += row[first + k] * weights[k];
    out[i] = Clip(sum);
  }
}

/// Rows of a picture as `channels`, converted where it has others.
class Rows {
 public:
  Rows(const Image& image, int channels, Alpha alpha)
      : image_(image), channels_(channels), alpha_(alpha) {}

  /// Memory for conversion; false when it runs out.
  bool Prepare() {
    if (channels_ == image_.channels) return true;
    converted_ = Buffer<uint8_t>::Allocate(size_t{1} * image_.width * channels_);
    return !converted_.empty();
  }

  /// Row y, of which the columns [begin, end) are valid; until the next call.
  const uint8_t* Read(int y, int begin, int end) const {
    const uint8_t* row = image_.pixels.data() + size_t{1} * y * image_.width * image_.channels;
    if (!converted_) return row;
    PixelsToRgb(row + size_t{1} * begin * image_.channels, image_.channels, alpha_, end - begin,
                converted_.data() + size_t{1} * begin * channels_);
    return converted_.data();
  }

 private:
  const Image& image_;
  int channels_;
  Alpha alpha_;
  Buffer<uint8_t> converted_;
};

/// One result row along y: the weighted sum of `count` rows of `width` samples.
void ResampleColumns(const uint8_t* rows, size_t row_bytes, const int32_t* weights, int count,
                     int width, int32_t* __restrict sums, uint8_t* __restrict out) {
  std::fill_n(sums, width, kHalf);
  for (int k = 0; k < count; ++k) {
    const uint8_t* row = rows + k * row_bytes;
    const int32_t weight = weights[k];
    for (int i = 0; i < width; ++i) sums[i] += row[i] * weight;
  }
  for (int i = 0; i < width; ++i) out[i] = Clip(sums[i]);
}

Error NoMemory(const ResizeTarget& target) {
  return {Status::kOutOfMemory, Concat("no memory to resize a picture to ", target.full_width,
                                       " x ", target.full_height, "; use a smaller one")};
}

/// Pillow steps through the source by adding up doubles; so does this, from the first sample on.
void NearestIndices(int source_size, int64_t full_size, int64_t start, int size, int* indices) {
  const double step = static_cast<double>(source_size) / static_cast<double>(full_size);
  double position = step * 0.5;
  for (int64_t i = 0; i < start; ++i) position += step;
  for (int i = 0; i < size; ++i, position += step) {
    indices[i] = std::min(static_cast<int>(position), source_size - 1);
  }
}

Result<void> ResizeNearest(const Image& image, int channels, Rows& rows,
                           const ResizeTarget& target) {
  const Buffer<int> columns = Buffer<int>::Allocate(target.width);
  const Buffer<int> lines = Buffer<int>::Allocate(target.height);
  if (!columns || !lines) return std::unexpected(NoMemory(target));
  NearestIndices(image.width, target.full_width, target.x, target.width, columns.data());
  NearestIndices(image.height, target.full_height, target.y, target.height, lines.data());
  for (int y = 0; y < target.height; ++y) {
    const uint8_t* row = rows.Read(lines[y], columns[0], columns[target.width - 1] + 1);
    uint8_t* out = target.pixels + y * target.row_bytes;
    for (int x = 0; x < target.width; ++x, out += channels) {
      std::memcpy(out, row + size_t{1} * columns[x] * channels, channels);
    }
  }
  return {};
}

}  // namespace

Result<void> ResizePart(const Image& image, int channels, Alpha alpha, Interpolation interpolation,
                        const ResizeTarget& target) {
  Rows rows(image, channels, alpha);
  if (!rows.Prepare()) return std::unexpected(NoMemory(target));
  if (interpolation == Interpolation::kNearest) return ResizeNearest(image, channels, rows, target);

  const Filter filter = FilterOf(interpolation);
  const Taps columns = MakeTaps(filter, image.width, target.full_width, target.x, target.width);
  const Taps lines = MakeTaps(filter, image.height, target.full_height, target.y, target.height);
  const size_t row_bytes = size_t{1} * target.width * channels;
  Buffer<int32_t> sums = Buffer<int32_t>::Allocate(row_bytes);
  if (!columns.spans || !lines.spans || !sums) return std::unexpected(NoMemory(target));

  // First along x, rounded to bytes, of the rows that the second pass along y reads.
  const bool same_width = target.full_width == image.width;
  const bool same_height = target.full_height == image.height;
  const int first_line = same_height ? static_cast<int>(target.y) : lines.begin;
  const int end_line = same_height ? first_line + target.height : lines.end;
  const int first_column = same_width ? static_cast<int>(target.x) : columns.begin;
  const int end_column = same_width ? first_column + target.width : columns.end;
  Buffer<uint8_t> narrowed;  // [end_line - first_line, target.width, channels]
  if (!same_height) {
    const uint64_t bytes = uint64_t{row_bytes} * (end_line - first_line);
    if (bytes <= kMaxScratchBytes) narrowed = Buffer<uint8_t>::Allocate(bytes);
    if (!narrowed) return std::unexpected(NoMemory(target));
  }
  for (int y = first_line; y < end_line; ++y) {
    const uint8_t* row = rows.Read(y, first_column, end_column);
    uint8_t* out = same_height ? target.pixels + (y - first_line) * target.row_bytes
                               : narrowed.data() + (y - first_line) * row_bytes;
    if (same_width) {
      std::memcpy(out, row + size_t{1} * first_column * channels, row_bytes);
    } else if (channels == 3) {
      ResampleRowRgb(row, columns, out);
    } else {
      ResampleRowGrey(row, columns, out);
    }
  }
  if (same_height) return {};

  for (int y = 0; y < target.height; ++y) {
    const auto [first, count] = lines.spans[y];
    ResampleColumns(narrowed.data() + (first - first_line) * row_bytes, row_bytes,
                    lines.weights_of(y), count, static_cast<int>(row_bytes), sums.data(),
                    target.pixels + y * target.row_bytes);
  }
  return {};
}

Result<Image> Resize(const Image& image, int width, int height, Interpolation interpolation) {
  if (Result<void> checked = CheckImage(image); !checked) return Forward(checked);
  if (image.channels != 1 && image.channels != 3) {
    return Fail(
        Status::kInvalidArgument,
        Concat("picture of ", image.channels, " channels, expected 1 or 3; convert it with ToRgb"));
  }
  Result<Image> resized = MakeImage(width, height, image.channels);
  if (!resized) return resized;
  const ResizeTarget whole = {.full_width = width,
                              .full_height = height,
                              .x = 0,
                              .y = 0,
                              .width = width,
                              .height = height,
                              .pixels = resized->pixels.data(),
                              .row_bytes = size_t{1} * width * image.channels};
  if (Result<void> done = ResizePart(image, image.channels, Alpha::kDrop, interpolation, whole);
      !done) {
    return Forward(done);
  }
  return resized;
}

}  // namespace vitrine
