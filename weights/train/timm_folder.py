"""Reading and writing timm folders: config.json, model.safetensors, labels.json."""

import json
import struct
from pathlib import Path

import torch

from model import VisionTransformer

_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_safetensors(path):
    """{name: float32 tensor} of a .safetensors file."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    body = memoryview(bytearray(data[8 + length:]))
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(body[begin:end], dtype=_DTYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"]).float()
    return tensors


def write_safetensors(path, tensors, dtype="F16"):
    """Writes {name: tensor}, rounded to `dtype`; the header is padded so that values lie aligned."""
    header, offset, chunks = {"__metadata__": {"format": "pt"}}, 0, []
    for name, tensor in tensors.items():
        rounded = tensor.detach().cpu().to(_DTYPES[dtype]).contiguous()
        values = rounded.view(torch.int16 if rounded.element_size() == 2 else torch.int32)
        chunks.append(values.numpy().tobytes())
        header[name] = {"dtype": dtype, "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(chunks[-1])]}
        offset += len(chunks[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def load(folder, products=torch.float32):
    """(model in eval mode, labels, config) of a timm folder that holds a plain ViT for 224 x 224 and patches of 16."""
    folder = Path(folder)
    for name in ("config.json", "model.safetensors", "labels.json"):
        if not (folder / name).is_file():
            raise SystemExit(f"{folder}: no {name}; expected a timm folder with a plain ViT")
    config = json.loads((folder / "config.json").read_text())
    tensors = read_safetensors(folder / "model.safetensors")
    num_classes, embed_dim = tensors["head.weight"].shape
    model = VisionTransformer(
        img_size=16 * round((tensors["pos_embed"].shape[1] - 1) ** 0.5), num_classes=num_classes, embed_dim=embed_dim,
        depth=1 + max(int(n.split(".")[1]) for n in tensors if n.startswith("blocks.")),
        num_heads=config.get("model_args", {}).get("num_heads", embed_dim // 64), products=products)
    model.load_state_dict(tensors)
    return model.eval(), json.loads((folder / "labels.json").read_text()), config


def write(folder, model, labels, pretrained_cfg):
    """Writes a VisionTransformer for 224 x 224 as a timm folder, in F16."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": len(labels),
        "num_features": model.head.in_features,
        "global_pool": "token",
        "model_args": {"depth": len(model.blocks), "num_classes": len(labels)},
        "pretrained_cfg": {
            "input_size": [3, 224, 224], "fixed_input_size": True, "interpolation": "bicubic", "crop_pct": 0.9,
            "crop_mode": "center", "mean": [0.5] * 3, "std": [0.5] * 3, "num_classes": len(labels),
            "first_conv": "patch_embed.proj", "classifier": "head", **pretrained_cfg},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "labels.json").write_text(json.dumps(labels, indent=1) + "\n")
    write_safetensors(folder / "model.safetensors", model.state_dict())
