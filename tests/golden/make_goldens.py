#!/usr/bin/env python3
"""Makes the golden files: small random networks of every shape, and what PyTorch computes with them.

    python3 tests/golden/make_goldens.py [CASE...]     (Debian: apt-get install python3-torch)

Each case becomes a folder of this directory:
    config.json, model.safetensors   the model folder, as timm or Hugging Face would write it
    golden.safetensors               input [in_chans, height, width], the output of every step by its
                                     name in the plan, forward_features, features, logits

The network is vision_transformer.py's; it computes in float64 with the values the file really holds,
so that what a test measures is the error of the core alone.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import torch

import huggingface
from safetensors_file import rounded, write_safetensors
from vision_transformer import VisionTransformer

HERE = Path(__file__).resolve().parent

# name: (arguments of VisionTransformer, options). Options: dtype of the weights, layout 'timm' or one
# of Hugging Face's classes. Dimensions are small, and as awkward as each case allows.
SMALL = dict(img_size=(24, 32), patch_size=8, embed_dim=24, depth=2, num_heads=3, num_classes=10)
TINY = dict(img_size=(8, 12), patch_size=4, embed_dim=16, depth=1, num_heads=2, num_classes=5)
CASES = {
    "plain": (dict(SMALL, img_size=(32, 48), embed_dim=32, num_heads=2, mlp_ratio=2), {}),
    "qkv_bias_off": (dict(TINY, qkv_bias=False, depth=2), {}),
    "qk_scale": (dict(TINY, qk_scale=0.6), {}),
    "representation_size": (dict(TINY, representation_size=13), {}),
    "distilled": (dict(SMALL, distilled=True, mlp_ratio=3), {}),
    # timm: a distilled model has no pre_logits, whatever representation_size says.
    "distilled_representation_size": (dict(TINY, distilled=True, representation_size=6), {}),
    "distilled_no_head": (dict(TINY, distilled=True, num_classes=0), {}),
    "no_head": (dict(TINY, num_classes=0), {}),
    "no_head_representation_size": (dict(TINY, num_classes=0, representation_size=7), {}),
    "one_class": (dict(TINY, num_classes=1), {}),
    "avg_pool": (dict(SMALL, global_pool="avg", depth=1), {}),
    "avg_pool_norm_first": (dict(TINY, global_pool="avg", fc_norm=False), {}),
    "token_pool_fc_norm": (dict(TINY, fc_norm=True), {}),
    "no_class_token": (dict(TINY, global_pool="avg", class_token=False), {}),
    "patch_not_square": (dict(TINY, img_size=(12, 24), patch_size=(3, 6), depth=2), {}),
    # The convolution leaves out the last rows and columns that fill no patch.
    "img_size_not_multiple": (dict(TINY, img_size=(15, 10)), {}),
    "one_channel": (dict(TINY, in_chans=1), {}),
    "head_dim_12": (dict(SMALL, embed_dim=36, num_heads=3, depth=1, mlp_ratio=2), {}),
    "head_dim_20": (dict(SMALL, embed_dim=40, num_heads=2, depth=1, mlp_ratio=2), dict(dtype="BF16")),
    # 3 x 7 patches and a class token: 22 tokens of 5 heads of 7; int(35 * 2.5) hidden columns.
    "ragged": (dict(img_size=(9, 35), patch_size=(3, 5), embed_dim=35, depth=1, num_heads=5,
                    mlp_ratio=2.5, num_classes=11), {}),
    "one_wide_head": (dict(TINY, embed_dim=70, num_heads=1, mlp_ratio=0.5), {}),
    "many_tokens": (dict(img_size=(12, 100), patch_size=4, embed_dim=8, depth=1, num_heads=2,
                         num_classes=3), {}),
    "one_patch": (dict(TINY, img_size=4), {}),
    "gelu_tanh": (dict(TINY, act_layer="gelu_tanh"), {}),
    "relu": (dict(TINY, act_layer="relu"), {}),
    "silu": (dict(TINY, act_layer="silu"), {}),
    "quick_gelu": (dict(TINY, act_layer="quick_gelu"), {}),
    "stored_f32": (dict(TINY), dict(dtype="F32")),
    "stored_bf16": (dict(TINY), dict(dtype="BF16")),
    "hf_vit": (dict(TINY, depth=2, layer_norm_eps=1e-12), dict(layout="vit")),
    "hf_vit_options": (dict(TINY, img_size=8, mlp_ratio=3.5, qkv_bias=False, layer_norm_eps=0.05,
                            act_layer="gelu_tanh"), dict(layout="vit", dtype="BF16")),
    "hf_deit": (dict(TINY, img_size=16, distilled=True, layer_norm_eps=1e-12, num_classes=6),
                dict(layout="deit")),
    "hf_deit_with_teacher": (dict(TINY, img_size=16, distilled=True, layer_norm_eps=1e-12, depth=2),
                             dict(layout="deit_with_teacher", dtype="F32")),
}


def timm_config(model_args):
    """config.json as timm's save_for_hf writes it, with the constructor's arguments in model_args."""
    args = dict(dict(in_chans=3, global_pool="token"), **model_args)
    size = args["img_size"] if isinstance(args["img_size"], tuple) else (args["img_size"],) * 2
    return {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": args["num_classes"],
        "num_features": args["embed_dim"],
        "global_pool": args["global_pool"],
        "model_args": model_args,
        "pretrained_cfg": {
            "tag": "golden",
            "custom_load": False,
            "input_size": [args["in_chans"], *size],
            "fixed_input_size": True,
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "crop_mode": "center",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "num_classes": args["num_classes"],
            "pool_size": None,
            "first_conv": "patch_embed.proj",
            "classifier": ["head", "head_dist"] if args.get("distilled") else "head",
        },
    }


def set_random_weights(model, generator, dtype):
    """Values that keep every activation near 1, attention uneven and every bias at work."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        if parameter.ndim > 1 and name.endswith("weight"):
            noise *= 1.5 / parameter[0].numel() ** 0.5
        elif "norm" in name and name.endswith("weight"):
            noise = 1 + 0.3 * noise
        else:
            noise *= 0.5
        parameter.data.copy_(rounded(noise, dtype))


