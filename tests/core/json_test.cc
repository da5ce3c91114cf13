#include "base/json.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "vitrine/json_writer.h"

namespace vitrine {
namespace {

// (Returned in place: a document can neither be copied nor moved.)
JsonDocument Parse(std::string_view text) {
  return JsonDocument(text, "a.json", Status::kInvalidConfig, 1000);
}

std::string MessageOf(const JsonDocument& document) {
  return document.ok() ? "" : document.result().error().message;
}

TEST_CASE("JSON getters give the value, or the fallback when it is absent or null", "[json]") {
  JsonDocument document =
      Parse(R"({"i": -3, "n": 2.5, "b": true, "s": "x", "null": null, "a": [1, 2]})");
  Json root = document.root();
  CHECK(root.Get("i").Int(7) == -3);
  CHECK(root.Get("n").Number(7) == 2.5);
  CHECK(root.Get("i").Number(7) == -3);
  CHECK(root.Get("b").Bool(false));
  CHECK(root.Get("s").String("y") == "x");
  CHECK(root.Get("null").Int(7) == 7);
  CHECK(root.Get("none").String("y") == "y");
  CHECK(root.Get("none").Get("deeper").Int(7) == 7);
  CHECK(root.Get("a").Items().size() == 2);
  CHECK(root.Members().size() == 6);
  CHECK(document.ok());
}

TEST_CASE("JSON getters name the key path of what is wrong, the first problem only", "[json]") {
  JsonDocument document = Parse(R"({"a": {"b": [1, "two"]}, "i": 3000000000})");
  Json b = document.root().Get("a").Get("b");
  CHECK(b.Items()[1].Int(7) == 7);
  CHECK(document.root().Get("i").Int(7) == 7);
  CHECK(MessageOf(document) == "a.json: a.b[1]: the string \"two\", expected an integer");
  CHECK(document.result().error().status == Status::kInvalidConfig);
}

TEST_CASE("JSON integers must fit", "[json]") {
  for (const char* text :
       {"2147483648", "-2147483649", "18446744073709551615", "99999999999999999999"}) {
    INFO(text);
    JsonDocument document = Parse(text);
    document.root().Int(0);
    CHECK_FALSE(document.ok());
  }
  JsonDocument most = Parse("18446744073709551615");
  CHECK(most.root().Uint64(0) == 18446744073709551615u);
  JsonDocument negative = Parse("-1");
  CHECK(negative.root().Uint64(5) == 5);
  CHECK_FALSE(negative.ok());
}

TEST_CASE("Text that is not JSON, or too long, is an error with a place", "[json]") {
  for (const char* text : {"", "{", "[1,]", "{} x", "\xFF", "{\"a\": 01}", "nul", "\"\\ud800\""}) {
    INFO(text);
    JsonDocument document = Parse(text);
    CHECK_FALSE(document.ok());
    CHECK_FALSE(document.root().present());
    CHECK(document.root().Get("a").Int(3) == 3);
  }
  CHECK(MessageOf(Parse("{\n\"a\" 1}")).find("line 2") != std::string::npos);
  JsonDocument large = Parse(std::string(1001, ' '));
  CHECK(large.result().error().status == Status::kTooLarge);
}

TEST_CASE("Deep nesting neither crashes nor recurses", "[json]") {
  std::string text = std::string(100000, '[') + std::string(100000, ']');
  JsonDocument document(text, "a.json", Status::kInvalidConfig, text.size());
  CHECK(document.ok());
  CHECK(document.root().Items().size() == 1);
}

TEST_CASE("A key that an object has twice is noticed", "[json]") {
  JsonDocument document = Parse(R"({"a": 1, "b": 2, "a": 3})");
  document.root().CheckUniqueKeys();
  CHECK(MessageOf(document) == "a.json: has the key \"a\" twice");
}

TEST_CASE("Excerpt cuts between UTF-8 sequences", "[json]") {
  CHECK(Excerpt("short") == "short");
  std::string long_name;
  for (int i = 0; i < 1000; ++i) long_name += "\xC3\xA9";
  std::string cut = Excerpt("x" + long_name);
  CHECK(cut.size() < 130);
  JsonWriter writer;
  writer.String(cut);
  CHECK(writer.Take().find("\xEF\xBF\xBD") == std::string::npos);
}

TEST_CASE("The JSON writer writes what parses to the same", "[json]") {
  JsonWriter writer;
  writer.BeginObject().Key("a").BeginArray().Int(-5).Number(0.25).Bool(true).EndArray();
  writer.Key("s")
      .String("quote \" slash \\ line\n tab\t \x01 \xC3\xA9")
      .Key("o")
      .BeginObject()
      .EndObject();
  writer.EndObject();
  std::string text = writer.Take();
  CHECK(text ==
        "{\"a\":[-5,0.25,true],\"s\":\"quote \\\" slash \\\\ line\\n tab\\u0009 \\u0001 "
        "\xC3\xA9\",\"o\":{}}");
  JsonDocument document = Parse(text);
  CHECK(document.root().Get("s").String("") == "quote \" slash \\ line\n tab\t \x01 \xC3\xA9");
}

TEST_CASE("The JSON writer's numbers", "[json]") {
  auto written = [](double value) {
    JsonWriter writer;
    writer.Number(value);
    return writer.Take();
  };
  CHECK(written(0) == "0");
  CHECK(written(-0.0) == "0");
  CHECK(written(1) == "1");
  CHECK(written(-1.5) == "-1.5");
  CHECK(written(0.1f) == "0.1");
  CHECK(written(0.0000014) == "0.000001");
  CHECK(written(-1e-9) == "0");
  CHECK(written(0.9999999) == "1");
  CHECK(written(123456789.25) == "123456789.25");
  CHECK(written(2.5e12) == "2500000000000");
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(1e300) == "null");
}

TEST_CASE("The JSON writer's floats read back as themselves", "[json]") {
  std::mt19937 random(1);
  std::vector<float> values = {0.0f,  -0.0f,  1.0f,         -1.0f,         10.0f,          0.1f,
                               1e-6f, 1e-12f, 9.9999994e8f, 3.4028235e38f, 1.1754944e-38f, 0.125f};
  while (values.size() < 20000) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isnormal(value)) values.push_back(value);
  }
  int wrong = 0;
  for (const float value : values) {
    const std::string text = JsonWriter().BeginArray().Float(value).EndArray().Take();
    JsonDocument document(text, "text", Status::kInternal, 1 << 20);
    wrong += static_cast<float>(document.root().Items().at(0).Number(-7)) != value;
  }
  CHECK(wrong == 0);
  CHECK(JsonWriter().Float(INFINITY).Take() == "null");
}

TEST_CASE("The JSON writer replaces bytes that are not UTF-8", "[json]") {
  for (const char* bad : {"\xFF", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xE2\x82"}) {
    JsonWriter writer;
    writer.String(std::string("a") + bad + "b");
    std::string text = writer.Take();
    CHECK(text.starts_with("\"a\xEF\xBF\xBD"));
    CHECK(text.ends_with("b\""));
    CHECK(Parse(text).ok());
  }
}

}  // namespace
}  // namespace vitrine
