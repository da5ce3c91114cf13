"""Packed photos, random crops for training, timm's centre crop for measuring.

    photos.py FOLDER NAME OUT --classes 950 8 ... --count 50     writes packed labelled pictures as OUT/CLASS/N.png
"""

import argparse
import io
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

SIZE, PATCH = 224, 16


class Photos:
    """The photos of a folder, decoded at first use: `photos[i]` is an RGB Image.

    The folder holds `NAME.webps` (concatenated WebP) with `NAME.index.npz` beside it, or several that begin with NAME:
    `offsets` [n + 1] and, where known, `labels` [n].
    """

    def __init__(self, folder, name):
        self.items, labels = [], []
        self.labels = None
        exact = Path(folder) / f"{name}.index.npz"
        for index in [exact] if exact.exists() else sorted(Path(folder).glob(f"{name}*.index.npz")):
            arrays = np.load(index)
            data = index.with_name(index.name.replace(".index.npz", ".webps")).read_bytes()
            self.items += [data[a:b] for a, b in zip(arrays["offsets"][:-1], arrays["offsets"][1:])]
            if "labels" in arrays:
                labels.append(arrays["labels"].astype(np.int64))
        if not self.items:
            raise SystemExit(f"{folder}: no {name}*.index.npz with {name}*.webps beside it")
        if labels:
            self.labels = np.concatenate(labels)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        if isinstance(self.items[i], bytes):
            self.items[i] = Image.open(io.BytesIO(self.items[i])).convert("RGB")
            self.items[i].load()
        return self.items[i]


def centre_crop(picture, crop_pct=0.9):
    """timm's rule: the shorter side to SIZE / crop_pct (bicubic), then the centre. uint8 [SIZE, SIZE, 3]."""
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    width, height = picture.size
    side = math.floor(SIZE / crop_pct)
    # torchvision's lengths: the shorter side exact, the longer one truncated.
    wanted = (side, int(side * height / width)) if width <= height else (int(side * width / height), side)
    picture = picture.resize(wanted, Image.BICUBIC)
    left, top = (int(round((n - SIZE) / 2.0)) for n in picture.size)
    return np.asarray(picture.crop((left, top, left + SIZE, top + SIZE)))


def random_crop(picture, min_area, rng):
    """A random part of the picture, of min_area to all of it, half of the time mirrored. uint8 [SIZE, SIZE, 3]."""
    width, height = picture.size
    for _ in range(10):
        area, ratio = width * height * rng.uniform(min_area, 1), math.exp(rng.uniform(-1, 1) * math.log(4 / 3))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w <= width and h <= height:
            break
    else:
        w = h = min(width, height)
    x, y = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
    pixels = np.asarray(picture.resize((SIZE, SIZE), Image.BICUBIC, box=(x, y, x + w, y + h)))
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def to_patches(pixels):
    """uint8 arrays [SIZE, SIZE, 3] -> uint8 [batch, 196, 768]; in a patch: channel, row, column, as timm's weights."""
    x = torch.from_numpy(np.stack(pixels))
    n = SIZE // PATCH
    return x.view(-1, n, PATCH, n, PATCH, 3).permute(0, 1, 3, 5, 2, 4).reshape(-1, n * n, 3 * PATCH * PATCH)


def normalise(patches):
    """uint8 -> -1 to 1 in float32, the mean and deviation of 0.5 that teacher and student share."""
    return patches.float().mul_(1 / 127.5).sub_(1)


def feed(sources, batch_size, rng):
    """Endless batches uint8 [batch_size, 196, 768] of random crops.

    sources: (photos, numbers of those to take, part of a batch, min_area) each. Crops are cut when asked for, by two
    threads (Pillow lets go of Python's lock): a thread that worked ahead would take a core from products that expect two.
    """
    counts = [round(batch_size * part) for _, _, part, _ in sources]
    counts[0] += batch_size - sum(counts)
    orders = [[] for _ in sources]
    with ThreadPoolExecutor(2) as pool:
        while True:
            jobs = []
            for (photos, numbers, _, min_area), count, order in zip(sources, counts, orders):
                while len(order) < count:
                    order += rng.permutation(numbers).tolist()
                for i in order[:count]:
                    jobs.append((photos, i, min_area, np.random.default_rng(rng.integers(2**63))))
                del order[:count]
            yield to_patches(list(pool.map(lambda job: random_crop(job[0][job[1]], job[2], job[3]), jobs)))


def main():
    parser = argparse.ArgumentParser(description="Writes packed labelled pictures as a folder for each class.")
    parser.add_argument("folder")
    parser.add_argument("name")
    parser.add_argument("out")
    parser.add_argument("--classes", type=int, nargs="+", required=True)
    parser.add_argument("--count", type=int, default=50, help="pictures of each class (50)")
    args = parser.parse_args()
    photos = Photos(args.folder, args.name)
    if photos.labels is None:
        raise SystemExit(f"{args.folder}: {args.name} has no labels")
    for c in args.classes:
        place = Path(args.out) / f"{c:03}"
        place.mkdir(parents=True, exist_ok=True)
        for i in np.flatnonzero(photos.labels == c)[:args.count]:
            photos[i].save(place / f"{i}.png")


if __name__ == "__main__":
    main()
