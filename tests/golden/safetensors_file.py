"""Writing .safetensors by hand: 8 bytes of header length, a JSON header, the values."""

import json
import struct

import torch

_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_BITS = {"F32": torch.int32, "F16": torch.int16, "BF16": torch.int16}


def rounded(tensor, dtype):
    """The values as a file of that dtype holds them, in float64."""
    return tensor.to(torch.float32).to(_DTYPES[dtype]).double()


def write_safetensors(path, tensors, dtype, metadata):
    """Writes {name: tensor} in that order, rounded to dtype."""
    header, values, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        stored = tensor.to(torch.float32).to(_DTYPES[dtype]).contiguous()
        data = stored.view(_BITS[dtype]).numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(data)]}
        values.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(values))
