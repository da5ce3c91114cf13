#!/usr/bin/env python3
"""Resizes photos with Pillow as torchvision's Resize(248, bicubic) and CenterCrop(224) do.

    python3 tests/golden/resize_photos.py PHOTOS OUTPUT     (Debian: apt-get install python3-pil)

Writes PHOTOS/*.jpg as OUTPUT/*.png. The core decodes JPEG a little differently from Pillow's libjpeg;
with these pixels its logits can be held against the reference's on every photo.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image

RESIZE, CROP = 248, 224


def resized(image):
    width, height = image.size
    short, long = sorted(image.size)
    scaled = int(RESIZE * long / short)
    image = image.resize((RESIZE, scaled) if width <= height else (scaled, RESIZE), Image.BICUBIC)
    left, top = (round((side - CROP) / 2) for side in image.size)
    return image.crop((left, top, left + CROP, top + CROP))


def main():
    photos, output = map(Path, sys.argv[1:])
    unfinished = output.with_name(f"{output.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for photo in sorted(photos.glob("*.jpg")):
        with Image.open(photo) as image:
            resized(image.convert("RGB")).save(unfinished / f"{photo.stem}.png", compress_level=1)
    unfinished.rename(output)  # tests look for the folder: it appears only when complete


if __name__ == "__main__":
    main()
