#include "vitrine/weights.h"

#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <random>

#include "checkpoint_support.h"
#include "test_support.h"
#include "vitrine/text.h"

namespace vitrine::test {
namespace {

Plan LittlePlan(const VitConfig& config = LittleConfig()) {
  auto plan = BuildPlan(config);
  REQUIRE(plan.has_value());
  return *plan;
}

// Exact in 16 bits, different everywhere.
float Value(int parameter, size_t i) {
  return static_cast<float>((parameter * 131 + static_cast<int>(i)) % 255 - 127);
}

std::map<int, std::vector<float>> Expected(const Plan& plan) {
  std::map<int, std::vector<float>> expected;
  for (size_t p = 0; p < plan.parameters.size(); ++p) {
    int index = static_cast<int>(p);
    for (int64_t i = 0; i < plan.parameters[p].num_elements(); ++i) {
      expected[index].push_back(Value(index, static_cast<size_t>(i)));
    }
  }
  return expected;
}

/// Of integers up to 255, which both formats hold exactly.
FileTensor Narrow(const FileTensor& tensor, const std::string& dtype) {
  FileTensor narrow{tensor.name, dtype, tensor.shape, {}};
  for (size_t i = 0; i < tensor.bytes.size(); i += 4) {
    uint32_t bits;
    std::memcpy(&bits, &tensor.bytes[i], 4);
    uint32_t half = bits >> 16;
    if (dtype == "F16") {
      uint32_t exponent = (bits >> 23) & 0xFF;
      half = (bits >> 16 & 0x8000) | (exponent == 0 ? 0 : (exponent - 112) << 10) |
             (bits >> 13 & 0x3FF);
    }
    narrow.bytes.push_back(static_cast<uint8_t>(half));
    narrow.bytes.push_back(static_cast<uint8_t>(half >> 8));
  }
  return narrow;
}

/// timm's tensors of a one-block ViT under Hugging Face's names, qkv in three.
std::vector<FileTensor> ToHuggingFace(const std::vector<FileTensor>& tensors) {
  const std::map<std::string, std::string> names = {
      {"cls_token", "vit.embeddings.cls_token"},
      {"pos_embed", "vit.embeddings.position_embeddings"},
      {"patch_embed.proj.weight", "vit.embeddings.patch_embeddings.projection.weight"},
      {"patch_embed.proj.bias", "vit.embeddings.patch_embeddings.projection.bias"},
      {"blocks.0.norm1.", "vit.encoder.layer.0.layernorm_before."},
      {"blocks.0.norm2.", "vit.encoder.layer.0.layernorm_after."},
      {"blocks.0.attn.proj.", "vit.encoder.layer.0.attention.output.dense."},
      {"blocks.0.mlp.fc1.", "vit.encoder.layer.0.intermediate.dense."},
      {"blocks.0.mlp.fc2.", "vit.encoder.layer.0.output.dense."},
      {"norm.", "vit.layernorm."},
      {"head.", "classifier."},
  };
  std::vector<FileTensor> renamed;
  for (const FileTensor& tensor : tensors) {
    if (tensor.name.starts_with("blocks.0.attn.qkv.")) {
      std::string suffix = tensor.name.substr(tensor.name.rfind('.'));
      for (int part : {1, 0, 2}) {  // transformers saves them in the order of the alphabet
        const char* kParts[] = {"query", "key", "value"};
        FileTensor third{
            std::string("vit.encoder.layer.0.attention.attention.") + kParts[part] + suffix,
            tensor.dtype,
            tensor.shape,
            {}};
        third.shape[0] /= 3;
        auto size = static_cast<std::ptrdiff_t>(tensor.bytes.size() / 3);
        third.bytes.assign(tensor.bytes.begin() + part * size,
                           tensor.bytes.begin() + (part + 1) * size);
        renamed.push_back(std::move(third));
      }
      continue;
    }
    FileTensor other = tensor;
    for (const auto& [timm, hugging_face] : names) {
      if (tensor.name.starts_with(timm))
        other.name = hugging_face + tensor.name.substr(timm.size());
    }
    renamed.push_back(std::move(other));
  }
  return renamed;
}

TEST_CASE("Buffer<float> is aligned and refuses what cannot be", "[weights]") {
  Buffer<float> buffer = Buffer<float>::Allocate(3);
  REQUIRE(buffer.data() != nullptr);
  CHECK(reinterpret_cast<uintptr_t>(buffer.data()) % 64 == 0);
  CHECK(buffer.size() == 3);
  CHECK(Buffer<float>::Allocate(0).data() == nullptr);
  CHECK(Buffer<float>::Allocate(SIZE_MAX).data() == nullptr);
  CHECK(Buffer<float>::Allocate(SIZE_MAX / 4).data() == nullptr);
}

TEST_CASE("Parameters are the same for every chunking, order, dtype and naming", "[weights]") {
  Plan plan = LittlePlan();
  const auto expected = Expected(plan);
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    std::vector<FileTensor> tensors = MakeTensors(plan, Value);
    if (round % 2 == 1) tensors = ToHuggingFace(tensors);
    if (round % 4 >= 2) {
      tensors.push_back(
          {"vit.pooler.dense.weight", "F32", {100, 100}, std::vector<uint8_t>(40000, 0xFF)});
    }
    for (FileTensor& tensor : tensors) {
      const char* kTypes[] = {"F32", "F16", "BF16"};
      const char* dtype = kTypes[round < 6 ? 0 : random() % 3];
      if (dtype != std::string("F32") && tensor.name.find("pooler") == std::string::npos) {
        tensor = Narrow(tensor, dtype);
      }
    }
    std::shuffle(tensors.begin(), tensors.end(), random);
    size_t largest = round % 3 == 0 ? 1 : round % 3 == 1 ? 50 : 20000;
    INFO("round " << round);
    Loaded loaded = Load(plan, MakeFile(tensors), [&] { return 1 + random() % largest; });
    INFO((loaded.result ? "" : loaded.result.error().message));
    REQUIRE(loaded.result.has_value());
    REQUIRE(loaded.parameters == expected);
  }
}

TEST_CASE("A parameter reaches the sink with its last byte", "[weights]") {
  Plan plan = LittlePlan();
  std::vector<uint8_t> file = MakeFile(MakeTensors(plan, Value));
  RecordingSink sink;
  WeightStream stream(plan, sink);
  REQUIRE(stream.Write(std::span(file).first(file.size() - 1)).has_value());
  CHECK(sink.parameters.size() == plan.parameters.size() - 1);
  CHECK(stream.bytes_received() == file.size() - 1);
  CHECK(stream.bytes_expected() == file.size());
  REQUIRE(stream.Write(std::span(file).last(1)).has_value());
  CHECK(sink.parameters.size() == plan.parameters.size());
  CHECK(stream.Finish().has_value());
}

TEST_CASE("Reserve never grants more than wanted, nor nothing", "[weights]") {
  Plan plan = LittlePlan();
  std::vector<uint8_t> file = MakeFile(MakeTensors(plan, Value));
  RecordingSink sink;
  WeightStream stream(plan, sink);
  CHECK(stream.bytes_expected() == 0);
  for (size_t sent = 0; sent < file.size();) {
    auto window = stream.Reserve(13);
    REQUIRE(window.has_value());
    REQUIRE(window->size() >= 1);
    REQUIRE(window->size() <= 13);
    // Less than the window may be committed.
    size_t size = std::min(window->size(), 1 + sent % 13);
    std::memcpy(window->data(), &file[sent], size);
    REQUIRE(stream.Commit(size).has_value());
    sent += size;
  }
  CHECK(stream.Commit(0).has_value());
  CHECK(stream.Finish().has_value());
  CHECK(sink.parameters == Expected(plan));
}

TEST_CASE("Calls out of order are the caller's mistake", "[weights]") {
  Plan plan = LittlePlan();
  RecordingSink sink;
  WeightStream commit_first(plan, sink);
  CHECK(commit_first.Commit(1).error().status == Status::kInvalidArgument);
  WeightStream too_much(plan, sink);
  REQUIRE(too_much.Reserve(4).has_value());
  CHECK(too_much.Commit(5).error().status == Status::kInvalidArgument);
  WeightStream nothing(plan, sink);
  CHECK(nothing.Reserve(0).error().status == Status::kInvalidArgument);
  std::vector<uint8_t> file = MakeFile(MakeTensors(plan, Value));
  WeightStream finished(plan, sink);
  REQUIRE(finished.Write(file).has_value());
  REQUIRE(finished.Finish().has_value());
  CHECK(finished.Reserve(1).error().status == Status::kInvalidArgument);
}

TEST_CASE("A file that ends early is refused wherever it ends", "[weights]") {
  Plan plan = LittlePlan();
  std::vector<uint8_t> file = MakeFile(MakeTensors(plan, Value));
  for (size_t size = 0; size < file.size(); size += size < 32 ? 1 : 37) {
    Loaded loaded = Load(plan, std::span(file).first(size));
    INFO(size);
    REQUIRE_FALSE(loaded.result.has_value());
    CHECK(loaded.result.error().status == Status::kInvalidCheckpoint);
    CHECK(loaded.result.error().message.find(size == 0 ? "empty" : "ends after") !=
          std::string::npos);
  }
}

TEST_CASE("Bytes after the end are refused", "[weights]") {
  Plan plan = LittlePlan();
  std::vector<uint8_t> file = MakeFile(MakeTensors(plan, Value));
  file.push_back(0);
  Loaded loaded = Load(plan, file);
  REQUIRE_FALSE(loaded.result.has_value());
  CHECK(loaded.result.error().message.find("after the end") != std::string::npos);
}

TEST_CASE("Values that are not finite are refused by tensor and place", "[weights]") {
  Plan plan = LittlePlan();
  std::vector<FileTensor> tensors = MakeTensors(plan, Value);
  for (float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const char* name : {"blocks.0.attn.qkv.weight", "cls_token", "head.bias"}) {
      std::vector<FileTensor> damaged = tensors;
      auto tensor = std::find_if(damaged.begin(), damaged.end(),
                                 [&](const auto& t) { return t.name == name; });
      std::memcpy(&tensor->bytes[12], &bad, 4);
      Loaded loaded = Load(plan, MakeFile(damaged), [] { return size_t{5}; });
      REQUIRE_FALSE(loaded.result.has_value());
      CHECK(loaded.result.error().status == Status::kInvalidCheckpoint);
      CHECK(loaded.result.error().message == std::string(name) + ": value 3 is " +
                                                 (bad != bad ? "NaN" : "infinite") +
                                                 ", expected finite numbers; is the file damaged?");
    }
  }
}

