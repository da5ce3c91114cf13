// Class names: from the model folder, or ImageNet-1k's.
#ifndef VITRINE_CONFIG_LABELS_H_
#define VITRINE_CONFIG_LABELS_H_

#include <string>
#include <vector>

#include "base/json.h"

namespace vitrine {

/// ["tench", ...] or {"0": "tench", ...} with every index from 0 on; problems are reported to the
/// document. Empty when absent.
std::vector<std::string> ReadLabels(const Json& labels);

/// timm: "label_names" (class identifiers) with their "label_descriptions" where there are any.
std::vector<std::string> ReadTimmLabels(const Json& names, const Json& descriptions);

/// The 1000 names of ImageNet-1k in class order; scripts/generate_imagenet_labels.py has the
/// source.
std::vector<std::string> ImagenetLabels();

}  // namespace vitrine

#endif  // VITRINE_CONFIG_LABELS_H_
