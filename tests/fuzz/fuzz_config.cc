// config.json, preprocessor_config.json and labels.json, separated by a zero byte each.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vitrine/config.h"
#include "vitrine/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string_view, 3> texts;
  for (std::string_view& text : texts) {
    text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(text.size() == rest.size() ? text.size() : text.size() + 1);
  }
  const Result<ModelConfig> config =
      ReadModelConfig({.config = texts[0], .preprocessor_config = texts[1], .labels = texts[2]});
  if (!config) return config.error().message.empty() ? (std::abort(), 0) : 0;
  // What was accepted can be built.
  const Result<Plan> plan = BuildPlan(config->vit);
  if (!plan || plan->num_parameters() <= 0 || PlanJson(*plan).empty()) std::abort();
  return 0;
}
