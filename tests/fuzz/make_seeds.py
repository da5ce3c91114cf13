#!/usr/bin/env python3
"""Writes the first inputs of every fuzz target to corpus/: small valid files, and near misses.

    python3 tests/fuzz/make_seeds.py     (Debian: apt-get install python3-pil)

Inputs that once failed lie in the same folders as regression-*; this script leaves them alone.
"""

import io
import json
import struct
from pathlib import Path

from PIL import Image

CORPUS = Path(__file__).resolve().parent / "corpus"
GOLDEN = Path(__file__).resolve().parent.parent / "golden"

# The checkpoint of SmallPlan in fuzz_support.h.
TIMM = {
    "cls_token": [1, 1, 2], "pos_embed": [1, 2, 2],
    "patch_embed.proj.weight": [2, 1, 2, 2], "patch_embed.proj.bias": [2],
    "blocks.0.norm1.weight": [2], "blocks.0.norm1.bias": [2],
    "blocks.0.attn.qkv.weight": [6, 2], "blocks.0.attn.qkv.bias": [6],
    "blocks.0.attn.proj.weight": [2, 2], "blocks.0.attn.proj.bias": [2],
    "blocks.0.norm2.weight": [2], "blocks.0.norm2.bias": [2],
    "blocks.0.mlp.fc1.weight": [2, 2], "blocks.0.mlp.fc1.bias": [2],
    "blocks.0.mlp.fc2.weight": [2, 2], "blocks.0.mlp.fc2.bias": [2],
    "norm.weight": [2], "norm.bias": [2], "head.weight": [2, 2], "head.bias": [2],
}
LAYER = "vit.encoder.layer.0."
HUGGING_FACE = {
    "vit.embeddings.cls_token": [1, 1, 2], "vit.embeddings.position_embeddings": [1, 2, 2],
    "vit.embeddings.patch_embeddings.projection.weight": [2, 1, 2, 2],
    "vit.embeddings.patch_embeddings.projection.bias": [2],
    **{LAYER + f"attention.attention.{part}.{kind}": shape for part in ("query", "key", "value")
       for kind, shape in (("weight", [2, 2]), ("bias", [2]))},
    **{LAYER + f"{module}.{kind}": shape
       for module in ("attention.output.dense", "intermediate.dense", "output.dense")
       for kind, shape in (("weight", [2, 2]), ("bias", [2]))},
    **{f"{module}.{kind}": [2] for module in (LAYER + "layernorm_before", LAYER + "layernorm_after",
                                              "vit.layernorm") for kind in ("weight", "bias")},
    "classifier.weight": [2, 2], "classifier.bias": [2],
}
SIZES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}
ONE = {"F32": struct.pack("<f", 1), "F16": b"\x00\x3c", "BF16": b"\x80\x3f", "I64": b"\x01" + b"\0" * 7}


def checkpoint(shapes, dtype="F32", names=None, change=lambda header: None, tail=b""):
    """Ones in the given order, after `change` has had its way with the header."""
    header, data, offset = {"__metadata__": {"format": "pt"}}, b"", 0
    for name in names or shapes:
        count = 1
        for extent in shapes[name]:
            count *= extent
        size = count * SIZES[dtype]
        header[name] = {"dtype": dtype, "shape": shapes[name], "data_offsets": [offset, offset + size]}
        data += ONE[dtype] * count
        offset += size
    change(header)
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data + tail


def set_entry(name, **entry):
    return lambda header: header[name].update(entry)


def header_seeds():
    good = checkpoint(TIMM)
    return {
        "timm-f32": good,
        "timm-f16-reversed": checkpoint(TIMM, "F16", list(TIMM)[::-1]),
        "timm-bf16": checkpoint(TIMM, "BF16"),
        "huggingface-f32": checkpoint(HUGGING_FACE),
        "huggingface-f16-reversed": checkpoint(HUGGING_FACE, "F16", list(HUGGING_FACE)[::-1]),
        "empty": b"",
        "no-tensors": struct.pack("<Q", 2) + b"{}",
        "length-cut": good[:5],
        "header-cut": good[:200],
        "data-cut": good[:-1],
        "bytes-after-the-end": good + b"\0",
        "length-huge": struct.pack("<Q", 2**64 - 1) + good[8:],
        "length-100-mb": struct.pack("<Q", 100_000_000) + good[8:],
        "not-json": struct.pack("<Q", 8) + b"}{][:,,:",
        "deep-json": struct.pack("<Q", 2000) + b"[" * 2000,
        "overlap": checkpoint(TIMM, change=set_entry("head.bias", data_offsets=[0, 8])),
        "hole": checkpoint(TIMM, change=set_entry("cls_token", data_offsets=[1000, 1008])),
        "offsets-swapped": checkpoint(TIMM, change=set_entry("cls_token", data_offsets=[8, 0])),
        "offsets-overflow": checkpoint(TIMM, change=set_entry("head.bias", data_offsets=[0, 2**64 - 1])),
        "shape-overflow": checkpoint(TIMM, change=set_entry("head.bias", shape=[2**32, 2**32])),
        "shape-negative": checkpoint(TIMM, change=set_entry("head.bias", shape=[-2])),
        "shape-wrong": checkpoint(TIMM, change=set_entry("head.weight", shape=[4, 1])),
        "dtype-unknown": checkpoint(TIMM, change=set_entry("head.weight", dtype="F13")),
        "dtype-i64": checkpoint(TIMM, "I64"),
        "name-unknown": checkpoint({**TIMM, "blocks.1.norm1.weight": [2]}),
        "name-missing": checkpoint({n: s for n, s in TIMM.items() if n != "norm.bias"}),
        "name-twice": good.replace(b'"norm.bias"', b'"head.bias"', 1),
        "value-nan": good[:-4] + b"\0\0\xc0\x7f",
    }


