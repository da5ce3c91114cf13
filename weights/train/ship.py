#!/usr/bin/env python3
"""Makes a training's checkpoint into a timm folder: averaged weights, calibrated, in 16 bits.

    ship.py settings.toml --teacher FOLDER --photos FOLDER --checkpoint FILE --out ../default

The temperature is fitted on the photos held back, against the teacher's names, and folded into the head.
"""

import argparse
import tomllib
from pathlib import Path

import torch

import distil
import photos as ph
import timm_folder
from vocabulary import Vocabulary

# `vitrine_threshold` in config.json: under this score a page says "not sure". A calibrated score is right as often as it
# says, so that names under it would be wrong four times in five.
THRESHOLD = 0.2


def fit_temperature(logits, wanted):
    """The T for which softmax(logits / T) is nearest to the log-probabilities `wanted`; both [n, num_names]."""
    tried = [0.5 + 0.01 * i for i in range(151)]
    return min(tried, key=lambda t: distil.divergence((logits / t).log_softmax(1), wanted).item())


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("settings")
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--calibrate", help="other photos than those held back: NAME*.webps that the student never saw")
    parser.add_argument("--thousand", default=Path(__file__).with_name(distil.THOUSAND),
                        help="where the head for all classes of the teacher goes, to go on from")
    args = parser.parse_args()
    settings = tomllib.loads(Path(args.settings).read_text())
    torch.set_num_threads(2)
    vocabulary = Vocabulary.load()
    teacher = timm_folder.load(args.teacher, torch.bfloat16)[0]
    student = distil.new_student(teacher, vocabulary, settings["depth"])
    checkpoint = torch.load(args.checkpoint)
    if checkpoint["names"] != vocabulary.names:
        raise SystemExit(f"{args.checkpoint}: trained with another vocabulary.txt; go on with distil.py first")
    student.load_state_dict(checkpoint["average"])
    student.vit.products = torch.float32
    photos = ph.Photos(args.photos, args.calibrate or next(iter(settings["min_area"])))
    patches, answers = distil.teacher_on(teacher, photos, distil.split_photos(photos, settings["held_back"])[1])
    logits = torch.cat([student.vit(ph.normalise(p)) for p in patches.split(50)])
    wanted = vocabulary.merge(answers)
    temperature = fit_temperature(logits, wanted)
    student.vit.head.weight /= temperature
    student.vit.head.bias /= temperature
    scores, first = (logits / temperature).softmax(1).max(1)
    right = first == wanted.argmax(1)
    print(f"step {checkpoint['step']}: temperature {temperature:.2f}; {(scores < THRESHOLD).float().mean():.0%} of these "
          f"photos under the threshold; same first name as the teacher {right.float().mean():.1%}")
    timm_folder.write(args.out, student.vit, vocabulary.names,
                      {"tag": f"vitrine-{len(vocabulary.names)}", "vitrine_threshold": THRESHOLD})
    timm_folder.write_safetensors(args.thousand, student.thousand.state_dict())


if __name__ == "__main__":
    main()
