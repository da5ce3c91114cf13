"""Pictures as bytes in one tensor, and the augmentation that works on whole batches of them, on any device."""

import hashlib
import io
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


def log(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vitrine"


def square(picture, size):
    """timm's evaluation rule for crop_pct 1: the shorter side to `size` (bicubic), then the centre."""
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    width, height = picture.size
    scale = size / min(width, height)
    if (width, height) != (size, size):
        # timm's (torchvision's) lengths: the shorter side exact, the longer one truncated.
        wanted = (size, int(size * height / width)) if width <= height else (int(size * width / height), size)
        picture = picture.resize(wanted, Image.BICUBIC)
    left = int(round((picture.size[0] - size) / 2.0))
    top = int(round((picture.size[1] - size) / 2.0))
    return np.asarray(picture.crop((left, top, left + size, top + size)))


def _read_shards(folder, split, size):
    """Concatenated WebP files with an index of offsets and labels, and classes.json beside them."""
    pictures, labels = [], []
    for index in sorted(folder.glob(f"{split}*.index.npz")):
        arrays = np.load(index)
        offsets, data = arrays["offsets"], index.with_name(index.name.replace(".index.npz", ".webps")).read_bytes()
        for begin, end in zip(offsets[:-1], offsets[1:]):
            pictures.append(square(Image.open(io.BytesIO(data[begin:end])), size))
        labels.append(arrays["labels"].astype(np.int64))
    names = [entry["name"] for entry in json.loads((folder / "classes.json").read_text())]
    return np.stack(pictures), np.concatenate(labels), names


def _read_image_folder(folder, split, size):
    """The usual layout: <folder>/<split>/<class>/*.jpg; classes are numbered in order of their names."""
    names = sorted(p.name for p in (folder / "train").iterdir() if p.is_dir())
    pictures, labels = [], []
    for label, name in enumerate(names):
        for path in sorted((folder / split / name).glob("*")):
            if path.suffix.lower() in _SUFFIXES:
                pictures.append(square(Image.open(path), size))
                labels.append(label)
    if not pictures:
        raise SystemExit(f"{folder / split}: no pictures; expected {split}/<class>/*.jpg")
    return np.stack(pictures), np.array(labels, dtype=np.int64), names


def load_pictures(folder, split, size, cache=None):
    """(pictures uint8 [n, 3, size, size], labels int64 [n], class names), decoded once and then cached."""
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise SystemExit(f"{folder}: no such folder; give the data's place with --data")
    shards = any(folder.glob("*.index.npz"))
    files = folder.glob("*") if shards else folder.glob(f"{split}/*/*")
    stamp = "".join(f"{p.name}{p.stat().st_size}" for p in sorted(files))
    key = hashlib.sha256(f"{folder}{split}{size}{stamp}".encode()).hexdigest()[:16]
    cached = Path(cache or cache_folder()) / f"pictures-{split}-{key}.pt"
    if not cached.exists():
        read = _read_shards if shards else _read_image_folder
        pictures, labels, names = read(folder, split, size)
        pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        cached.parent.mkdir(parents=True, exist_ok=True)
        save_atomically((pictures, torch.from_numpy(labels), names), cached)
    return torch.load(cached)


def save_atomically(thing, path):
    """torch.save that never leaves half a file behind, whenever it is stopped."""
    temporary = Path(f"{path}.new")
    torch.save(thing, temporary)
    temporary.replace(path)


class Shuffle:
    """Endless indices below `count`, each once before any again."""

    def __init__(self, count, generator):
        self.count, self.generator = count, generator
        self.order = torch.empty(0, dtype=torch.int64)

    def take(self, n):
        while len(self.order) < n:
            self.order = torch.cat([self.order, torch.randperm(self.count, generator=self.generator)])
        taken, self.order = self.order[:n], self.order[n:]
        return taken


def random_boxes(n, min_area, generator):
    """Random resized crops [n, 4] as (centre x, centre y, width, height), in parts of the picture."""
    u = torch.rand(n, 4, generator=generator)
    area = min_area + (1.0 - min_area) * u[:, 0]
    ratio = torch.exp((u[:, 1] * 2 - 1) * np.log(4 / 3))
    width = (area * ratio).sqrt().clamp(max=1.0)
    height = (area / ratio).sqrt().clamp(max=1.0)
    x = width / 2 + u[:, 2] * (1 - width)
    y = height / 2 + u[:, 3] * (1 - height)
    return torch.stack([x, y, width, height], dim=1)


def crop(pictures, boxes, size):
    """Cuts boxes [n, 4] out of uint8 pictures [n, 3, h, w]: float [n, 3, size, size], -1 to 1."""
    x, y, width, height = boxes.to(pictures.device).unbind(1)
    zero = torch.zeros_like(x)
    theta = torch.stack([torch.stack([width, zero, 2 * x - 1], 1),
                         torch.stack([zero, height, 2 * y - 1], 1)], 1)
    grid = F.affine_grid(theta, [len(boxes), 3, size, size], align_corners=False)
    cut = F.grid_sample(pictures.float(), grid, mode="bicubic", padding_mode="border", align_corners=False)
    return cut.clamp(0, 255) / 127.5 - 1


def jitter_colour(pictures, strength):
    """Brightness, contrast and saturation, each by its own random factor per picture."""
    n, device = len(pictures), pictures.device
    factor = lambda: 1 + (torch.rand(n, 1, 1, 1, device=device) * 2 - 1) * strength
    pictures = (pictures + 1) * factor() - 1
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    pictures = (pictures - mean) * factor() + mean
    grey = pictures.mean(dim=1, keepdim=True)
    return ((pictures - grey) * factor() + grey).clamp(-1, 1)


def cutmix_mask(n, grid, device):
    """[n, grid, grid] of 0 and 1: a random rectangle per picture, in whole patches, to be taken from another.

    In whole patches, so that the teacher's patch features can be exchanged along with the pixels.
    """
    side = (torch.rand(n, 1, device=device)).sqrt() * grid  # the kept share is uniform
    centre = torch.rand(n, 2, device=device) * grid
    steps = torch.arange(grid, device=device) + 0.5
    inside = lambda c: ((steps[None] - c).abs() < side / 2)
    return (inside(centre[:, :1])[:, :, None] & inside(centre[:, 1:])[:, None, :]).float()
