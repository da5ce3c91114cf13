#include "config/labels.h"

#include <charconv>

#include "config/imagenet_labels.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

std::vector<std::string> ReadLabelObject(const Json& labels) {
  std::vector<Json::Member> members = labels.Members();
  std::vector<std::string> names(members.size());
  std::vector<bool> seen(members.size());
  for (const auto& [key, value] : members) {
    size_t index = 0;
    auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    bool is_index = error == std::errc() && end == key.data() + key.size();
    if (!is_index || index >= names.size() || seen[index]) {
      value.Fail(Status::kInvalidConfig, Concat("expected the indices \"0\" to \"",
                                                names.size() - 1, "\" as keys, each once"));
      return {};
    }
    seen[index] = true;
    names[index] = value.String("");
  }
  return names;
}

}  // namespace

std::vector<std::string> ReadLabels(const Json& labels) {
  if (!labels.present()) return {};
  if (labels.is_object()) return ReadLabelObject(labels);
  if (!labels.is_array()) {
    labels.FailExpected(R"(["name", ...] or {"0": "name", ...})");
    return {};
  }
  std::vector<std::string> names;
  for (const Json& item : labels.Items()) names.emplace_back(item.String(""));
  return names;
}

std::vector<std::string> ReadTimmLabels(const Json& names, const Json& descriptions) {
  if (!names.present())
    return descriptions.is_array() ? ReadLabels(descriptions) : std::vector<std::string>();
  std::vector<std::string> labels = ReadLabels(names);
  if (descriptions.is_array()) {
    std::vector<std::string> described = ReadLabels(descriptions);
    return described.size() == labels.size() ? described : labels;
  }
  if (descriptions.is_object()) {
    for (std::string& label : labels) label = descriptions.Get(label).String(label);
  }
  return labels;
}

std::vector<std::string> ImagenetLabels() {
  std::vector<std::string> labels;
  std::string_view rest = kImagenetLabels;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    labels.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return labels;
}

}  // namespace vitrine
