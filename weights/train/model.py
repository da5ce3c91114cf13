"""A Vision Transformer in plain PyTorch with timm's parameter names, and reading and writing timm folders.

The same class is the student (distilled, small) and the teacher (any plain timm ViT checkpoint).
"""

import json
import math
import struct
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Multi-head self-attention over [batch, num_tokens, embed_dim]."""

    def __init__(self, embed_dim, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, x):
        batch, num_tokens, embed_dim = x.shape
        head_dim = embed_dim // self.num_heads
        qkv = self.qkv(x).view(batch, num_tokens, 3, self.num_heads, head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [batch, num_heads, num_tokens, head_dim]
        weights = (q * head_dim**-0.5) @ k.transpose(-2, -1)
        x = weights.softmax(dim=-1) @ v
        return self.proj(x.transpose(1, 2).reshape(batch, num_tokens, embed_dim))


class Mlp(nn.Module):
    def __init__(self, embed_dim, hidden_dim):
        super().__init__()
        self.fc1 = nn.Linear(embed_dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, embed_dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, embed_dim, num_heads, mlp_ratio, drop_path):
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dim, eps=1e-6)
        self.attn = Attention(embed_dim, num_heads)
        self.norm2 = nn.LayerNorm(embed_dim, eps=1e-6)
        self.mlp = Mlp(embed_dim, int(embed_dim * mlp_ratio))
        self.drop_path = drop_path

    def _drop(self, x):
        if not self.training or self.drop_path == 0.0:
            return x
        keep = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.drop_path
        return x * (keep / (1.0 - self.drop_path)).to(x.dtype)

    def forward(self, x):
        x = x + self._drop(self.attn(self.norm1(x)))
        return x + self._drop(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """Cuts [batch, 3, height, width] into patches: [batch, num_patches, embed_dim]."""

    def __init__(self, patch_size, in_chans, embed_dim):
        super().__init__()
        self.patch_size = patch_size
        self.proj = nn.Conv2d(in_chans, embed_dim, patch_size, patch_size)

    def forward(self, x):
        # The same product as the convolution, as a matrix: far faster on a CPU.
        p = self.patch_size
        batch, chans, height, width = x.shape
        x = x.view(batch, chans, height // p, p, width // p, p).permute(0, 2, 4, 1, 3, 5)
        x = x.reshape(batch, (height // p) * (width // p), chans * p * p)
        return F.linear(x, self.proj.weight.flatten(1), self.proj.bias)


class VisionTransformer(nn.Module):
    """timm's `VisionTransformer` (and `VisionTransformerDistilled` where `distilled`)."""

    def __init__(self, img_size=224, patch_size=16, in_chans=3, num_classes=1000, embed_dim=192,
                 depth=12, num_heads=3, mlp_ratio=4.0, distilled=False, drop_path_rate=0.0):
        super().__init__()
        self.grid_size = img_size // patch_size
        self.num_prefix_tokens = 2 if distilled else 1
        self.patch_embed = PatchEmbed(patch_size, in_chans, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        if distilled:
            self.dist_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        num_tokens = self.num_prefix_tokens + self.grid_size**2
        self.pos_embed = nn.Parameter(torch.zeros(1, num_tokens, embed_dim))
        self.blocks = nn.ModuleList(
            Block(embed_dim, num_heads, mlp_ratio, drop_path_rate * i / max(1, depth - 1))
            for i in range(depth))
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.head = nn.Linear(embed_dim, num_classes)
        if distilled:
            self.head_dist = nn.Linear(embed_dim, num_classes)
        self.distilled = distilled
        init_weights(self)

    def forward_features(self, x, keep=None):
        """All tokens after the last norm: [batch, num_tokens, embed_dim].

        keep: [batch, num_kept] indices of the patches to look at (None: all). Leaving patches out
        in training makes it cheaper and teaches the model to do with less.
        """
        batch = x.shape[0]
        n = self.num_prefix_tokens
        x = self.patch_embed(x) + self.pos_embed[:, n:]
        if keep is not None:
            x = x.gather(1, keep.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        prefix = [self.cls_token, self.dist_token] if self.distilled else [self.cls_token]
        prefix = torch.cat(prefix, dim=1) + self.pos_embed[:, :n]
        x = torch.cat([prefix.expand(batch, -1, -1).to(x.dtype), x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward_heads(self, tokens):
        """Logits of the class head and of the distillation head (the same one where there is none)."""
        logits = self.head(tokens[:, 0])
        return logits, self.head_dist(tokens[:, 1]) if self.distilled else logits

    def forward(self, x):
        """[batch, 3, height, width], normalised -> logits [batch, num_classes]."""
        by_label, by_teacher = self.forward_heads(self.forward_features(x))
        return (by_label + by_teacher) / 2


def init_weights(model):
    """timm's initialisation: truncated normal 0.02, zero biases."""
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(p)
        elif "norm" in name:
            nn.init.ones_(p)
        else:
            nn.init.trunc_normal_(p, std=0.02)


@torch.no_grad()
def init_mimetic(model, generator=None):
    """Starts attention where training tends to take it, so that short training gets further.

    Trockman and Kolter, "Mimetic initialization of self-attention layers" (2023): per head,
    Wq^T Wk is near a multiple of the identity; Wproj Wv is near a negative one; positions start as
    two-dimensional sine waves.
    """
    for block in model.blocks:
        attn = block.attn
        d, heads = attn.proj.weight.shape[0], attn.num_heads
        noise = lambda: torch.randn(d, d, generator=generator) / math.sqrt(d)
        eye = torch.eye(d)
        head_dim = d // heads
        u, s, vt = torch.linalg.svd(0.4 * noise() - 0.4 * eye)
        attn.qkv.weight[2 * d:] = s.sqrt()[:, None] * vt
        attn.proj.weight.copy_(u * s.sqrt()[None])
        for h in range(heads):
            u, s, vt = torch.linalg.svd(0.7 * noise() + 0.7 * eye)
            rows = slice(h * head_dim, (h + 1) * head_dim)
            root = s[:head_dim].sqrt()[:, None]
            attn.qkv.weight[:d][rows] = root * u[:, :head_dim].T
            attn.qkv.weight[d:2 * d][rows] = root * vt[:head_dim]
    n, g, d = model.num_prefix_tokens, model.grid_size, model.pos_embed.shape[-1]
    quarter = d // 4
    omega = 1.0 / 10000 ** (torch.arange(quarter) / quarter)
    y, x = torch.meshgrid(torch.arange(g), torch.arange(g), indexing="ij")
    waves = [f(axis.flatten()[:, None] * omega) for axis in (x, y) for f in (torch.sin, torch.cos)]
    model.pos_embed[0, n:] = torch.cat(waves, dim=1)


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


def resize_pos_embed(pos_embed, num_prefix_tokens, grid_size):
    """Bicubic resampling of [1, prefix + old**2, dim] to another grid, as timm does."""
    prefix, grid = pos_embed[:, :num_prefix_tokens], pos_embed[:, num_prefix_tokens:]
    old = int(math.sqrt(grid.shape[1]))
    if old == grid_size:
        return pos_embed
    grid = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(grid_size, grid_size), mode="bicubic", antialias=True)
    return torch.cat([prefix, grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def load_folder(folder, img_size=None):
    """(model, config) of a timm folder with a plain or distilled ViT, optionally at another img_size."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    tensors = read_safetensors(folder / "model.safetensors")
    args = dict(config.get("model_args", {}))
    weight = tensors["patch_embed.proj.weight"]
    args["embed_dim"], args["in_chans"], args["patch_size"] = weight.shape[0], weight.shape[1], weight.shape[2]
    args.setdefault("depth", 1 + max(int(n.split(".")[1]) for n in tensors if n.startswith("blocks.")))
    args.setdefault("num_heads", args["embed_dim"] // 64)
    args["distilled"] = "dist_token" in tensors
    args["num_classes"] = tensors["head.weight"].shape[0]
    args["img_size"] = img_size or config["pretrained_cfg"]["input_size"][-1]
    model = VisionTransformer(**args)
    tensors["pos_embed"] = resize_pos_embed(
        tensors["pos_embed"], model.num_prefix_tokens, model.grid_size)
    model.load_state_dict(tensors)
    return model.eval(), config
