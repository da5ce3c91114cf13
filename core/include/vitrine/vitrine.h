/* The flat C ABI of Vitrine: what the WebAssembly module exports and other languages bind.
 *
 * One vitrine_model is one model folder; calls on it must not overlap. A call that fails returns a
 * negative vitrine::Status or NULL, and vitrine_last_error() says why. Pointers returned stay valid
 * until the next call on the same model; memory may move when the WebAssembly heap grows, so a
 * JavaScript view on it must be made anew after every call. */
#ifndef VITRINE_VITRINE_H_
#define VITRINE_VITRINE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __EMSCRIPTEN__
#define VITRINE_EXPORT __attribute__((used, visibility("default")))
#else
#define VITRINE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vitrine_model vitrine_model;

/* What becomes of transparency on the way to RGB. */
/* NOLINTBEGIN(readability-identifier-naming): C's manner */
enum vitrine_alpha {
  VITRINE_ALPHA_WHITE = 0, /* composited on white */
  VITRINE_ALPHA_DROP = 1   /* discarded */
};
/* NOLINTEND(readability-identifier-naming) */

/* Memory for strings and tensors handed to the calls below. */
VITRINE_EXPORT void* vitrine_alloc(size_t size);
VITRINE_EXPORT void vitrine_free(void* memory);

/* The last failure on this thread as JSON: {"status":"invalid_config","message":"…"}. */
VITRINE_EXPORT const char* vitrine_last_error(void);

/* MIME types that vitrine_image_decode reads, as JSON: ["image/jpeg",…]. */
VITRINE_EXPORT const char* vitrine_image_formats(void);

/* Reads the texts of config.json and, where the folder has them (else NULL),
 * preprocessor_config.json and labels.json. NULL on failure. */
VITRINE_EXPORT vitrine_model* vitrine_create(const char* config, const char* preprocessor_config,
                                             const char* labels);
VITRINE_EXPORT void vitrine_destroy(vitrine_model* model);

/* Gives the model the CPU executor, before its first weight; num_threads counts the calling thread.
 * A model without it still gives patches, parameters and labels: what an executor elsewhere needs.
 */
VITRINE_EXPORT int32_t vitrine_use_cpu(vitrine_model* model, int32_t num_threads);

/* Model facts as JSON; see InfoJson. The plan as JSON; see PlanJson. */
VITRINE_EXPORT const char* vitrine_info(vitrine_model* model);
VITRINE_EXPORT const char* vitrine_plan(vitrine_model* model);

/* Streaming of model.safetensors: write up to *granted (at most `wanted`) bytes to the window that
 * reserve returns, commit what was written, repeat; then finish. */
VITRINE_EXPORT uint8_t* vitrine_weights_reserve(vitrine_model* model, size_t wanted,
                                                size_t* granted);
VITRINE_EXPORT int32_t vitrine_weights_commit(vitrine_model* model, size_t size);
VITRINE_EXPORT int32_t vitrine_weights_finish(vitrine_model* model);
/* The whole file's bytes as its header announces them; 0 until the header is complete. A double,
 * since JavaScript has no 64-bit integers. */
VITRINE_EXPORT double vitrine_weights_expected(vitrine_model* model);

/* Without the CPU executor: the next complete parameter, to be taken after every commit, so that no
 * more than one commit's worth waits. Gives its bytes and its index into the plan's parameters,
 * which say dtype and shape; NULL and -1 when none waits. */
VITRINE_EXPORT const uint8_t* vitrine_parameter_next(vitrine_model* model, int32_t* index,
                                                     size_t* size);

/* The current picture: memory for `size` bytes, which the caller fills with an encoded file and
 * decodes, or with straight RGBA pixels [height, width, 4]. Reserving forgets the picture before,
 * decode and rgba use the memory up; the picture then stays for any number of results. */
VITRINE_EXPORT uint8_t* vitrine_image_reserve(vitrine_model* model, size_t size);
VITRINE_EXPORT int32_t vitrine_image_decode(vitrine_model* model, size_t size);
VITRINE_EXPORT int32_t vitrine_image_rgba(vitrine_model* model, int32_t width, int32_t height);

/* What an executor reads, [num_patches, patch_dim]: of the current picture, or of a normalised
 * float32 tensor [in_chans, height, width]. */
VITRINE_EXPORT const float* vitrine_patches(vitrine_model* model, int32_t alpha, size_t* length);
VITRINE_EXPORT const float* vitrine_patches_of_tensor(vitrine_model* model, const float* tensor,
                                                      size_t tensor_length, size_t* length);
/* An executor's logits to labels; see LabelsJson. */
VITRINE_EXPORT const char* vitrine_labels(vitrine_model* model, const float* logits, size_t length,
                                          int32_t top_k);

/* With the CPU executor: results for the current picture. Classify gives JSON; see
 * ClassificationJson (decoding is timed by whoever asks for it). */
VITRINE_EXPORT const char* vitrine_classify(vitrine_model* model, int32_t top_k, int32_t alpha);
VITRINE_EXPORT const float* vitrine_logits(vitrine_model* model, int32_t alpha, size_t* length);
VITRINE_EXPORT const float* vitrine_features(vitrine_model* model, int32_t alpha, size_t* length);
/* And for a normalised tensor. */
VITRINE_EXPORT const float* vitrine_logits_of_tensor(vitrine_model* model, const float* tensor,
                                                     size_t tensor_length, size_t* length);

#ifdef __cplusplus
}
#endif

#endif /* VITRINE_VITRINE_H_ */
