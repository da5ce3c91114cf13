#include "checkpoint_support.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "vitrine/text.h"

namespace vitrine::test {

std::vector<uint8_t> MakeFile(const std::string& header, std::span<const uint8_t> data) {
  std::vector<uint8_t> file(8 + header.size() + data.size());
  uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  std::copy(header.begin(), header.end(), file.begin() + 8);
  std::copy(data.begin(), data.end(),
            file.begin() + 8 + static_cast<std::ptrdiff_t>(header.size()));
  return file;
}

std::vector<uint8_t> MakeFile(const std::vector<FileTensor>& tensors) {
  std::string header = R"({"__metadata__":{"format":"pt"})";
  std::vector<uint8_t> data;
  for (const FileTensor& tensor : tensors) {
    header += Concat(",\"", tensor.name, "\":{\"dtype\":\"", tensor.dtype,
                     "\",\"shape\":", ShapeText(tensor.shape), ",\"data_offsets\":[", data.size(),
                     ",", data.size() + tensor.bytes.size(), "]}");
    data.insert(data.end(), tensor.bytes.begin(), tensor.bytes.end());
  }
  return MakeFile(header + "}   ", data);  // padded with spaces, as the format allows
}

FileTensor MakeF32(const std::string& name, const std::vector<int64_t>& shape,
                   std::span<const float> values) {
  FileTensor tensor{name, "F32", shape, std::vector<uint8_t>(values.size_bytes())};
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), values.size_bytes());
  return tensor;
}

std::vector<FileTensor> MakeTensors(const Plan& plan,
                                    const std::function<float(int, size_t)>& value) {
  std::vector<FileTensor> tensors;
  for (size_t p = 0; p < plan.parameters.size(); ++p) {
    std::vector<float> values(static_cast<size_t>(plan.parameters[p].num_elements()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = value(static_cast<int>(p), i);
    tensors.push_back(MakeF32(plan.parameters[p].name, plan.parameters[p].shape, values));
  }
  return tensors;
}

VitConfig LittleConfig() {
  VitConfig config;
  config.architecture = "little";
  config.img_size = {8, 8};
  config.patch_size = {4, 4};
  config.in_chans = 3;
  config.num_classes = 5;
  config.embed_dim = 6;
  config.depth = 1;
  config.num_heads = 2;
  config.mlp_hidden_dim = 10;
  return config;
}

Result<void> RecordingSink::SetParameter(int index, vitrine::Tensor values) {
  if (parameters.contains(index)) twice = true;
  parameters[index].assign(values.floats().begin(), values.floats().end());
  return {};
}

Loaded Load(const Plan& plan, std::span<const uint8_t> file,
            const std::function<size_t()>& next_size) {
  RecordingSink sink;
  WeightStream stream(plan, sink);
  Result<void> result;
  while (!file.empty() && result) {
    size_t size = std::min(next_size(), file.size());
    result = stream.Write(file.first(size));
    file = file.subspan(size);
  }
  if (result) result = stream.Finish();
  CHECK_FALSE(sink.twice);
  return {result, std::move(sink.parameters)};
}

}  // namespace vitrine::test
