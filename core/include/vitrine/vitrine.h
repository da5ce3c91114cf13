/* The flat C ABI of Vitrine: what the WebAssembly module exports and other languages bind.
 *
 * One vitrine_classifier is one loaded model; calls on it must not overlap. A call that fails
 * returns a negative vitrine::Status or NULL, and vitrine_last_error() says why. Pointers returned
 * stay valid until the next call on the same classifier; memory may move when the WebAssembly heap
 * grows, so a JavaScript view on it must be made anew after every call. */
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

typedef struct vitrine_classifier vitrine_classifier;

/* Memory for strings and pictures handed to the calls below. */
VITRINE_EXPORT void* vitrine_alloc(size_t size);
VITRINE_EXPORT void vitrine_free(void* memory);

/* The last failure on this thread as JSON: {"status":"invalid_config","message":"…"}. */
VITRINE_EXPORT const char* vitrine_last_error(void);

/* Reads the texts of config.json and, where the folder has them (else NULL),
 * preprocessor_config.json and labels.json. NULL on failure. num_threads counts the calling thread.
 */
VITRINE_EXPORT vitrine_classifier* vitrine_create(const char* config,
                                                  const char* preprocessor_config,
                                                  const char* labels, int32_t num_threads);
VITRINE_EXPORT void vitrine_destroy(vitrine_classifier* classifier);

/* Streaming of model.safetensors: write up to *granted (at most `wanted`) bytes to the window that
 * reserve returns, commit what was written, repeat; then finish. */
VITRINE_EXPORT uint8_t* vitrine_weights_reserve(vitrine_classifier* classifier, size_t wanted,
                                                size_t* granted);
VITRINE_EXPORT int32_t vitrine_weights_commit(vitrine_classifier* classifier, size_t size);
VITRINE_EXPORT int32_t vitrine_weights_finish(vitrine_classifier* classifier);

/* Model facts as JSON; see Classifier::InfoJson. The plan as JSON; see PlanJson. */
VITRINE_EXPORT const char* vitrine_info(vitrine_classifier* classifier);
VITRINE_EXPORT const char* vitrine_plan(vitrine_classifier* classifier);

/* The current picture: memory for `size` bytes, which the caller fills with an encoded file and
 * decodes, or with straight RGBA pixels [height, width, 4]. Reserving forgets the picture before,
 * decode and rgba use the memory up; the picture then stays for any number of results. */
VITRINE_EXPORT uint8_t* vitrine_image_reserve(vitrine_classifier* classifier, size_t size);
VITRINE_EXPORT int32_t vitrine_image_decode(vitrine_classifier* classifier, size_t size);
VITRINE_EXPORT int32_t vitrine_image_rgba(vitrine_classifier* classifier, int32_t width,
                                          int32_t height);

/* Results for the current picture. Classify gives JSON; see ClassificationJson. alpha: 0 composites
 * transparency on white, 1 drops it. */
VITRINE_EXPORT const char* vitrine_classify(vitrine_classifier* classifier, int32_t top_k,
                                            int32_t alpha);
VITRINE_EXPORT const float* vitrine_logits(vitrine_classifier* classifier, int32_t alpha,
                                           size_t* length);
VITRINE_EXPORT const float* vitrine_features(vitrine_classifier* classifier, int32_t alpha,
                                             size_t* length);

/* Logits of a normalised float32 tensor [in_chans, height, width], `length` elements. */
VITRINE_EXPORT const float* vitrine_logits_of_tensor(vitrine_classifier* classifier,
                                                     const float* tensor, size_t tensor_length,
                                                     size_t* length);

#ifdef __cplusplus
}
#endif

#endif /* VITRINE_VITRINE_H_ */
