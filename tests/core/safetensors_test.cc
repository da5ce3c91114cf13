#include "vitrine/safetensors.h"

#include <catch2/catch_test_macros.hpp>

#include "checkpoint_support.h"

namespace vitrine::test {
namespace {

constexpr const char* kA = R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})";

Status StatusOf(const std::string& json) {
  auto header = ParseSafetensorsHeader(json);
  return header ? Status::kOk : header.error().status;
}

std::string MessageOf(const std::string& json) {
  auto header = ParseSafetensorsHeader(json);
  return header ? "" : header.error().message;
}

TEST_CASE("A safetensors header names its tensors in the order of their data", "[safetensors]") {
  auto header = ParseSafetensorsHeader(
      R"({"b":{"dtype":"BF16","shape":[3],"data_offsets":[24,30]},"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("scalar":{"dtype":"I64","shape":[],"data_offsets":[30,38]},)"
      R"("none":{"dtype":"F16","shape":[0,7],"data_offsets":[24,24]}}  )");
  REQUIRE(header.has_value());
  REQUIRE(header->tensors.size() == 4);
  CHECK(header->tensors[0].name == "a");
  CHECK(header->tensors[0].shape == std::vector<int64_t>{2, 3});
  CHECK(header->tensors[1].name == "none");
  CHECK(header->tensors[2].dtype == "BF16");
  CHECK(header->tensors[3].size() == 8);
  CHECK(header->data_bytes == 38);
}

TEST_CASE("An empty safetensors file is one without tensors", "[safetensors]") {
  CHECK(StatusOf("{}") == Status::kOk);
  CHECK(StatusOf(R"({"__metadata__":{}})") == Status::kOk);
}

TEST_CASE("Nonsense headers are refused", "[safetensors]") {
  for (const char* json : {"",
                           "  ",
                           "[]",
                           "12",
                           "null",
                           "{",
                           "{\"a\":}",
                           "{\"a\":1}",
                           "{\"a\":{}}",
                           "{\"a\":null}",
                           R"({"a":{"shape":[1],"data_offsets":[0,4]}})",
                           R"({"a":{"dtype":"F32","data_offsets":[0,4]}})",
                           R"({"a":{"dtype":"F32","shape":[1]}})",
                           R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})",
                           R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})",
                           R"({"a":{"dtype":"F32","shape":[null],"data_offsets":[0,0]}})",
                           R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
                           R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,null]}})",
                           R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[null,null]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})",
                           R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})",
                           R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,0]}})",
                           R"({"__metadata__":[]})",
                           R"({"__metadata__":{"a":1}})",
                           R"({"__metadata__":null})"}) {
    INFO(json);
    CHECK(StatusOf(json) == Status::kInvalidCheckpoint);
  }
}

TEST_CASE("Shapes whose product overflows are refused", "[safetensors]") {
  for (const char* shape :
       {"[4294967296,4294967296]", "[9223372036854775807,2]", "[18446744073709551615]",
        "[4611686018427387904,4]", "[65536,65536,65536,65536]"}) {
    INFO(shape);
    CHECK(StatusOf(std::string(R"({"a":{"dtype":"F32","shape":)") + shape +
                   R"(,"data_offsets":[0,0]}})") == Status::kInvalidCheckpoint);
  }
}

TEST_CASE("Tensors that overlap or leave holes are refused by name", "[safetensors]") {
  CHECK(MessageOf(std::string("{") + kA +
                  R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[20,28]}})") ==
        "model.safetensors: b: data begins at byte 20, expected 24: tensors overlap; is the file "
        "damaged?");
  CHECK(MessageOf(std::string("{") + kA +
                  R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[28,36]}})")
            .find("leave a hole") != std::string::npos);
  CHECK(
      MessageOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})").find("leave a hole") !=
      std::string::npos);
  CHECK(StatusOf(std::string("{") + kA +
                 R"(,"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})") ==
        Status::kInvalidCheckpoint);
}

TEST_CASE("A name that comes twice and an unknown dtype are refused", "[safetensors]") {
  CHECK(MessageOf(std::string("{") + kA + "," + kA + "}").find("\"a\" twice") != std::string::npos);
  CHECK(StatusOf(R"({"a":{"dtype":"F12","shape":[1],"data_offsets":[0,4]}})") ==
        Status::kUnsupported);
}

TEST_CASE("A header with too many tensors is refused", "[safetensors]") {
  std::string json = "{";
  for (size_t i = 0; i <= kMaxTensors; ++i) {
    json += (i ? ",\"" : "\"") + std::to_string(i) +
            R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  CHECK(StatusOf(json + "}") == Status::kTooLarge);
}

/// The status of a reader that is fed these bytes.
Status Feed(std::span<const uint8_t> bytes, size_t piece) {
  SafetensorsHeaderReader reader;
  while (!bytes.empty() && !reader.complete()) {
    auto window = reader.Reserve(std::min(piece, bytes.size()));
    if (!window) return window.error().status;
    std::memcpy(window->data(), bytes.data(), window->size());
    if (auto committed = reader.Commit(window->size()); !committed) return committed.error().status;
    bytes = bytes.subspan(window->size());
  }
  if (!reader.complete()) return reader.Truncated().status;
  return reader.Take() ? Status::kOk : Status::kInvalidCheckpoint;
}

TEST_CASE("A header arrives in pieces of any size", "[safetensors]") {
  std::string json = "{";
  for (int i = 0; i < 5000; ++i) {
    json += (i ? ",\"" : "\"") + std::to_string(i) +
            R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  std::vector<uint8_t> file = MakeFile(json + "}", {});
  for (size_t piece : {size_t{1}, size_t{7}, size_t{4096}, file.size()})
    CHECK(Feed(file, piece) == Status::kOk);
  for (size_t size : {0, 1, 7, 8, 9, 1000}) {
    CHECK(Feed(std::span(file).first(size), 64) == Status::kInvalidCheckpoint);
  }
}

TEST_CASE("The announced length of a header takes no memory", "[safetensors]") {
  std::vector<uint8_t> file = MakeFile("{}", {});
  uint64_t length = kMaxHeaderBytes;
  std::memcpy(file.data(), &length, 8);
  SafetensorsHeaderReader reader;
  std::memcpy(reader.Reserve(8)->data(), file.data(), 8);
  REQUIRE(reader.Commit(8).has_value());
  CHECK(reader.Reserve(size_t{1} << 30)->size() <= 1 << 20);
  CHECK(Feed(file, 64) == Status::kInvalidCheckpoint);
}

TEST_CASE("Lengths out of bounds and files of other kinds are named", "[safetensors]") {
  for (uint64_t length : {uint64_t{kMaxHeaderBytes} + 1, ~uint64_t{0}, uint64_t{1} << 63}) {
    uint8_t bytes[8];
    std::memcpy(bytes, &length, 8);
    CHECK(Feed(bytes, 3) == Status::kTooLarge);
  }
  for (uint64_t length : {0, 1}) {
    uint8_t bytes[8];
    std::memcpy(bytes, &length, 8);
    CHECK(Feed(bytes, 8) == Status::kInvalidCheckpoint);
  }
  for (std::string_view text : {"version https://git-lfs", "<!DOCTYPE html>", "PK\x03\x04...zip"}) {
    INFO(text);
    CHECK(Feed({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 5) ==
          Status::kInvalidCheckpoint);
  }
}

}  // namespace
}  // namespace vitrine::test
