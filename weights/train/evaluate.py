#!/usr/bin/env python3
"""Top-1, top-5 and the commonest confusions of a timm folder, read back from its 16-bit file.

    evaluate.py ../default --data FOLDER --settings settings/cpu-20.toml
    evaluate.py ../default --photos A.jpg B.jpg ...
"""

import argparse
import json
import tomllib
from collections import Counter
from pathlib import Path

import torch
from PIL import Image

import data
import model as vit


def normalise(pictures, config):
    """uint8 [n, 3, size, size] -> float, as config.json says."""
    mean, std = (torch.tensor(config["pretrained_cfg"][k]).view(3, 1, 1) for k in ("mean", "std"))
    return (pictures.float() / 255 - mean) / std


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", help="with config.json, model.safetensors and labels.json")
    parser.add_argument("--data", help="as for train.py")
    parser.add_argument("--settings", help="those of the training, where they rename classes")
    parser.add_argument("--photos", nargs="+", help="pictures to classify")
    parser.add_argument("--cache", default=data.cache_folder())
    args = parser.parse_args()
    model, config = vit.load_folder(args.folder)
    labels = json.loads((Path(args.folder) / "labels.json").read_text())
    size = config["pretrained_cfg"]["input_size"][-1]

    for path in args.photos or []:
        picture = torch.from_numpy(data.square(Image.open(path), size).copy()).permute(2, 0, 1)
        share = model(normalise(picture[None], config)).softmax(1)[0]
        best = ", ".join(f"{labels[i]} {share[i]:.3f}" for i in share.argsort(descending=True)[:5])
        print(f"{Path(path).name}: {best}")

    if not args.data:
        return
    pictures, truth, names = data.load_pictures(args.data, "val", size, args.cache)
    if args.settings:
        shown = tomllib.loads(Path(args.settings).read_text()).get("classes", {})
        names = [shown.get(name, name) for name in names]
    missing = [label for label in labels if label not in names]
    if missing:
        raise SystemExit(f"labels.json: no class {missing[0]!r} in {args.data}; was it renamed in --settings?")
    ours = torch.full((len(names),), -1)
    for i, label in enumerate(labels):
        ours[names.index(label)] = i
    truth = ours[truth]
    pictures, truth = pictures[truth >= 0], truth[truth >= 0]
    order = torch.cat([model(normalise(part, config)).argsort(1, descending=True)
                       for part in pictures.split(250)])
    hit = order == truth[:, None]
    print(f"{len(truth)} pictures, {len(labels)} classes: top-1 {100 * hit[:, 0].float().mean():.2f} %, "
          f"top-5 {100 * hit[:, :5].any(1).float().mean():.2f} %")
    print("\nper class:")
    for i in sorted(range(len(labels)), key=lambda i: hit[truth == i, 0].float().mean()):
        print(f"  {labels[i]:24} {100 * hit[truth == i, 0].float().mean():5.1f} %")
    wrong = Counter((labels[t], labels[p]) for t, p in zip(truth.tolist(), order[:, 0].tolist()) if t != p)
    print("\ncommonest confusions (what it was, what was said, of how many):")
    for (was, said), count in wrong.most_common(12):
        print(f"  {was} -> {said}: {count} of {int((truth == labels.index(was)).sum())}")


if __name__ == "__main__":
    main()
