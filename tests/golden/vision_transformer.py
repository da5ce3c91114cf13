"""The classic VisionTransformer in plain PyTorch: timm's names and arguments, one step at a time.

Written to be compared with, not to be fast. Every step calls `record` with the name that it has in
the core's plan and its output [batch, rows, cols].
"""

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {
    "gelu": F.gelu,
    # F.gelu(approximate='tanh'), spelled out.
    "gelu_tanh": lambda x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": F.relu,
    "silu": F.silu,
}


def pair(size):
    return tuple(size) if isinstance(size, (tuple, list)) else (size, size)


class PatchEmbed(nn.Module):
    def __init__(self, patch_size, in_chans, embed_dim):
        super().__init__()
        self.proj = nn.Conv2d(in_chans, embed_dim, patch_size, stride=patch_size)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)  # [batch, num_patches, embed_dim]


class Attention(nn.Module):
    def __init__(self, embed_dim, num_heads, qkv_bias, qk_scale):
        super().__init__()
        self.num_heads = num_heads
        self.scale = (embed_dim // num_heads) ** -0.5 if qk_scale is None else qk_scale
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim, bias=qkv_bias)
        self.proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, x, record):
        batch, num_tokens, embed_dim = x.shape
        qkv = self.qkv(x)
        record("qkv", qkv)
        q, k, v = qkv.reshape(batch, num_tokens, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * self.scale).softmax(dim=-1)
        x = (weights @ v).transpose(1, 2).reshape(batch, num_tokens, embed_dim)
        record("heads", x)
        x = self.proj(x)
        record("proj", x)
        return x


class Mlp(nn.Module):
    def __init__(self, embed_dim, hidden_dim, act_layer):
        super().__init__()
        self.fc1 = nn.Linear(embed_dim, hidden_dim)
        self.act = ACTIVATIONS[act_layer]
        self.fc2 = nn.Linear(hidden_dim, embed_dim)

    def forward(self, x, record):
        x = self.act(self.fc1(x))
        record("fc1", x)
        x = self.fc2(x)
        record("fc2", x)
        return x


class Block(nn.Module):
    def __init__(self, embed_dim, num_heads, mlp_ratio, qkv_bias, qk_scale, act_layer, eps):
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dim, eps=eps)
        self.attn = Attention(embed_dim, num_heads, qkv_bias, qk_scale)
        self.norm2 = nn.LayerNorm(embed_dim, eps=eps)
        self.mlp = Mlp(embed_dim, int(embed_dim * mlp_ratio), act_layer)

    def forward(self, x, record):
        y = self.norm1(x)
        record("norm1", y)
        x = x + self.attn(y, lambda step, value: record(f"attn.{step}", value))
        record("attn.residual", x)
        y = self.norm2(x)
        record("norm2", y)
        x = x + self.mlp(y, lambda step, value: record(f"mlp.{step}", value))
        record("", x)
        return x


class PreLogits(nn.Module):
    def __init__(self, embed_dim, representation_size):
        super().__init__()
        self.fc = nn.Linear(embed_dim, representation_size)

    def forward(self, x):
        return torch.tanh(self.fc(x))


class VisionTransformer(nn.Module):
    """timm's arguments. one_head: distilled, but classified by the class token alone."""

    def __init__(self, img_size=224, patch_size=16, in_chans=3, num_classes=1000, embed_dim=768,
                 depth=12, num_heads=12, mlp_ratio=4.0, qkv_bias=True, qk_scale=None,
                 representation_size=None, distilled=False, class_token=True, global_pool="token",
                 fc_norm=None, act_layer="gelu", layer_norm_eps=1e-6, one_head=False):
        super().__init__()
        self.img_size, self.patch_size = pair(img_size), pair(patch_size)
        self.in_chans, self.global_pool = in_chans, global_pool
        self.num_heads, self.act_layer, self.eps = num_heads, act_layer, layer_norm_eps
        self.distilled, self.one_head = distilled, one_head
        self.record = lambda step, value: None
        use_fc_norm = global_pool == "avg" if fc_norm is None else fc_norm

        def norm(wanted):
            return nn.LayerNorm(embed_dim, eps=layer_norm_eps) if wanted else None

        self.patch_embed = PatchEmbed(self.patch_size, in_chans, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim)) if class_token else None
        self.dist_token = nn.Parameter(torch.zeros(1, 1, embed_dim)) if distilled else None
        self.num_prefix_tokens = int(class_token) + int(distilled)
        grid_size = [size // patch for size, patch in zip(self.img_size, self.patch_size)]
        num_tokens = grid_size[0] * grid_size[1] + self.num_prefix_tokens
        self.pos_embed = nn.Parameter(torch.zeros(1, num_tokens, embed_dim))
        self.blocks = nn.ModuleList(
            Block(embed_dim, num_heads, mlp_ratio, qkv_bias, qk_scale, act_layer, layer_norm_eps)
            for _ in range(depth))
        self.norm, self.fc_norm = norm(not use_fc_norm), norm(use_fc_norm)
        self.pre_logits, num_features = None, embed_dim
        if representation_size and not distilled:
            self.pre_logits, num_features = PreLogits(embed_dim, representation_size), representation_size
        self.head = nn.Linear(num_features, num_classes) if num_classes else None
        self.head_dist = (nn.Linear(num_features, num_classes)
                          if num_classes and distilled and not one_head else None)

    def apply_if_there(self, name, x):
        """The named module's output, recorded; x itself where the model has no such module."""
        module = getattr(self, name)
        if module is None:
            return x
        x = module(x)
        self.record(name, x if x.ndim == 3 else x[:, None])
        return x

    def forward_features(self, x):
        """[batch, in_chans, height, width] -> [batch, num_tokens, embed_dim]."""
        x = self.apply_if_there("patch_embed", x)
        prefix = [token.expand(len(x), -1, -1) for token in (self.cls_token, self.dist_token)
                  if token is not None]
        x = torch.cat([*prefix, x], dim=1) + self.pos_embed
        self.record("embed", x)
        for i, block in enumerate(self.blocks):
            x = block(x, lambda step, value: self.record(f"blocks.{i}.{step}".rstrip("."), value))
        return self.apply_if_there("norm", x)

    def forward_head(self, x, pre_logits=False):
        """[batch, num_tokens, embed_dim] -> [batch, num_classes], or the embedding before the head."""
        if self.distilled and not self.one_head:
            # timm's VisionTransformerDistilled: the mean of both embeddings, of both heads.
            pooled = (x[:, 0] + x[:, 1]) / 2
            self.record("pool", pooled[:, None])
            if pre_logits or self.head is None:
                return pooled
            logits = (self.apply_if_there("head", x[:, 0]) + self.apply_if_there("head_dist", x[:, 1])) / 2
            self.record("average", logits[:, None])
            return logits
        x = x[:, self.num_prefix_tokens:].mean(dim=1) if self.global_pool == "avg" else x[:, 0]
        self.record("pool", x[:, None])
        x = self.apply_if_there("fc_norm", x)
        x = self.apply_if_there("pre_logits", x)
        return x if pre_logits else self.apply_if_there("head", x)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))