TEST_CASE("A file of another model fails with its header", "[weights]") {
  Plan plan = LittlePlan();
  VitConfig deeper = LittleConfig();
  deeper.depth = 2;
  std::vector<uint8_t> file = MakeFile(MakeTensors(LittlePlan(deeper), Value));
  RecordingSink sink;
  WeightStream stream(plan, sink);
  auto written = stream.Write(file);
  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().message.find("blocks.1.") == 0);
  CHECK(stream.bytes_received() < file.size());
  CHECK(sink.parameters.empty());
}

TEST_CASE("An error stays", "[weights]") {
  Plan plan = LittlePlan();
  RecordingSink sink;
  WeightStream stream(plan, sink);
  std::vector<uint8_t> nonsense(16, 0xFF);
  auto first = stream.Write(nonsense);
  REQUIRE_FALSE(first.has_value());
  CHECK(stream.Reserve(1).error().message == first.error().message);
  CHECK(stream.Commit(0).error().message == first.error().message);
  CHECK(stream.Write({}).error().message == first.error().message);
  CHECK(stream.Finish().error().message == first.error().message);
}

TEST_CASE("A skipped tensor may be larger than the address space of WebAssembly", "[weights]") {
  Plan plan = LittlePlan();
  std::string header =
      R"({"pooler.dense.weight":{"dtype":"U8","shape":[4294967296],"data_offsets":[0,4294967296]})";
  uint64_t offset = uint64_t{1} << 32;
  for (const Parameter& parameter : plan.parameters) {
    uint64_t end = offset + 4 * static_cast<uint64_t>(parameter.num_elements());
    header += Concat(",\"", parameter.name,
                     "\":{\"dtype\":\"F32\",\"shape\":", ShapeText(parameter.shape),
                     ",\"data_offsets\":[", offset, ",", end, "]}");
    offset = end;
  }
  std::vector<uint8_t> file = MakeFile(header + "}", {});
  RecordingSink sink;
  WeightStream stream(plan, sink);
  REQUIRE(stream.Write(file).has_value());
  CHECK(stream.bytes_expected() == file.size() + offset);
  auto window = stream.Reserve(1 << 20);
  REQUIRE(window.has_value());
  CHECK(window->size() > 0);
}

