#include "vitrine/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/json.h"
#include "base/order.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is used as it is");

constexpr std::string_view kFile = "model.safetensors";

/// Bits of one element, 0 for a dtype the format does not have.
uint64_t BitsOf(std::string_view dtype) {
  static constexpr struct {
    std::string_view name;
    int bits;
  } kTypes[] = {{"F32", 32},    {"F16", 16},    {"BF16", 16},   {"F64", 64},    {"I64", 64},
                {"I32", 32},    {"I16", 16},    {"I8", 8},      {"U64", 64},    {"U32", 32},
                {"U16", 16},    {"U8", 8},      {"BOOL", 8},    {"C64", 64},    {"F8_E4M3", 8},
                {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4}};
  for (const auto& type : kTypes) {
    if (type.name == dtype) return type.bits;
  }
  return 0;
}

/// Number of bytes of a tensor; false when it overflows or is no whole number.
bool SizeOf(const std::vector<int64_t>& shape, uint64_t bits, uint64_t& bytes) {
  uint64_t product = bits;
  for (int64_t extent : shape) {
    if (__builtin_mul_overflow(product, static_cast<uint64_t>(extent), &product)) return false;
  }
  bytes = product / 8;
  return product % 8 == 0;
}

std::vector<int64_t> ReadShape(const Json& value) {
  std::vector<int64_t> shape;
  if (!value.is_array()) value.FailExpected("an array of extents");
  for (const Json& item : value.Items()) {
    uint64_t extent = item.Uint64(0);
    if (!item.is_number() || extent > INT64_MAX) item.FailExpected("an extent");
    shape.push_back(static_cast<int64_t>(extent));
  }
  return shape;
}

TensorInfo ReadTensor(std::string_view name, const Json& value) {
  value.CheckUniqueKeys();
  TensorInfo tensor{std::string(name), std::string(value.Get("dtype").String("")),
                    ReadShape(value.Get("shape")), 0, 0};
  Json offsets = value.Get("data_offsets");
  std::vector<Json> pair = offsets.Items();
  if (pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number()) {
    offsets.FailExpected("[begin, end]");
    return tensor;
  }
  tensor.begin = pair[0].Uint64(0);
  tensor.end = pair[1].Uint64(0);
  uint64_t bits = BitsOf(tensor.dtype);
  if (bits == 0) {
    value.Get("dtype").Fail(
        tensor.dtype.empty() ? Status::kInvalidCheckpoint : Status::kUnsupported,
        Concat(value.Get("dtype").Describe(), ", expected a dtype of safetensors such as F32"));
    return tensor;
  }
  uint64_t size = 0;
  if (!SizeOf(tensor.shape, bits, size) || tensor.begin > tensor.end || tensor.size() != size) {
    offsets.Fail(Status::kInvalidCheckpoint,
                 Concat("[", tensor.begin, ", ", tensor.end, "] does not hold ", tensor.dtype,
                        " of shape ", Excerpt(ShapeText(tensor.shape)), "; is the file damaged?"));
  }
  return tensor;
}

void CheckMetadata(const Json& metadata) {
  if (!metadata.is_object()) metadata.FailExpected("an object of strings");
  for (const auto& [key, value] : metadata.Members()) {
    if (!value.is_string()) value.FailExpected("a string");
  }
}

Result<void> CheckTiling(const SafetensorsHeader& header) {
  uint64_t position = 0;
  for (const TensorInfo& tensor : header.tensors) {
    if (tensor.begin != position) {
      return Fail(
          Status::kInvalidCheckpoint,
          Concat(kFile, ": ", Excerpt(tensor.name), ": data begins at byte ", tensor.begin,
                 ", expected ", position, ": tensors ",
                 tensor.begin < position ? "overlap" : "leave a hole", "; is the file damaged?"));
    }
    position = tensor.end;
  }
  return {};
}

