"""Muon for the matrices of the blocks, AdamW for everything else, and an average of the weights."""

import math

import torch


def orthogonalise(g):
    """The nearest matrix with equal singular values, about: five Newton-Schulz steps (Jordan et al., "Muon", 2024)."""
    x = g.to(torch.bfloat16)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = torch.addmm(x, torch.addmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is orthogonalised; scaled so that an element moves by 0.2 lr, as with AdamW."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.02):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].mul_(group["momentum"]).add_(p.grad)
                update = orthogonalise(p.grad + group["momentum"] * m)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-0.2 * group["lr"] * math.sqrt(max(p.shape)))


def optimisers(model, lr, weight_decay):
    """[Muon, AdamW] over all parameters of the model."""
    matrices = [p for n, p in model.named_parameters() if "blocks" in n and p.dim() == 2]
    rest = [p for n, p in model.named_parameters() if "blocks" not in n or p.dim() != 2]
    return [Muon(matrices, lr, weight_decay=weight_decay),
            torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay, foreach=True)]


class Average:
    """A moving average of a model's parameters; `decay` is reached as steps go by."""

    def __init__(self, model, decay):
        self.decay = decay
        self.values = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model, step):
        weight = 1 - min(self.decay, (1 + step) / (20 + step))
        names = list(self.values)
        params = dict(model.named_parameters())
        torch._foreach_mul_([self.values[n] for n in names], 1 - weight)
        torch._foreach_add_([self.values[n] for n in names], [params[n] for n in names], alpha=weight)
