#!/usr/bin/env python3
"""Teaches the bundled model labels of your own: a new head, then its last blocks, in minutes on two cores.

    finetune.py PICTURES --out FOLDER [--from ../default]

PICTURES holds a folder of pictures for each label: PICTURES/mug/1.jpg, PICTURES/plant/... A fifth of them is held back
to say how good the result is. The blocks before the last ones run once per crop; what they gave is kept in memory.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import photos as ph
import timm_folder

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}


def read_pictures(folder):
    """(labels, [(Image, number of its label)]) of a folder with one folder of pictures for each label."""
    folder = Path(folder)
    labels = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    pictures = []
    for i, label in enumerate(labels):
        files = sorted(p for p in (folder / label).iterdir() if p.suffix.lower() in SUFFIXES)
        if len(files) < 5:
            raise SystemExit(f"{folder / label}: {len(files)} pictures, expected at least 5")
        pictures += [(Image.open(f).convert("RGB"), i) for f in files]
    if len(labels) < 2:
        raise SystemExit(f"{folder}: {len(labels)} folders of pictures, expected one for each of two labels or more")
    return labels, pictures


@torch.no_grad()
def states_before(model, patches, first):
    """uint8 [n, 196, 768] -> bfloat16 [n, 197, embed_dim], the tokens before block `first`."""
    return torch.cat([model.states(ph.normalise(p), stop=first)[-1].to(torch.bfloat16) for p in patches.split(50)])


def class_tokens(model, states, first):
    """[batch, 197, embed_dim] before block `first` -> the class token after the last norm [batch, embed_dim]."""
    x = states.float()
    for i in range(first, len(model.blocks)):
        x = model.blocks[i](x, model.products, only_class=i + 1 == len(model.blocks))
    return model.norm(x[:, 0])


def train(parameters, logits_of, count, truth, epochs, lr):
    """AdamW with a falling rate over batches of 50; logits_of(indices) -> [batch, num_labels]."""
    optimiser = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.05)
    total = epochs * -(-count // 50)
    step = 0
    for _ in range(epochs):
        for batch in torch.randperm(count).split(50):
            optimiser.param_groups[0]["lr"] = lr * (1 - step / total) * min(1, (step + 1) / 20)
            loss = F.cross_entropy(logits_of(batch), truth[batch], label_smoothing=0.1)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            step += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("pictures")
    parser.add_argument("--out", required=True)
    parser.add_argument("--from", dest="start", default=Path(__file__).parents[1] / "default")
    parser.add_argument("--blocks", type=int, default=2, help="how many of the last blocks learn (2)")
    parser.add_argument("--crops", type=int, default=6, help="random crops of each picture (6)")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    began = time.time()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    model, _, config = timm_folder.load(args.start, torch.bfloat16)
    if not 1 <= args.blocks <= len(model.blocks):
        raise SystemExit(f"--blocks {args.blocks}: expected 1 to {len(model.blocks)}")
    labels, pictures = read_pictures(args.pictures)
    order = rng.permutation(len(pictures))
    held, used = order[:len(order) // 5], order[len(order) // 5:]

    first = len(model.blocks) - args.blocks
    crops = [ph.random_crop(pictures[i][0], 0.35, rng) for i in used for _ in range(args.crops)]
    truth = torch.tensor([pictures[i][1] for i in used for _ in range(args.crops)])
    states = states_before(model, ph.to_patches(crops), first)
    centre = [ph.centre_crop(pictures[i][0], config["pretrained_cfg"]["crop_pct"]) for i in held]
    held_states = states_before(model, ph.to_patches(centre), first)
    held_truth = torch.tensor([pictures[i][1] for i in held])

    def report(what):
        with torch.no_grad():
            right = model.head(class_tokens(model, held_states, first)).argmax(1) == held_truth
        print(f"{what}: {100 * right.float().mean():.1f} % of {len(held)} pictures held back, "
              f"{time.time() - began:.0f} s", flush=True)

    model.head = torch.nn.Linear(model.head.in_features, len(labels))
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.zeros_(model.head.bias)
    with torch.no_grad():
        features = torch.cat([class_tokens(model, s, first) for s in states.split(50)])
    train(model.head.parameters(), lambda b: model.head(features[b]), len(truth), truth, 4 * args.epochs, 3e-3)
    report("a new head")
    learning = [*model.blocks[first:].parameters(), *model.norm.parameters(), *model.head.parameters()]
    train(learning, lambda b: model.head(class_tokens(model, states[b], first)), len(truth), truth, args.epochs, 2e-4)
    report(f"the last {args.blocks} blocks as well")
    timm_folder.write(args.out, model, labels, {"tag": "own-labels"})
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
