#!/usr/bin/env python3
"""Trains a small distilled Vision Transformer and writes it as a timm folder.

    train.py settings/cpu-20.toml --data FOLDER --teacher FOLDER --out FOLDER

The student has two heads. The class head learns the labels; the distillation head learns what a
teacher (any plain timm ViT) says, and the student's tokens are drawn to the teacher's tokens, which
teaches far more per picture than a label does. Interrupt it at will: the same command goes on where
it was. See README.md.
"""

import argparse
import copy
import json
import math
import statistics
import time
import tomllib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import data
import model as vit
from teacher import TaughtViews, Teacher


class Pictures:
    """The training pictures: those of the wanted classes (label >= 0), then unlabelled extras (-1)."""

    def __init__(self, settings, folder, cache, seed):
        pictures, labels, names = data.load_pictures(folder, "train", settings["img_size"], cache)
        wanted = settings.get("classes") or {name: name for name in names}
        missing = [name for name in wanted if name not in names]
        if missing:
            raise SystemExit(f"settings: no class named {missing[0]!r} in {folder}")
        self.class_names, self.labels_shown = list(wanted), list(wanted.values())
        new_label = torch.full((len(names),), -1)
        for i, name in enumerate(self.class_names):
            new_label[names.index(name)] = i
        mapped = new_label[labels]
        own = (mapped >= 0).nonzero().flatten()
        others = (mapped < 0).nonzero().flatten()
        order = torch.randperm(len(others), generator=torch.Generator().manual_seed(seed))
        others = others[order[:settings.get("extra_pictures", 0)]]
        chosen = torch.cat([own, others])
        self.pictures, self.labels = pictures[chosen], mapped[chosen]
        self.num_own, self.num_extra = len(own), len(others)
        pictures, labels, _ = data.load_pictures(folder, "val", settings["img_size"], cache)
        mapped = new_label[labels]
        self.val_pictures, self.val_labels = pictures[mapped >= 0], mapped[mapped >= 0]


