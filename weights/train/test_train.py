"""The recipe in small: an image folder is read, training is resumed, what is shipped is what was trained.

    python3 -m unittest test_train        (in this folder)
"""

import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

try:
    import numpy as np
    import torch
    from PIL import Image

    import data
    import model as vit
except ImportError as error:
    raise unittest.SkipTest(f"{error}: the recipe's tests need torch, numpy and Pillow") from error

SETTINGS = """
tag = "small"
architecture = "deit_tiny_distilled_patch8_64"
dtype = "F16"
seed = 1
teacher_img_size = 32
views = VIEWS
extra_pictures = EXTRA
[model]
img_size = 16
patch_size = 8
embed_dim = 12
depth = 2
num_heads = 3
distilled = true
[train]
epochs = EPOCHS
minutes = 5
batch_size = 8
lr = 1e-2
weight_decay = 0.05
beta2 = 0.98
warmup = 0.05
mimetic_init = true
min_area = 0.5
nudge = 0.02
colour = 0.1
cutmix = 0.5
cutmix_until = 0.5
smoothing = 0.05
temperature = 1.0
token_weight = 1.0
extra_share = 0.5
extra_until = 0.5
keep = 0.5
keep_until = 0.5
ema = 0.9
report_every = 0.5
"""
COLOURS = {"blue": (20, 40, 220), "green": (30, 200, 40), "red": (220, 30, 20)}


def write_image_folder(folder):
    random = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 4)):
        for name, colour in COLOURS.items():
            place = folder / split / name
            place.mkdir(parents=True)
            for i in range(count):
                pixels = np.clip(np.array(colour) + random.integers(-20, 20, (24, 40, 3)), 0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(place / f"{i}.png")


def write_teacher(folder):
    """An untrained plain ViT that has names for the three classes and one more."""
    folder.mkdir()
    torch.manual_seed(0)
    args = dict(img_size=32, patch_size=16, embed_dim=64, depth=1, num_heads=1)
    teacher = vit.VisionTransformer(num_classes=4, **args)
    vit.write_safetensors(folder / "model.safetensors", teacher.state_dict(), "F32")
    cfg = {"input_size": [3, 32, 32], "mean": [0.5] * 3, "std": [0.5] * 3}
    (folder / "config.json").write_text(json.dumps({"pretrained_cfg": cfg, "num_classes": 4}))
    (folder / "labels.json").write_text(json.dumps(["red", "other", "green", "blue"]))


class TrainTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = Path(self.scratch.name)
        write_image_folder(self.folder / "pictures")
        write_teacher(self.folder / "teacher")

    def train(self, name, *extra, views=2, epochs=40, extras=0, classes=""):
        settings = SETTINGS.replace("VIEWS", str(views)).replace("EPOCHS", str(epochs))
        (self.folder / "s.toml").write_text(settings.replace("EXTRA", str(extras)) + classes)
        command = [sys.executable, HERE / "train.py", self.folder / "s.toml", "--data", self.folder / "pictures",
                   "--out", self.folder / name, "--cache", self.folder / "cache", "--device", "cpu",
                   "--checkpoint", self.folder / f"{name}.checkpoint", *extra]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_learns_colours_and_ships_what_it_learned(self):
        self.train("out", "--teacher", self.folder / "teacher")
        model, config = vit.load_folder(self.folder / "out")
        self.assertEqual(config["model_args"]["depth"], 2)
        labels = json.loads((self.folder / "out" / "labels.json").read_text())
        self.assertEqual(labels, sorted(COLOURS))
        with torch.no_grad():
            for i, colour in enumerate(COLOURS[label] for label in labels):
                flat = (torch.tensor(colour) / 127.5 - 1).view(1, 3, 1, 1).expand(1, 3, 16, 16)
                self.assertEqual(model(flat).argmax().item(), i)

    def test_a_training_cut_in_two_goes_on_where_it_was(self):
        teacher = ("--teacher", self.folder / "teacher")
        self.train("whole", *teacher, epochs=4)
        self.assertIn("stopped", self.train("parts", *teacher, "--max-minutes", "0.000001", epochs=4))
        self.assertIn("going on at step 1", self.train("parts", *teacher, epochs=4))
        whole, parts = ((self.folder / n / "model.safetensors").read_bytes() for n in ("whole", "parts"))
        self.assertEqual(whole, parts)

    def test_chosen_classes_with_unlabelled_extras_and_a_new_label(self):
        self.train("out", "--teacher", self.folder / "teacher", epochs=2, extras=6,
                   classes='[classes]\n"red" = "scarlet"\n"blue" = "blue"\n')
        labels = json.loads((self.folder / "out" / "labels.json").read_text())
        self.assertEqual(labels, ["scarlet", "blue"])

    def test_fresh_views_and_no_teacher(self):
        self.train("fresh", "--teacher", self.folder / "teacher", views=0, epochs=2)
        self.train("alone", views=0, epochs=2)


class PiecesTest(unittest.TestCase):
    def test_distilled_output_is_the_mean_of_both_heads(self):
        model = vit.VisionTransformer(16, 8, 3, 5, 12, 2, 3, distilled=True).eval()
        x = torch.randn(2, 3, 16, 16)
        tokens = model.forward_features(x)
        self.assertEqual(tokens.shape, (2, 6, 12))
        expected = (model.head(tokens[:, 0]) + model.head_dist(tokens[:, 1])) / 2
        self.assertTrue(torch.allclose(model(x), expected))

    def test_patch_embedding_equals_the_convolution(self):
        embed = vit.PatchEmbed(8, 3, 12)
        x = torch.randn(2, 3, 16, 24)
        self.assertTrue(torch.allclose(embed(x), embed.proj(x).flatten(2).transpose(1, 2), atol=1e-5))

    def test_whole_box_leaves_the_picture_as_it_is(self):
        pictures = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
        whole = data.crop(pictures, torch.tensor([[0.5, 0.5, 1.0, 1.0]] * 2), 16)
        self.assertTrue(torch.allclose(whole, pictures / 127.5 - 1, atol=1e-4))

    def test_a_pause_is_not_charged(self):
        import train
        run = copy.copy(train.Run.__new__(train.Run))
        run.recent, run.seconds = [1.0] * 10, 0.0
        run.account(1000.0)
        self.assertEqual(run.seconds, 3.0)


if __name__ == "__main__":
    unittest.main()
