#!/usr/bin/env python3
"""What a model folder is worth on labelled photos, read back from its file as the product reads it.

    evaluate.py ../default --data FOLDER [--program ../../build/native/vitrine] [--quick]

Accuracy of the everyday names and of the thousand classes, how often a score is right, what is said about pictures
without anything it knows, and what is lost where photos are small, dark, turned or part of a screenshot.
--program asks the native command as well.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance

import photos as ph
import timm_folder
from distil import THOUSAND
from vocabulary import Vocabulary


@torch.no_grad()
def features_of(model, pictures, crop_pct):
    """Images -> [n, embed_dim]."""
    parts = []
    for i in range(0, len(pictures), 50):
        patches = ph.to_patches([ph.centre_crop(p, crop_pct) for p in pictures[i:i + 50]])
        parts.append(model.features(ph.normalise(patches)))
    return torch.cat(parts)


def shares(scores, truth, k):
    """Part of the rows of scores [n, num_classes] whose truth [n] is among the k largest."""
    return (scores.topk(k).indices == truth[:, None]).any(1).float().mean().item()


def small(picture):
    """As a thumbnail, 96 pixels on the shorter side."""
    scale = 96 / min(picture.size)
    return picture.resize([max(1, round(n * scale)) for n in picture.size], Image.BICUBIC)


def screenshot(picture):
    """In a window on a grey desktop, with a title bar and lines of text under it; the photo has about half of the height."""
    width, height = picture.size
    page = Image.new("RGB", (width * 3 // 2, height * 2), (236, 236, 240))
    draw = ImageDraw.Draw(page)
    left, top = width // 4, height // 3
    draw.rectangle([left - 6, top - 26, left + width + 6, page.height - 20], fill=(255, 255, 255), outline=(160, 160, 165))
    draw.rectangle([left - 6, top - 26, left + width + 6, top - 6], fill=(70, 76, 90))
    page.paste(picture, (left, top))
    for y in range(top + height + 10, page.height - 30, 14):
        draw.text((left, y), "The quick brown fox jumps over the lazy dog and runs away", fill=(40, 40, 40))
    return page


CONDITIONS = {
    "as it is": lambda p: p,
    "small (96 pixels)": small,
    "dark (a fifth of the light)": lambda p: ImageEnhance.Brightness(p).enhance(0.2),
    "tilted by 20 degrees": lambda p: p.rotate(20, Image.BICUBIC),
    "on its side": lambda p: p.transpose(Image.ROTATE_90),
    "upside down": lambda p: p.transpose(Image.ROTATE_180),
    "black and white": lambda p: p.convert("L").convert("RGB"),
    "screenshot of a page with it": screenshot,
}


def nothing_known():
    """{kind: Images} of pictures without anything to name: noise, smooth noise, pages of text, blank pages."""
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)) for _ in range(20)]
    smooth = [Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((256, 256), Image.BICUBIC)
              for _ in range(20)]
    text = []
    for i in range(20):
        page = Image.new("RGB", (480, 640), (255, 255, 255 - 2 * i))
        for y in range(20, 620, 12 + i % 4):
            words = " ".join("".join(rng.choice(list("etaoinshrdlu"), rng.integers(2, 9))) for _ in range(14))
            ImageDraw.Draw(page).text((24, y), words[:70], fill=(20, 20, 20))
        text.append(page)
    blank = [Image.new("RGB", (256, 256), tuple(rng.integers(0, 256, 3).tolist())) for _ in range(18)]
    blank += [Image.new("RGB", (256, 256), c) for c in ("white", "black")]
    return {"noise": noise, "smooth colours": smooth, "pages of text": text, "blank": blank}


def ask_program(program, folder, pictures):
    """The first three labels of each picture by the native command: lists of names."""
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for i, picture in enumerate(pictures):
            files.append(f"{scratch}/{i}.png")
            picture.save(files[-1], compress_level=1)
        done = subprocess.run([program, "classify", "--model", folder, "--top-k", "3", "--json", *files],
                              capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [[label["label"] for label in line["labels"]] for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", help="with config.json, model.safetensors and labels.json")
    parser.add_argument("--data", required=True, help="folder with val-photos.webps and val-photos.index.npz")
    parser.add_argument("--program", help="the native command, to ask it too")
    parser.add_argument("--quick", action="store_true", help="accuracy only")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, labels, config = timm_folder.load(args.folder)
    cfg = config["pretrained_cfg"]
    vocabulary = Vocabulary.load()
    if labels != vocabulary.names:
        raise SystemExit(f"{args.folder}: its labels.json is not the vocabulary of vocabulary.txt")
    photos = ph.Photos(args.data, "val-photos")
    pictures, classes = [photos[i] for i in range(len(photos))], torch.from_numpy(photos.labels)
    truth = vocabulary.belongs[classes]
    percent = lambda share: f"{100 * share:.1f} %"

    features = features_of(model, pictures, cfg["crop_pct"])
    with torch.no_grad():
        scores = model.head(features).softmax(1)
    print(f"{len(truth)} photos, {len(labels)} names: top-1 {percent(shares(scores, truth, 1))}, "
          f"top-3 {percent(shares(scores, truth, 3))}")
    thousand = Path(__file__).with_name(THOUSAND)
    if thousand.exists():
        head = timm_folder.read_safetensors(thousand)
        logits = features @ head["weight"].T + head["bias"]
        merged = vocabulary.merge(logits.log_softmax(1))
        print(f"thousand classes: top-1 {percent(shares(logits, classes, 1))}, top-5 {percent(shares(logits, classes, 5))}; "
              f"summed within the names: top-1 {percent(shares(merged, truth, 1))}, top-3 {percent(shares(merged, truth, 3))}")
    is_dog = truth == labels.index("dog") if "dog" in labels else torch.zeros(len(truth), dtype=torch.bool)
    print(f"without the {int(is_dog.sum())} dogs: top-1 {percent(shares(scores[~is_dog], truth[~is_dog], 1))}, "
          f"top-3 {percent(shares(scores[~is_dog], truth[~is_dog], 3))}")
    if args.program:
        said = ask_program(args.program, args.folder, pictures)
        names = [labels[t] for t in truth]
        first = sum(n == s[0] for n, s in zip(names, said)) / len(names)
        three = sum(n in s for n, s in zip(names, said)) / len(names)
        print(f"{args.program}: top-1 {percent(first)}, top-3 {percent(three)}")
    if args.quick:
        return

    best, first = scores.max(1)
    right = first == truth
    print("\nfirst score: part of the photos, of them right")
    for low, high in ((0.9, 1.01), (0.7, 0.9), (0.5, 0.7), (0.3, 0.5), (0.0, 0.3)):
        inside = (best >= low) & (best < high)
        if inside.any():
            print(f"  {low:.0%} to {min(high, 1):.0%}: {percent(inside.float().mean())}, {percent(right[inside].float().mean())}")
    threshold = cfg.get("vitrine_threshold", 0)
    sure = best >= threshold
    print(f"  under the threshold of {threshold}: {percent(1 - sure.float().mean())} of the photos; "
          f"right above it {percent(right[sure].float().mean())}, under it {percent(right[~sure].float().mean())}")

    print("\nnothing it knows: under the threshold, the largest score and its name")
    for kind, made in nothing_known().items():
        with torch.no_grad():
            said = model.head(features_of(model, made, cfg["crop_pct"])).softmax(1)
        most, name = said.max(1)
        i = most.argmax()
        print(f"  {kind}: {int((most < threshold).sum())} of {len(made)}; {labels[name[i]]} {percent(most[i])}")

    print("\nphotos: top-1, top-3")
    for kind, change in CONDITIONS.items():
        with torch.no_grad():
            said = model.head(features_of(model, [change(p) for p in pictures], cfg["crop_pct"]))
        print(f"  {kind}: {percent(shares(said, truth, 1))}, {percent(shares(said, truth, 3))}")


if __name__ == "__main__":
    main()