def weights_seeds():
    """Byte 0: how many chunk sizes follow; see fuzz_weights.cc."""
    timm, hf = checkpoint(TIMM), checkpoint(HUGGING_FACE, "F16", list(HUGGING_FACE)[::-1])
    return {
        "one-piece": b"\0" + timm,
        "single-bytes": b"\1\0" + timm,
        "sevens": b"\1\6" + hf,
        "mixed": b"\4\0\xff\2\x40" + checkpoint(TIMM, "BF16"),
        "mixed-huggingface": b"\3\x80\1\3" + checkpoint(HUGGING_FACE),
        "cut": b"\2\x10\x20" + timm[:-3],
        "after-the-end": b"\1\x1f" + timm + b"more",
        "value-infinite": b"\1\0" + timm[:-4] + b"\0\0\x80\x7f",
    }


def encoded(mode, file_format, size=(13, 9), **options):
    image = Image.linear_gradient("L").resize(size).convert(mode)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.radial_gradient("L").resize(size))
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def image_seeds():
    orientation = Image.Exif()
    orientation[0x0112] = 6
    jpeg, png = encoded("RGB", "JPEG"), encoded("RGB", "PNG")
    plain = {
        "png-rgb": png, "png-rgba": encoded("RGBA", "PNG"), "png-grey": encoded("L", "PNG"),
        "png-grey-alpha": encoded("LA", "PNG"), "png-palette": encoded("P", "PNG"),
        "png-1-bit": encoded("1", "PNG"), "png-16-bit": encoded("I", "PNG"),
        "png-exif": encoded("RGB", "PNG", exif=orientation), "png-wide": encoded("L", "PNG", (200, 1)),
        "jpeg": jpeg, "jpeg-grey": encoded("L", "JPEG"), "jpeg-cmyk": encoded("CMYK", "JPEG"),
        "jpeg-progressive": encoded("RGB", "JPEG", progressive=True),
        "jpeg-exif": encoded("RGB", "JPEG", exif=orientation), "jpeg-tall": encoded("L", "JPEG", (1, 150)),
        "gif": encoded("P", "GIF"), "bmp": encoded("RGB", "BMP"), "bmp-palette": encoded("P", "BMP"),
        "jpeg-cut": jpeg[:-40], "png-cut": png[:-20], "empty": b"",
        # 2^30 x 2^30 pixels, and the most that is not refused, in few bytes.
        "png-huge": png[:16] + struct.pack(">II", 2**30, 2**30) + png[24:],
        "png-many-pixels": png[:16] + struct.pack(">II", 2**14, 2**13) + png[24:],
        "png-no-pixels": png[:16] + struct.pack(">II", 0, 9) + png[24:],
    }
    return {name: bytes([i * 37 % 256]) + data for i, (name, data) in enumerate(plain.items())}


def config_seeds():
    def text(case, name):
        path = GOLDEN / case / name
        return json.dumps(json.loads(path.read_text()), separators=(",", ":")).encode()

    hf = text("hf_deit_with_teacher", "config.json")
    processor = text("hf_deit_with_teacher", "preprocessor_config.json")
    return {
        "timm": text("patch_not_square", "config.json"),
        "timm-name-only": b'{"architecture":"deit_tiny_distilled_patch16_224"}',
        "timm-labels": text("one_class", "config.json") + b'\0\0["only"]',
        "timm-labels-object": text("relu", "config.json") + b'\0\0{"0":"a","1":"b","2":"c","3":"d","4":"e"}',
        "huggingface": hf, "huggingface-processor": hf + b"\0" + processor,
        "huggingface-vit": text("hf_vit_options", "config.json"),
        "large-numbers": b'{"architecture":"vit_tiny_patch16_224","model_args":{"embed_dim":2147483647,'
                         b'"depth":1e99,"img_size":[-1,18446744073709551615],"mlp_ratio":-0.0}}',
        "crop-pct-zero": b'{"architecture":"vit_tiny_patch16_224","pretrained_cfg":{"crop_pct":0}}',
        "wrong-types": b'{"architecture":7,"model_args":[],"pretrained_cfg":"x","num_classes":{}}',
        "cut": hf[:100], "empty": b"", "not-an-object": b"[1,2,3]",
    }


def main():
    targets = {"fuzz_header": header_seeds(), "fuzz_weights": weights_seeds(),
               "fuzz_image": image_seeds(), "fuzz_config": config_seeds()}
    for target, seeds in targets.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (folder / name).write_bytes(data)
        print(f"{target}: {len(seeds)} inputs, {sum(map(len, seeds.values()))} bytes")


if __name__ == "__main__":
    main()