@torch.no_grad()
def make_case(name):
    model_args, options = CASES[name]
    dtype, layout = options.get("dtype", "F16"), options.get("layout", "timm")
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    # transformers has DeiT classify by the class token alone unless a teacher's head is there too.
    model = VisionTransformer(**model_args, one_head=layout == "deit").double()
    set_random_weights(model, generator, dtype)

    noise = torch.randn(1, model.in_chans, *model.img_size, generator=generator, dtype=torch.float64)
    image = rounded(noise, "F32")
    steps = {}
    model.record = lambda step, value: steps.__setitem__(step, value[0])
    logits = model(image)

    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    weights = {key: value.data for key, value in model.named_parameters()}
    if layout == "timm":
        files = {"config.json": timm_config(model_args)}
    else:
        weights = huggingface.weights(weights, layout)
        files = huggingface.config_files(model, model_args, layout)
    for file_name, content in files.items():
        (folder / file_name).write_text(json.dumps(content, indent=2) + "\n")

    # Files come in any order: half of the cases have theirs shuffled.
    names = list(weights)
    if zlib.crc32(name.encode()) % 2:
        names = [names[i] for i in torch.randperm(len(names), generator=generator).tolist()]
    write_safetensors(folder / "model.safetensors", {n: weights[n] for n in names}, dtype,
                      {"format": "pt"})
    golden = {"input": image[0], **steps}
    golden.update(forward_features=model.forward_features(image)[0],
                  features=model.forward_head(model.forward_features(image), pre_logits=True)[0],
                  logits=logits[0])
    write_safetensors(folder / "golden.safetensors", golden, "F32",
                      {"case": name, "steps": " ".join(steps)})
    return sum(path.stat().st_size for path in folder.iterdir())


def main():
    names = sys.argv[1:] or list(CASES)
    total = 0
    for name in names:
        size = make_case(name)
        total += size
        print(f"{name:32} {size / 1024:7.1f} KB")
    print(f"{'in all':32} {total / 1024:7.1f} KB")


if __name__ == "__main__":
    main()
