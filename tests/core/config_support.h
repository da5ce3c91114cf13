// Reading configs that are written in the test.
#ifndef VITRINE_TESTS_CONFIG_SUPPORT_H_
#define VITRINE_TESTS_CONFIG_SUPPORT_H_

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>

#include "vitrine/config.h"

namespace vitrine::test {

/// The config; the running test fails where there is an error.
inline ModelConfig Read(const std::string& config, const std::string& preprocessor = "",
                        const std::string& labels = "") {
  INFO(config << preprocessor << labels);
  auto read = ReadModelConfig({config, preprocessor, labels});
  INFO((read ? "" : read.error().message));
  REQUIRE(read.has_value());
  return *read;
}

/// The error; the running test fails where there is none.
inline Error ErrorOf(const std::string& config, const std::string& preprocessor = "",
                     const std::string& labels = "") {
  INFO(config << preprocessor << labels);
  auto read = ReadModelConfig({config, preprocessor, labels});
  REQUIRE_FALSE(read.has_value());
  return read.error();
}

inline bool Mentions(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

inline std::string Timm(const std::string& architecture, const std::string& more = "") {
  return "{\"architecture\": \"" + architecture + "\"" + more + "}";
}

// Of a small VisionTransformer with these model_args as well.
inline std::string Args(const std::string& args) {
  return Timm("vit_tiny_patch16_224", ", \"model_args\": {" + args + "}");
}

}  // namespace vitrine::test

#endif  // VITRINE_TESTS_CONFIG_SUPPORT_H_
