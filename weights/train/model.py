"""A plain Vision Transformer in PyTorch with timm's parameter names; the same class is teacher and student.

Pictures come in as patches, [batch, 196, 768] for 224 x 224 and patches of 16 (`photos.to_patches`), so that
training may leave patches out before anything is computed. Only the class token of the last block is
computed, because nothing reads the others.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Linear(nn.Linear):
    """A linear layer whose product is in the type of its input: bfloat16 is twice as fast on two CPU cores."""

    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class Attend(torch.autograd.Function):
    """softmax(q k^T) v over [batch * num_heads, num_tokens, head_dim], q already scaled.

    PyTorch 1.13's own derivative of softmax takes longer on a CPU than all products of a block; this one
    keeps the weights in the products' type and uses sum(p * dp) = sum(o * do).
    """

    @staticmethod
    def forward(ctx, q, k, v):
        p = torch.bmm(q, k.transpose(1, 2)).softmax(-1)
        o = torch.bmm(p, v)
        ctx.save_for_backward(q, k, v, p, o)
        return o

    @staticmethod
    def backward(ctx, do):
        q, k, v, p, o = ctx.saved_tensors
        ds = torch.bmm(do, v.transpose(1, 2))
        ds.sub_((do * o).sum(-1, keepdim=True)).mul_(p)
        return torch.bmm(ds, k), torch.bmm(ds.transpose(1, 2), q), torch.bmm(p.transpose(1, 2), do)


class Attention(nn.Module):
    def __init__(self, embed_dim, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = Linear(embed_dim, 3 * embed_dim)
        self.proj = Linear(embed_dim, embed_dim)

    def _heads(self, x):
        """[batch, n, k * embed_dim] -> k tensors [batch * num_heads, n, head_dim]."""
        batch, n, dim = x.shape
        embed_dim = self.proj.in_features
        x = x.view(batch, n, dim // embed_dim, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        return x.reshape(x.shape[0], batch * self.num_heads, n, -1).unbind(0)

    def forward(self, x, only_class):
        """[batch, n, embed_dim] -> the same, or [batch, 1, embed_dim]."""
        batch, _, dim = x.shape
        if only_class:
            w, b = self.qkv.weight.to(x.dtype), self.qkv.bias.to(x.dtype)
            (q,) = self._heads(F.linear(x[:, :1], w[:dim], b[:dim]))
            k, v = self._heads(F.linear(x, w[dim:], b[dim:]))
        else:
            q, k, v = self._heads(self.qkv(x))
        o = Attend.apply(q * q.shape[-1] ** -0.5, k, v)
        o = o.view(batch, self.num_heads, q.shape[1], -1).transpose(1, 2).reshape(batch, q.shape[1], dim)
        return self.proj(o)


class Mlp(nn.Module):
    def __init__(self, embed_dim, hidden_dim):
        super().__init__()
        self.fc1 = Linear(embed_dim, hidden_dim)
        self.fc2 = Linear(hidden_dim, embed_dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, embed_dim, num_heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dim, eps=1e-6)
        self.attn = Attention(embed_dim, num_heads)
        self.norm2 = nn.LayerNorm(embed_dim, eps=1e-6)
        self.mlp = Mlp(embed_dim, 4 * embed_dim)

    def forward(self, x, products=torch.float32, only_class=False):
        """[batch, n, embed_dim] float32 -> the same, or its class token [batch, 1, embed_dim] alone."""
        y = self.attn(self.norm1(x).to(products), only_class).float()
        x = (x[:, :1] if only_class else x) + y
        return x + self.mlp(self.norm2(x).to(products)).float()


class PatchEmbed(nn.Module):
    """timm's convolution as a product: [batch, n, in_chans * patch_size**2] -> [batch, n, embed_dim]."""

    def __init__(self, patch_size, in_chans, embed_dim):
        super().__init__()
        self.proj = nn.Conv2d(in_chans, embed_dim, patch_size, patch_size)

    def forward(self, patches):
        return F.linear(patches, self.proj.weight.flatten(1).to(patches.dtype), self.proj.bias.to(patches.dtype))


class VisionTransformer(nn.Module):
    """timm's VisionTransformer with global_pool "token". `products`: the type of the matrix products."""

    def __init__(self, img_size=224, patch_size=16, in_chans=3, num_classes=1000, embed_dim=192, depth=12,
                 num_heads=3, products=torch.float32):
        super().__init__()
        self.products = products
        self.patch_embed = PatchEmbed(patch_size, in_chans, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (img_size // patch_size) ** 2, embed_dim))
        self.blocks = nn.ModuleList(Block(embed_dim, num_heads) for _ in range(depth))
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.head = nn.Linear(embed_dim, num_classes)
        for name, p in self.named_parameters():  # timm's: truncated normal 0.02, zero biases
            if name.endswith("bias"):
                nn.init.zeros_(p)
            elif "norm" not in name:
                nn.init.trunc_normal_(p, std=0.02)

    def states(self, patches, keep=None, stop=None):
        """depth + 1 tensors: the tokens [batch, 1 + n, embed_dim] before the first and after each block.

        patches: float [batch, n, 768]; keep: [batch, n] numbers of their places (None: all 196 in order);
        stop: how many blocks to run (None: all). After the last block there is the class token alone,
        [batch, 1, embed_dim].
        """
        batch, dim = patches.shape[0], self.pos_embed.shape[-1]
        places = self.pos_embed[:, 1:] if keep is None else self.pos_embed[0, 1:][keep]
        x = self.patch_embed(patches.to(self.products)).float() + places
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(batch, -1, dim), x], dim=1)
        states = [x]
        for i, block in enumerate(self.blocks[:stop]):
            states.append(block(states[-1], self.products, only_class=i + 1 == len(self.blocks)))
        return states

    def features(self, patches):
        """[batch, n, 768] -> the class token after the last norm, [batch, embed_dim]."""
        return self.norm(self.states(patches)[-1][:, 0])

    def forward(self, patches):
        """[batch, n, 768] -> logits [batch, num_classes]."""
        return self.head(self.features(patches))
