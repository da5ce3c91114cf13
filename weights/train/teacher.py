"""The teacher: a plain ViT of any timm folder, asked about views of the training pictures."""

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
import model as vit


class Teacher:
    """What the teacher says of a view: logits [n, num_classes], tokens [n, 1 + grid**2, teacher_dim]."""

    def __init__(self, folder, img_size, class_names, grid, device):
        self.model, self.config = vit.load_folder(folder, img_size)
        self.model.to(device)
        self.img_size, self.grid = img_size, grid
        known = json.loads((Path(folder) / "labels.json").read_text())
        self.index = [known.index(n) for n in class_names] if set(class_names) <= set(known) else None
        self.dim = self.model.pos_embed.shape[-1]

    @torch.no_grad()
    def __call__(self, pictures, boxes):
        views = data.crop(pictures, boxes, self.img_size)
        mean, std = (torch.tensor(self.config["pretrained_cfg"][k], device=views.device).view(3, 1, 1)
                     for k in ("mean", "std"))
        views = ((views + 1) / 2 - mean) / std
        with torch.autocast(views.device.type, torch.bfloat16):
            tokens = self.model.forward_features(views)
            logits = self.model.head(tokens[:, 0]).float()
        n, old = len(views), self.model.grid_size
        patches = tokens[:, 1:].float().transpose(1, 2).reshape(n, self.dim, old, old)
        patches = F.interpolate(patches, size=(self.grid, self.grid), mode="bilinear", align_corners=False)
        tokens = torch.cat([tokens[:, :1].float(), patches.flatten(2).transpose(1, 2)], dim=1)
        tokens = F.layer_norm(tokens, (self.dim,))  # every token weighs the same
        # Labels the teacher has no name for: no logits, its tokens still teach.
        return (logits[:, self.index] if self.index is not None else None), tokens


class TaughtViews:
    """A fixed set of crops per picture, and the teacher's answers to them, kept on disk.

    On a CPU the teacher costs more than the student: each view is shown to it once.
    """

    def __init__(self, pictures, teacher, settings, cache, seed):
        count, extra = pictures.num_own, pictures.num_extra
        self.views, self.num_own = settings["views"], count
        owner = torch.arange(count).repeat_interleave(self.views)
        self.owner = torch.cat([owner, torch.arange(count, count + extra)])
        generator = torch.Generator().manual_seed(seed)
        self.boxes = data.random_boxes(len(self.owner), settings["min_area"], generator)
        self.boxes[:count * self.views:self.views] = torch.tensor([0.5, 0.5, 1.0, 1.0])
        num_logits = len(teacher.index) if teacher.index is not None else 0
        key = hashlib.sha256(repr((seed, settings, teacher.img_size, teacher.grid, teacher.index,
                                   pictures.pictures.shape, int(pictures.pictures.sum()),
                                   float(teacher.model.head.weight.sum()))).encode()).hexdigest()[:16]
        path = Path(cache) / f"taught-{key}"
        path.mkdir(parents=True, exist_ok=True)
        n = len(self.owner)
        self.tokens = self._open(path / "tokens.npy", (n, 1 + teacher.grid**2, teacher.dim))
        self.logits = self._open(path / "logits.npy", (n, max(1, num_logits)))
        self.has_logits = num_logits > 0
        self._fill(path / "done.txt", pictures, teacher)

    @staticmethod
    def _open(path, shape):
        if path.exists():
            return np.lib.format.open_memmap(path, mode="r+")
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)

    def _fill(self, marker, pictures, teacher):
        done = int(marker.read_text()) if marker.exists() else 0
        device, began, first = next(teacher.model.parameters()).device, time.time(), done
        while done < len(self.owner):
            part = slice(done, min(done + 100, len(self.owner)))
            logits, tokens = teacher(pictures.pictures[self.owner[part]].to(device), self.boxes[part])
            self.tokens[part] = tokens.half().cpu().numpy()
            if logits is not None:
                self.logits[part] = logits.half().cpu().numpy()
            done = part.stop
            if done % 2000 < 100 or done == len(self.owner):
                self.tokens.flush(), self.logits.flush()
                marker.write_text(str(done))
                data.log(f"teacher: {done} of {len(self.owner)} views, {(done - first) / (time.time() - began):.0f} a second")

    def look_up(self, picture_index, generator):
        """(boxes, logits or None, tokens) of a random view of each picture."""
        own = picture_index < self.num_own
        view = torch.randint(self.views, picture_index.shape, generator=generator)
        row = torch.where(own, picture_index * self.views + view,
                          picture_index + self.num_own * (self.views - 1))
        rows = row.numpy()
        logits = torch.from_numpy(self.logits[rows]).float() if self.has_logits else None
        return self.boxes[row], logits, torch.from_numpy(self.tokens[rows]).float()
