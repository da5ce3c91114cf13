// Byte 0 chooses how the picture is prepared, the rest is an encoded file: decoded, resized,
// cropped.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "vitrine/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  if (size == 0) return 0;
  PreprocessConfig config;
  config.input_size = {20, 24};
  config.resize_size = data[0] & 1 ? std::array{22, 22} : std::array{22, 26};
  config.resize_mode = static_cast<PreprocessConfig::ResizeMode>((data[0] >> 1) % 3);
  config.interpolation = static_cast<Interpolation>((data[0] >> 3) % 4);
  const Alpha alpha = data[0] & 128 ? Alpha::kDrop : Alpha::kWhite;

  const Result<Image> image = DecodeImage({data + 1, size - 1});
  if (!image) return image.error().message.empty() ? (std::abort(), 0) : 0;
  const Result<Image> cropped = ResizeAndCrop(*image, config, alpha);
  if (!cropped) return 0;
  if (cropped->width != 24 || cropped->height != 20 || cropped->channels != 3) std::abort();
  VitConfig vit;
  vit.img_size = {20, 24};
  vit.patch_size = {4, 4};
  std::vector<float> patches(static_cast<size_t>(vit.num_patches()) * vit.patch_dim());
  if (!Unfold(*cropped, config, vit, patches)) std::abort();
  return 0;
}
