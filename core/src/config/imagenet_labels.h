// The text that scripts/generate_imagenet_labels.py made.
#ifndef VITRINE_CONFIG_IMAGENET_LABELS_H_
#define VITRINE_CONFIG_IMAGENET_LABELS_H_

namespace vitrine {

/// 1000 names, each followed by a line feed.
extern const char kImagenetLabels[];

}  // namespace vitrine

#endif  // VITRINE_CONFIG_IMAGENET_LABELS_H_
