#!/usr/bin/env python3
"""Gives a folder that answers the teacher's thousand classes a head that answers the everyday names.

    names_head.py settings.toml FOLDER --photos FOLDER --out checkpoint.pt

The new head, one linear map of the class token, is fitted to the old head's own probabilities summed within each name,
on random crops of unlabelled photos; no teacher is asked. `ship.py` makes the checkpoint a timm folder.
"""

import argparse
import tomllib
from pathlib import Path

import numpy as np
import torch

import distil
import photos as ph
import timm_folder
from vocabulary import Vocabulary


@torch.no_grad()
def features_of_crops(vit, sources, count, rng):
    """Class tokens [count, embed_dim] of random crops; sources as of photos.feed."""
    crops = ph.feed(sources, 50, rng)
    return torch.cat([vit.features(ph.normalise(next(crops))) for _ in range(-(-count // 50))])[:count]


def fit_head(head, features, wanted, epochs):
    """Fits a linear head to log-probabilities `wanted` [n, num_names] on features [n, embed_dim], by AdamW."""
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-2, weight_decay=1e-3)
    steps, step = epochs * -(-len(features) // 250), 0
    for _ in range(epochs):
        for batch in torch.randperm(len(features)).split(250):
            optimiser.param_groups[0]["lr"] = 1e-2 * (1 - step / steps)
            loss = distil.divergence(head(features[batch]).log_softmax(1), wanted[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            step += 1
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("settings")
    parser.add_argument("folder")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--crops", type=int, default=7000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    settings = tomllib.loads(Path(args.settings).read_text())
    torch.set_num_threads(args.threads)
    torch.manual_seed(settings["seed"])
    vocabulary = Vocabulary.load()
    old = timm_folder.load(args.folder, torch.bfloat16)[0]
    student = distil.new_student(old, vocabulary, len(old.blocks))
    distil.start_from(student, args.folder, vocabulary)
    pictures = {name: ph.Photos(args.photos, name) for name in settings["min_area"]}
    sources = [(p, np.arange(len(p)), 1 / len(pictures), settings["min_area"][name]) for name, p in pictures.items()]
    numbers = distil.split_photos(sources[0][0], settings["held_back"])[0]
    sources[0] = (sources[0][0], numbers, *sources[0][2:])
    features = features_of_crops(student.vit, sources, args.crops, np.random.default_rng(settings["seed"]))
    with torch.no_grad():
        wanted = vocabulary.merge(student.thousand(features).log_softmax(1))
    loss = fit_head(student.vit.head, features, wanted, 30)
    distil.log(f"{len(features)} crops; loss of the last batch {loss:.3f}")
    values = {name: p.detach() for name, p in student.named_parameters()}
    torch.save(dict(average=values, step=0, names=vocabulary.names), args.out)


if __name__ == "__main__":
    main()