/// Files that are often met under this name.
std::string_view GuessFile(const uint8_t (&prefix)[8]) {
  auto starts = [&](std::string_view text) {
    return std::memcmp(prefix, text.data(), text.size()) == 0;
  };
  if (starts("version ")) return "a Git LFS pointer: fetch the file it stands for";
  if (starts("<!DOCTY") || starts("<!docty") || starts("<html"))
    return "a web page: check the address";
  if (starts("PK\x03\x04") || starts("\x80\x02")) {
    return "a PyTorch pickle: save it with safetensors.torch.save_file";
  }
  if (starts("\x1F\x8B")) return "a gzip file: unpack it, or serve it with Content-Encoding: gzip";
  if (starts("GGUF")) return "a GGUF file: use the model's safetensors";
  return "";
}

}  // namespace

Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json) {
  JsonDocument document(json, kFile, Status::kInvalidCheckpoint, kMaxHeaderBytes);
  if (!document.ok()) return Forward(document.result());
  Json root = document.root();
  if (!root.is_object()) root.FailExpected("an object of tensors");
  root.CheckUniqueKeys();
  SafetensorsHeader header;
  for (const auto& [name, value] : root.Members()) {
    if (name == "__metadata__") {
      CheckMetadata(value);
      continue;
    }
    if (header.tensors.size() == kMaxTensors) {
      root.Fail(Status::kTooLarge, Concat("over ", kMaxTensors, " tensors"));
    }
    if (!value.is_object()) value.FailExpected("an object with dtype, shape and data_offsets");
    if (!document.ok()) break;
    header.tensors.push_back(ReadTensor(name, value));
  }
  if (!document.ok()) return Forward(document.result());
  std::vector<int> order = SortedOrder(header.tensors.size(), [&](int a, int b) {
    const TensorInfo &x = header.tensors[a], &y = header.tensors[b];
    return x.begin != y.begin ? x.begin < y.begin : x.end < y.end;
  });
  std::vector<TensorInfo> ordered;
  ordered.reserve(order.size());
  for (int index : order) ordered.push_back(std::move(header.tensors[index]));
  header.tensors = std::move(ordered);
  if (auto tiled = CheckTiling(header); !tiled) return Forward(tiled);
  if (!header.tensors.empty()) header.data_bytes = header.tensors.back().end;
  return header;
}

Result<std::span<uint8_t>> SafetensorsHeaderReader::Reserve(size_t wanted) {
  if (received_ < 8) {
    return std::span(prefix_).subspan(received_, std::min<size_t>(wanted, 8 - received_));
  }
  size_t used = received_ - 8;
  if (used == capacity_) {
    constexpr size_t kFirstCapacity = 64 << 10;
    size_t capacity = std::min<size_t>(length_, std::max(kFirstCapacity, 2 * capacity_));
    char* grown = static_cast<char*>(std::realloc(json_.get(), capacity));
    if (grown == nullptr) {
      return Fail(Status::kOutOfMemory,
                  Concat(kFile, ": no memory for ", capacity, " bytes of header"));
    }
    static_cast<void>(json_.release());
    json_.reset(grown);
    capacity_ = capacity;
  }
  return std::span(reinterpret_cast<uint8_t*>(json_.get()) + used,
                   std::min(wanted, capacity_ - used));
}

Result<void> SafetensorsHeaderReader::Commit(size_t size) {
  received_ += size;
  // The first bytes of a gzip file can be a header's length; then no header follows.
  if (received_ > 8 && std::memcmp(prefix_, "\x1F\x8B\x08", 3) == 0 && json_.get()[0] != '{') {
    return Fail(Status::kInvalidCheckpoint,
                Concat(kFile, ": a gzip file, expected safetensors; unpack it, or serve it with ",
                       "Content-Encoding: gzip"));
  }
  if (length_known_ || received_ < 8) return {};
  std::memcpy(&length_, prefix_, 8);
  length_known_ = true;
  if (length_ >= 2 && length_ <= kMaxHeaderBytes) return {};
  if (std::string_view guess = GuessFile(prefix_); !guess.empty()) {
    return Fail(Status::kInvalidCheckpoint, Concat(kFile, ": not a safetensors file but ", guess));
  }
  return Fail(length_ < 2 ? Status::kInvalidCheckpoint : Status::kTooLarge,
              Concat(kFile, ": announces a header of ", length_, " bytes, expected 2 to ",
                     kMaxHeaderBytes, "; is it a safetensors file?"));
}

Result<SafetensorsHeader> SafetensorsHeaderReader::Take() {
  auto header = ParseSafetensorsHeader({json_.get(), static_cast<size_t>(length_)});
  json_.reset();
  return header;
}

Error SafetensorsHeaderReader::Truncated() const {
  std::string message = Concat(kFile, ": ");
  if (received_ == 0) {
    message += "empty";
  } else if (received_ < 8) {
    message += Concat("ends after ", received_, " bytes, expected the 8 of the header's length");
  } else {
    message += Concat("ends after ", received_, " bytes, within its header of ", bytes(), " bytes");
  }
  return {Status::kInvalidCheckpoint, message + "; is the download complete?"};
}

}  // namespace vitrine
