"""Everyday names for the teacher's thousand classes: see vocabulary.txt."""

from pathlib import Path

import torch


def read(path):
    """{name: [class numbers]} of a file with lines "name: NUMBER anything; NUMBER anything"; # begins a comment."""
    classes_of_name = {}
    for line in Path(path).read_text().splitlines():
        if line and not line.startswith("#"):
            name, classes = line.split(": ", 1)
            if name in classes_of_name:
                raise SystemExit(f"{path}: {name!r} has two lines")
            classes_of_name[name] = [int(part.split()[0]) for part in classes.split(";")]
    return classes_of_name


class Vocabulary:
    """`names` [num_names]; `belongs` int64 [num_classes], the number of each class's name."""

    def __init__(self, classes_of_name):
        self.names = list(classes_of_name)
        owner = {c: i for i, classes in enumerate(classes_of_name.values()) for c in classes}
        if sorted(owner) != list(range(sum(map(len, classes_of_name.values())))):
            raise SystemExit("vocabulary: each class from 0 on must be in exactly one name")
        self.belongs = torch.tensor([owner[c] for c in range(len(owner))])

    @staticmethod
    def load(path=Path(__file__).with_name("vocabulary.txt")):
        return Vocabulary(read(path))

    def merge(self, log_probabilities):
        """[batch, num_classes] -> [batch, num_names]: the probabilities of a name's classes, summed; both as logarithms."""
        merged = torch.zeros(len(log_probabilities), len(self.names))
        merged.index_add_(1, self.belongs, log_probabilities.exp())
        return merged.clamp_min(1e-12).log()

    def merge_head(self, head):
        """(weight [num_names, dim], bias [num_names]) that answer the names about as a head of all classes does."""
        count = torch.bincount(self.belongs, minlength=len(self.names)).float()
        weight = torch.zeros(len(self.names), head.in_features).index_add_(0, self.belongs, head.weight.detach())
        bias = torch.zeros(len(self.names)).index_add_(0, self.belongs, head.bias.detach())
        return weight / count[:, None], bias / count + count.log() / 2
