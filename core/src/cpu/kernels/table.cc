#include "cpu/kernels/isa.h"

#define VITRINE_STRING_OF(name) #name
#define VITRINE_STRING(name) VITRINE_STRING_OF(name)

namespace vitrine::VITRINE_ISA {

Kernels Table() {
  return {.isa = VITRINE_STRING(VITRINE_ISA),
          .layer_norm = LayerNorm,
          .add = Add,
          .activate = Activate,
          .attention_rows = AttentionRows(),
          .attention_packed_size = AttentionPackedSize,
          .attention_scratch_size = AttentionScratchSize,
          .attention_pack = AttentionPack,
          .attention = Attention};
}

}  // namespace vitrine::VITRINE_ISA