class Run:
    """The state of one training: everything that a checkpoint holds."""

    def __init__(self, settings, pictures, teacher, taught, device, seed):
        self.settings, self.pictures, self.teacher, self.taught = settings, pictures, teacher, taught
        self.device = device
        torch.manual_seed(seed)
        s = settings["model"]
        self.student = vit.VisionTransformer(num_classes=len(pictures.class_names), **s)
        if settings["train"]["mimetic_init"]:
            vit.init_mimetic(self.student)
        self.student.to(device)
        self.ema = copy.deepcopy(self.student).eval().requires_grad_(False)
        # Turns the student's tokens into the teacher's; needed in training only.
        self.translate = nn.Linear(s["embed_dim"], teacher.dim if teacher else 1).to(device)
        decay, plain = [], []
        for name, p in [*self.student.named_parameters(), *self.translate.named_parameters()]:
            (plain if p.ndim < 2 or "token" in name or "pos_embed" in name else decay).append(p)
        t = settings["train"]
        self.optimizer = torch.optim.AdamW(
            [{"params": decay, "weight_decay": t["weight_decay"]}, {"params": plain, "weight_decay": 0.0}],
            lr=t["lr"], betas=(0.9, t["beta2"]))
        self.generator = torch.Generator().manual_seed(seed)
        self.own = data.Shuffle(pictures.num_own, self.generator)
        self.extra = data.Shuffle(pictures.num_extra, self.generator)
        self.step, self.seconds, self.recent = 0, 0.0, []
        self.on_device = pictures.pictures.to(device)  # bytes: 200 classes are 1.2 GB
        self.labels = pictures.labels.to(device)

    _MODULES = ("student", "ema", "translate", "optimizer")

    def save(self, path):
        state = {name: getattr(self, name).state_dict() for name in self._MODULES}
        state.update(step=self.step, seconds=self.seconds, own=self.own.order, extra=self.extra.order,
                     generator=self.generator.get_state(), torch=torch.get_rng_state())
        data.save_atomically(state, path)

    def load(self, path):
        state = torch.load(path, map_location="cpu")
        for name in self._MODULES:
            getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]
        self.own.order, self.extra.order = state["own"], state["extra"]
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch"])

    def progress(self):
        """0 to 1: how much of the epochs, or of the minutes where those end first, is used up."""
        t = self.settings["train"]
        total = t["epochs"] * self.pictures.num_own / t["batch_size"]
        return min(1.0, max(self.step / total, self.seconds / 60 / t["minutes"]))

    def account(self, seconds):
        """Adds a step's time. A step far above the usual was a pause of the process: it is not charged."""
        self.recent = [*self.recent[-50:], seconds]
        self.seconds += min(seconds, 3 * statistics.median(self.recent))

    def batch(self, progress):
        """One augmented batch: views, soft labels, teacher's probabilities and tokens, kept patches."""
        t, device = self.settings["train"], self.device
        size, grid = self.student.grid_size * self.student.patch_embed.patch_size, self.student.grid_size
        n = t["batch_size"]
        share = t["extra_share"] * max(0.0, 1 - progress / t["extra_until"]) if self.extra.count else 0.0
        n_extra = int(n * share)
        index = torch.cat([self.own.take(n - n_extra), self.pictures.num_own + self.extra.take(n_extra)])
        index = index[torch.randperm(n, generator=self.generator)]
        pictures = self.on_device[index.to(device)]
        logits = tokens = None
        if self.taught:
            boxes, logits, tokens = self.taught.look_up(index, self.generator)
            # Nudged a little, by less than half a patch: the teacher would say much the same.
            boxes = boxes + t["nudge"] * (torch.rand(n, 4, generator=self.generator) * 2 - 1)
        else:
            boxes = data.random_boxes(n, t["min_area"], self.generator)
            if self.teacher:
                logits, tokens = self.teacher(pictures, boxes)
        views = data.jitter_colour(data.crop(pictures, boxes, size), t["colour"])
        labels = self.labels[index.to(device)]
        num_classes = len(self.pictures.class_names)
        own = (labels >= 0).float()[:, None]
        target = F.one_hot(labels.clamp(min=0), num_classes).float()
        target = (target * (1 - t["smoothing"]) + t["smoothing"] / num_classes) * own
        taught = target if logits is None else (logits.to(device) / t["temperature"]).softmax(1) * own
        tokens = None if tokens is None else tokens.to(device)

        flip = torch.rand(n, device=device) < 0.5
        views = torch.where(flip[:, None, None, None], views.flip(3), views)
        if tokens is not None:
            patches = tokens[:, 1:].unflatten(1, (grid, grid))
            patches = torch.where(flip[:, None, None, None], patches.flip(2), patches)
            tokens = torch.cat([tokens[:, :1], patches.flatten(1, 2)], dim=1)

        whole = torch.ones(n, device=device)
        if torch.rand(()).item() < t["cutmix"] * (progress < t["cutmix_until"]):
            other = torch.randperm(n, device=device)
            mask = data.cutmix_mask(n, grid, device)
            pixels = mask.repeat_interleave(size // grid, 1).repeat_interleave(size // grid, 2)[:, None]
            views = views * (1 - pixels) + views[other] * pixels
            part = mask.mean(dim=(1, 2))[:, None]
            target = target * (1 - part) + target[other] * part
            taught = taught * (1 - part) + taught[other] * part
            whole = (part[:, 0] < 0.05).float()  # the teacher's class token is of an unmixed picture
            if tokens is not None:
                patches = mask.flatten(1)[:, :, None]
                mixed = tokens[:, 1:] * (1 - patches) + tokens[other, 1:] * patches
                tokens = torch.cat([tokens[:, :1], mixed], dim=1)

        share = t["keep"] + (1 - t["keep"]) * min(1.0, max(0.0, progress - t["keep_until"]) * 1000)
        num_kept = int(grid * grid * share)
        keep = None
        if num_kept < grid * grid:
            keep = torch.rand(n, grid * grid, device=device).argsort(1)[:, :num_kept]
            if tokens is not None:
                kept = tokens[:, 1:].gather(1, keep.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))
                tokens = torch.cat([tokens[:, :1], kept], dim=1)
        return views, target, taught, tokens, whole, keep

    def train_step(self):
        t, progress = self.settings["train"], self.progress()
        warm = min(1.0, progress / t["warmup"])
        lr = t["lr"] * warm * max(0.001, 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        views, target, taught, tokens, whole, keep = self.batch(progress)
        self.student.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.student.forward_features(views, keep)
            by_label, by_teacher = self.student.forward_heads(features)
            told = self.translate(features[:, 1:]) if tokens is not None else None
        loss = -(target * by_label.float().log_softmax(1)).sum(1).mean()
        loss = loss - (taught * by_teacher.float().log_softmax(1)).sum(1).mean()
        if tokens is not None:
            apart = F.smooth_l1_loss(told.float(), tokens, reduction="none").mean(2)
            loss = loss + t["token_weight"] * (apart[:, 1:].mean() + (apart[:, 0] * whole).mean())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        decay = min(t["ema"], (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, p in zip(self.ema.parameters(), self.student.parameters()):
                average.lerp_(p, 1 - decay)
        return loss.item()  # waits for the device, so that steps can be timed

    @torch.no_grad()
    def validate(self):
        """(top-1, top-5) of the averaged weights, in percent."""
        labels, ranks = self.pictures.val_labels, []
        for part in self.pictures.val_pictures.split(250):
            with torch.autocast(self.device.type, torch.bfloat16):
                logits = self.ema(part.to(self.device).float() / 127.5 - 1).float().cpu()
            ranks.append(logits.argsort(1, descending=True))
        hit = torch.cat(ranks) == labels[:, None]
        return tuple(100 * hit[:, :k].any(1).float().mean().item() for k in (1, 5))


@torch.no_grad()
def weigh_heads(student, share):
    """Gives the class head `share` of the answer and the distillation head the rest: the model takes the mean of the
    two, so their weights are scaled by 2 share and 2 (1 - share)."""
    for head, scale in ((student.head, 2 * share), (student.head_dist, 2 * (1 - share))):
        for parameter in head.parameters():
            parameter.mul_(scale)


def export(student, settings, labels, out):
    """Writes config.json, model.safetensors (16 bit) and labels.json."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    args = {k: v for k, v in settings["model"].items() if k != "drop_path_rate"}
    args.update(num_classes=len(labels), distilled=True)
    size = args["img_size"]
    config = {
        "architecture": settings["architecture"],
        "num_classes": len(labels),
        "num_features": args["embed_dim"],
        "global_pool": "token",
        "model_args": args,
        "pretrained_cfg": {
            "tag": settings["tag"], "input_size": [3, size, size], "fixed_input_size": True,
            "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "center",
            "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "num_classes": len(labels),
            "first_conv": "patch_embed.proj", "classifier": ["head", "head_dist"],
        },
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "labels.json").write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n")
    vit.write_safetensors(out / "model.safetensors", student.state_dict(), settings["dtype"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("settings", help="a .toml of settings/")
    parser.add_argument("--data", required=True, help="folder of shards, or with train/<class>/ and val/<class>/")
    parser.add_argument("--teacher", help="timm folder of a plain ViT with labels.json (none: labels alone teach)")
    parser.add_argument("--out", required=True, help="where the model's folder is written")
    parser.add_argument("--cache", default=data.cache_folder(), help="decoded pictures and the teacher's answers")
    parser.add_argument("--checkpoint", help="default: <cache>/<tag>.checkpoint; delete it to begin anew")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--max-minutes", type=float, help="stop after this long; the same command goes on")
    parser.add_argument("--minutes", type=float, help="instead of the settings' minutes")
    args = parser.parse_args()
    settings = tomllib.loads(Path(args.settings).read_text())
    t, seed = settings["train"], settings["seed"]
    t["minutes"] = args.minutes or t["minutes"]
    torch.manual_seed(seed)
    device, cache, started = torch.device(args.device), Path(args.cache), time.time()
    checkpoint = Path(args.checkpoint or cache / f"{settings['tag']}.checkpoint")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)

    source = {"img_size": settings["model"]["img_size"], "classes": settings.get("classes"),
              "extra_pictures": settings["extra_pictures"]}
    pictures = Pictures(source, args.data, cache, seed)
    data.log(f"{len(pictures.class_names)} classes, {pictures.num_own} pictures, {pictures.num_extra} unlabelled, "
        f"{len(pictures.val_labels)} to validate; {device}")
    teacher = taught = None
    if args.teacher:
        grid = settings["model"]["img_size"] // settings["model"]["patch_size"]
        teacher = Teacher(args.teacher, settings["teacher_img_size"], pictures.class_names, grid, device)
        if settings["views"]:
            fixed = {"views": settings["views"], "min_area": t["min_area"]}
            taught = TaughtViews(pictures, teacher, fixed, cache, seed)

    run = Run(settings, pictures, teacher, taught, device, seed)
    if checkpoint.exists():
        run.load(checkpoint)
        data.log(f"going on at step {run.step}, {100 * run.progress():.1f} % done")
    next_report, saved, losses = run.progress(), time.time(), []
    while run.progress() < 1.0:
        began = time.time()
        losses = [*losses[-50:], run.train_step()]
        if not math.isfinite(losses[-1]):
            raise SystemExit(f"step {run.step}: the loss is {losses[-1]}; lower train.lr")
        run.account(time.time() - began)
        if run.progress() >= next_report:
            next_report = run.progress() + t["report_every"]
            top1, top5 = run.validate()
            data.log(f"step {run.step}, {100 * run.progress():.1f} %: loss {statistics.mean(losses):.3f}, "
                f"{t['batch_size'] / statistics.median(run.recent):.0f} pictures a second, "
                f"top-1 {top1:.1f} %, top-5 {top5:.1f} %")
        if time.time() - saved > 60:
            run.save(checkpoint)
            saved = time.time()
        if args.max_minutes and time.time() - started > 60 * args.max_minutes:
            run.save(checkpoint)
            data.log(f"stopped at {100 * run.progress():.1f} %; the same command goes on")
            return
    run.save(checkpoint)
    weigh_heads(run.ema, t.get("head_share", 0.5))
    top1, top5 = run.validate()
    export(run.ema, settings, pictures.labels_shown, args.out)
    data.log(f"done: top-1 {top1:.2f} %, top-5 {top5:.2f} % before rounding; {args.out} written")


if __name__ == "__main__":
    main()