class FullSink final : public ParameterSink {
 public:
  Result<void> SetParameter(int, vitrine::Tensor) override {
    return Fail(Status::kOutOfMemory, "full");
  }
};

TEST_CASE("An error of the sink ends the stream", "[weights]") {
  Plan plan = LittlePlan();
  FullSink sink;
  WeightStream stream(plan, sink);
  CHECK(stream.Write(MakeFile(MakeTensors(plan, Value))).error().message == "full");
  CHECK(stream.Finish().error().status == Status::kOutOfMemory);
}

TEST_CASE("A damaged file never crashes", "[weights]") {
  Plan plan = LittlePlan();
  const std::vector<uint8_t> file = MakeFile(ToHuggingFace(MakeTensors(plan, Value)));
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint8_t> damaged = file;
    for (int i = 0; i < 1 + round % 3; ++i) {
      // Mostly in the header.
      size_t range = round % 4 == 0 ? file.size() : 2000;
      damaged[random() % range] = round % 2
                                      ? static_cast<uint8_t>("0123456789[]{},:\""[random() % 17])
                                      : static_cast<uint8_t>(random());
    }
    if (round % 5 == 0) damaged.resize(random() % damaged.size());
    Loaded loaded = Load(plan, damaged, [&] { return 1 + random() % 999; });
    if (!loaded.result) CHECK_FALSE(loaded.result.error().message.empty());
    if (loaded.result) CHECK(loaded.parameters.size() == plan.parameters.size());
  }
}

TEST_CASE("ViT-Tiny streams from its folder", "[weights][shared]") {
  ModelFolder folder(NeedSharedDir() / "models/vit_tiny_patch16_224");
  auto config = ReadModelConfig(folder.files());
  REQUIRE(config.has_value());
  Plan plan = LittlePlan(config->vit);
  Loaded loaded = Load(plan, folder.weights, [] { return size_t{65536}; });
  INFO((loaded.result ? "" : loaded.result.error().message));
  REQUIRE(loaded.result.has_value());
  CHECK(loaded.parameters.size() == 152);
  CHECK(plan.num_parameters() == 5717416);
  // Any other chunking gives the same.
  std::mt19937 random(3);
  Loaded again = Load(plan, folder.weights, [&] { return 1 + random() % 100000; });
  CHECK((again.parameters == loaded.parameters));
}

}  // namespace
}  // namespace vitrine::test
