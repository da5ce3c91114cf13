// The kernels of one instruction set, each defined in the source of its name in this folder.
// VITRINE_ISA is the set's name, given by the build.
#ifndef VITRINE_CPU_KERNELS_ISA_H_
#define VITRINE_CPU_KERNELS_ISA_H_

#include "cpu/kernels/kernels.h"

namespace vitrine::VITRINE_ISA {

void LayerNorm(const float* x, const float* gamma, const float* beta, float eps, size_t cols,
               float* y);
void Add(const float* x, size_t n, float* y);
void Activate(Activation activation, size_t n, float* x);
size_t AttentionRows();
size_t AttentionPackedSize(const AttentionShape& shape);
size_t AttentionScratchSize(const AttentionShape& shape);
void AttentionPack(const AttentionShape& shape, const float* k, const float* v, float* packed);
void Attention(const AttentionShape& shape, size_t rows, const float* q, const float* packed,
               float* scratch, float* output);

}  // namespace vitrine::VITRINE_ISA

#endif  // VITRINE_CPU_KERNELS_ISA_H_
