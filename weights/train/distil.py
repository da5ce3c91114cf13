#!/usr/bin/env python3
"""Teaches a small ViT what a larger one answers, and what it thinks on the way, from unlabelled photos.

    distil.py settings.toml --teacher FOLDER --photos FOLDER [--start FOLDER] --out FOLDER

Stop it at will; the same command goes on from its checkpoint. See README.md.
"""

import argparse
import math
import random
import signal
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import photos as ph
import timm_folder
from model import VisionTransformer
from optimiser import Average, optimisers
from vocabulary import Vocabulary

# One token of the teacher's middle blocks may carry a value of 600 in one channel where others have 10:
# a squared error would see nothing else.
CLAMP = 12.0
CLASS_WEIGHT = 10.0  # of the class token among the tokens
THOUSAND = "thousand.safetensors"  # in the folder of this file: the training's head for all classes of the teacher


def log(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def divergence(mine, wanted):
    """Mean over the batch of KL(wanted || mine), both log-probabilities [batch, n]."""
    return F.kl_div(mine, wanted, log_target=True, reduction="batchmean")


def taught_blocks(depth, teacher_depth):
    """After which teacher block each student block is taught: 2, 3, 4, 6, 8, 9, 10, 12 for 8 of 12."""
    return [round((k + 1) * teacher_depth / depth) for k in range(depth)]


@torch.no_grad()
def ask(teacher, patches, keep, blocks):
    """What the teacher has to say about patches [batch, n, 768]: a dict of

    states: bfloat16 [batch, 1 + n, dim] for the embedding and each block of `blocks` but the last;
    scales: [dim] for each of them, the weight of an error in each channel;
    features: its class token after the norm [batch, dim]; logits [batch, num_classes].
    """
    states = teacher.states(patches, keep)
    features = teacher.norm(states[-1][:, 0])
    states = [s.clamp(-CLAMP, CLAMP) for s in (states[i] for i in [0] + blocks[:-1])]
    scales = []
    for i, state in enumerate(states):
        # Half of the weight by the mean variance of what the block adds, half by each channel's own.
        added = (state - states[i - 1] if i else state).flatten(0, 1).var(0)
        scales.append(0.5 / added.mean() + 0.5 / (added + 0.05 * added.mean()))
    return dict(states=[s.to(torch.bfloat16) for s in states], scales=scales, features=features,
                logits=teacher.head(features))


class Student(torch.nn.Module):
    """The model to be shipped and, for training only, a head for all classes of the teacher."""

    def __init__(self, vit, num_classes):
        super().__init__()
        self.vit = vit
        self.thousand = torch.nn.Linear(vit.head.in_features, num_classes)

    def losses(self, answer, patches, keep, vocabulary):
        """(errors of the states [depth + 1], loss of the thousand, loss of the names); `answer` as of ask()."""
        states = self.vit.states(patches, keep)
        errors = []
        for mine, wanted, scale in zip(states, answer["states"], answer["scales"]):
            weight = torch.ones(mine.shape[1], 1)
            weight[0] = CLASS_WEIGHT
            errors.append(((mine - wanted.float()).square() * (weight / weight.mean() * scale)).mean())
        features = self.vit.norm(states[-1][:, 0])
        errors.append((features - answer["features"]).square().mean() / answer["features"].var(0).mean())
        wanted = answer["logits"].log_softmax(1)
        names = divergence(self.vit.head(features).log_softmax(1), vocabulary.merge(wanted))
        return torch.stack(errors), divergence(self.thousand(features).log_softmax(1), wanted), names


def new_student(teacher, vocabulary, depth):
    """Fresh weights in the teacher's width, with products in bfloat16."""
    dim = teacher.head.in_features
    vit = VisionTransformer(img_size=ph.SIZE, num_classes=len(vocabulary.names), embed_dim=dim, depth=depth,
                            num_heads=teacher.blocks[0].attn.num_heads, products=torch.bfloat16)
    return Student(vit, teacher.head.out_features)


def start_from(student, folder, vocabulary):
    """Takes over the weights of a folder that answers the names, or all classes of the teacher."""
    old, labels, _ = timm_folder.load(folder)
    weights = old.state_dict()
    if len(old.blocks) != len(student.vit.blocks):
        raise SystemExit(f"{folder}: {len(old.blocks)} blocks, expected {len(student.vit.blocks)} (depth in the settings)")
    if labels == vocabulary.names:
        student.thousand.load_state_dict(timm_folder.read_safetensors(Path(__file__).with_name(THOUSAND)))
    elif len(labels) == student.thousand.out_features:
        student.thousand.load_state_dict(old.head.state_dict())
        weights["head.weight"], weights["head.bias"] = vocabulary.merge_head(old.head)
    else:
        raise SystemExit(f"{folder}: {len(labels)} labels, expected the vocabulary's {len(vocabulary.names)} "
                         f"or the teacher's {student.thousand.out_features}")
    student.vit.load_state_dict(weights)


def split_photos(photos, held_back):
    """(numbers to train on, numbers held back), the same ones always."""
    order = np.random.default_rng(0).permutation(len(photos))
    return order[held_back:], order[:held_back]


@torch.no_grad()
def teacher_on(teacher, photos, numbers):
    """(patches uint8 [n, 196, 768] of the centre crops, the teacher's log-probabilities [n, num_classes])."""
    patches = ph.to_patches([ph.centre_crop(photos[i]) for i in numbers])
    return patches, torch.cat([teacher(ph.normalise(p)) for p in patches.split(50)]).log_softmax(1)


@torch.no_grad()
def held_back_losses(student, average, patches, wanted, vocabulary):
    """(loss of the thousand, of the names, part with the teacher's first name) of the averaged weights."""
    current = {n: p.detach().clone() for n, p in student.named_parameters()}
    student.load_state_dict(average.values)
    features = torch.cat([student.vit.features(ph.normalise(p)) for p in patches.split(50)])
    thousand, names = student.thousand(features).log_softmax(1), student.vit.head(features).log_softmax(1)
    student.load_state_dict(current)
    same = (names.argmax(1) == vocabulary.merge(wanted).argmax(1)).float().mean()
    return divergence(thousand, wanted).item(), divergence(names, vocabulary.merge(wanted)).item(), same.item()


class Clock:
    """Seconds of steps; a step that took ten times its neighbours was a pause of the process and is not charged."""

    def __init__(self, seconds=0.0):
        self.seconds, self.recent = seconds, []

    def account(self, seconds):
        self.recent = (self.recent + [seconds])[-20:]
        self.seconds += min(seconds, 10 * sorted(self.recent)[len(self.recent) // 2])


class Batches:
    """Batches with the teacher's answers; each comes back `reuse` times, some sixty batches later."""

    def __init__(self, crops, num_patches, teacher, blocks, reuse, waiting):
        self.crops, self.num_patches, self.teacher, self.blocks = crops, num_patches, teacher, blocks
        self.reuse, self.most_waiting, self.waiting, self.turn = reuse, waiting, [], 0

    def next(self):
        """(patches float [batch, n, 768], their places [batch, n] or None for all, the teacher's answer)."""
        self.turn += 1
        if len(self.waiting) >= self.most_waiting and self.turn % (1 + self.reuse):
            patches, keep, answer, times = self.waiting.pop(random.randrange(len(self.waiting)))
            if times > 1:
                self.waiting.append((patches, keep, answer, times - 1))
            return ph.normalise(patches), keep, answer
        patches, keep = next(self.crops), None
        if self.num_patches < patches.shape[1]:
            keep = torch.rand(patches.shape[:2]).argsort(1)[:, :self.num_patches]
            patches = patches.gather(1, keep[:, :, None].expand(-1, -1, patches.shape[2]))
        answer = ask(self.teacher, ph.normalise(patches), keep, self.blocks)
        if self.reuse:
            self.waiting.append((patches, keep, answer, self.reuse))
        return ph.normalise(patches), keep, answer


class Run:
    """A training with all that a checkpoint holds: student, average, optimisers, counts and time used."""

    def __init__(self, settings, student, vocabulary, path):
        self.settings, self.student, self.vocabulary, self.path = settings, student, vocabulary, path
        self.average = Average(student, settings["average"])
        self.optimisers = optimisers(student, settings["lr"], settings["weight_decay"])
        self.step, self.seen, self.clock = 0, 0, Clock()

    def progress(self):
        return self.clock.seconds / 60 / self.settings["minutes"]

    def learn(self, patches, keep, answer, weights):
        """One step on one batch; returns the losses [depth + 3]: states, thousand, names."""
        progress, lr = self.progress(), self.settings["lr"]
        errors, thousand, names = self.student.losses(answer, patches, keep, self.vocabulary)
        loss = weights["states"] * errors.sum() + weights["thousand"] * thousand + weights["names"] * names
        if not math.isfinite(loss.item()):
            raise SystemExit(f"step {self.step}: the loss is {loss.item()}; a lower lr may help")
        self.student.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.optimisers[1].param_groups[0]["params"], 5.0)
        for optimiser in self.optimisers:
            optimiser.param_groups[0]["lr"] = lr * min(progress / self.settings["warmup"] + 0.02, 1 - progress, 1)
            optimiser.step()
        self.average.update(self.student, self.step)
        self.step, self.seen = self.step + 1, self.seen + len(patches)
        return torch.cat([errors.detach(), thousand.detach()[None], names.detach()[None]])

    def save(self):
        torch.save(dict(student=self.student.state_dict(), average=self.average.values,
                        optims=[o.state_dict() for o in self.optimisers], step=self.step, seen=self.seen,
                        seconds=self.clock.seconds, names=self.vocabulary.names), f"{self.path}.new")
        Path(f"{self.path}.new").replace(self.path)  # never half a file, whenever it is stopped

    def restore(self):
        saved = torch.load(self.path)
        if saved["names"] != self.vocabulary.names:
            raise SystemExit(f"{self.path}: begun with another vocabulary.txt; give --start and another --out")
        self.student.load_state_dict(saved["student"])
        self.average.values = {k: v.clone() for k, v in saved["average"].items()}
        for optimiser, state in zip(self.optimisers, saved["optims"]):
            optimiser.load_state_dict(state)
        self.step, self.seen, self.clock = saved["step"], saved["seen"], Clock(saved["seconds"])
        log(f"going on at step {self.step}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("settings")
    parser.add_argument("--teacher", required=True, help="timm folder of a plain ViT for 224 x 224")
    parser.add_argument("--photos", required=True, help="folder with NAME*.webps and NAME*.index.npz")
    parser.add_argument("--start", help="timm folder to go on from; its values are the student's first ones")
    parser.add_argument("--out", required=True, help="folder for checkpoint.pt")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main():
    args = parse()
    settings = tomllib.loads(Path(args.settings).read_text())
    torch.set_num_threads(args.threads)
    torch.manual_seed(settings["seed"])
    random.seed(settings["seed"])
    vocabulary = Vocabulary.load()
    teacher = timm_folder.load(args.teacher, torch.bfloat16)[0].requires_grad_(False)
    blocks = taught_blocks(settings["depth"], len(teacher.blocks))
    student = new_student(teacher, vocabulary, settings["depth"])
    if args.start:
        start_from(student, args.start, vocabulary)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    run = Run(settings, student, vocabulary, Path(args.out) / "checkpoint.pt")
    if run.path.exists():
        run.restore()
    rng = np.random.default_rng([settings["seed"], run.step])  # crops do not repeat after a stop

    pictures = {name: ph.Photos(args.photos, name) for name in settings["min_area"]}
    numbers = {name: np.arange(len(p)) for name, p in pictures.items()}
    main_source = next(iter(pictures))
    numbers[main_source], back = split_photos(pictures[main_source], settings["held_back"])
    back = teacher_on(teacher, pictures[main_source], back)
    log(", ".join(f"{len(n)} of {name}" for name, n in numbers.items()) + f"; taught after teacher blocks {blocks}")

    def report():
        log("held back: thousand {:.3f}, names {:.3f}, same first name {:.3f}".format(
            *held_back_losses(student, run.average, *back, vocabulary)))

    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    phase, sums, count, saved, reported = None, 0, 0, time.time(), time.time()
    while not stopped and run.progress() < 1:
        began = time.time()
        name, now = next((n, p) for n, p in settings["phase"].items() if run.progress() < p["until"])
        if name != phase:
            phase = name
            log(f"phase {name}")
            sources = [(pictures[n], numbers[n], part, settings["min_area"][n]) for n, part in now["sources"].items()]
            batches = Batches(ph.feed(sources, now["batch_size"], rng), now["patches"], teacher, blocks,
                              settings["reuse"], settings["waiting"])
        sums, count = sums + run.learn(*batches.next(), now), count + 1
        run.clock.account(time.time() - began)
        if run.step % 100 == 0:
            mean = (sums / count).tolist()
            log(f"step {run.step}, {100 * run.progress():.1f} %, {run.seen} crops, {run.seen / run.clock.seconds:.1f}/s; "
                f"states {' '.join(f'{e:.3f}' for e in mean[:-2])}; thousand {mean[-2]:.3f}, names {mean[-1]:.3f}")
            sums, count = 0, 0
        if time.time() - saved > 90:
            run.save()
            saved = time.time()
        if time.time() - reported > 240:
            report()
            reported = time.time()
    run.save()
    report()
    log("stopped" if stopped else "done")


if __name__ == "__main__":
    main()
