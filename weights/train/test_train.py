"""The recipe in small: a student is taught, stopped, resumed, shipped and given labels of one's own.

    python3 -m unittest test_train        (in this folder)
"""

import io
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

    import distil
    import finetune
    import model as vit
    import optimiser
    import photos as ph
    import ship
    import timm_folder
    import vocabulary
except ImportError as error:
    raise unittest.SkipTest(f"{error}: the recipe's tests need torch, numpy and Pillow") from error

SETTINGS = """
seed = 1
depth = 2
held_back = 4
minutes = MINUTES
lr = 2e-3
warmup = 0.02
weight_decay = 0.02
average = 0.9
min_area = { "photos-" = 0.5 }
reuse = 1
waiting = 2
[phase.half]
until = 0.5
sources = { "photos-" = 1.0 }
batch_size = 4
patches = 98
states = 1.0
thousand = 1.0
names = 1.0
[phase.whole]
until = 1.0
sources = { "photos-" = 1.0 }
batch_size = 4
patches = 196
states = 0.2
thousand = 1.0
names = 2.0
"""
COLOURS = {"blue": (20, 40, 220), "green": (30, 200, 40), "red": (220, 30, 20)}


def patch_of(colour, random):
    pixels = np.clip(np.array(colour) + random.integers(-20, 20, (48, 64, 3)), 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def write_photos(folder):
    """Twelve packed photos with labels."""
    folder.mkdir()
    random = np.random.default_rng(0)
    offsets, data = [0], b""
    for i in range(12):
        stream = io.BytesIO()
        patch_of(list(COLOURS.values())[i % 3], random).save(stream, "WEBP", lossless=True)
        data += stream.getvalue()
        offsets.append(len(data))
    (folder / "photos-1.webps").write_bytes(data)
    np.savez(folder / "photos-1.index.npz", offsets=offsets, labels=np.arange(12) % 3)


def write_teacher(folder):
    """An untrained ViT of a thousand classes and three blocks."""
    torch.manual_seed(0)
    teacher = vit.VisionTransformer(num_classes=1000, embed_dim=64, depth=3, num_heads=1)
    timm_folder.write(folder, teacher, [f"class {i}" for i in range(1000)], {})


class VocabularyTest(unittest.TestCase):
    def setUp(self):
        self.classes_of_name = vocabulary.read(HERE / "vocabulary.txt")

    def test_each_class_has_exactly_one_name(self):
        classes = sorted(c for classes in self.classes_of_name.values() for c in classes)
        self.assertEqual(classes, list(range(1000)))

    def test_there_are_150_to_350_names_and_none_holds_more_than_the_dogs(self):
        sizes = {name: len(classes) for name, classes in self.classes_of_name.items()}
        self.assertTrue(150 <= len(sizes) <= 350)
        self.assertEqual(max(sizes, key=sizes.get), "dog")
        self.assertEqual(sizes["dog"], 118)
        # The next largest is a family too (snakes): nothing is a heap of leftovers.
        self.assertLessEqual(sorted(sizes.values())[-2], 20)

    def test_no_name_is_a_catch_all(self):
        for name in self.classes_of_name:
            self.assertNotRegex(name, r"\b(other|thing|object|animal|misc|stuff|else)s?\b")

    def test_probabilities_of_a_names_classes_are_summed(self):
        small = vocabulary.Vocabulary({"a": [0, 2], "b": [1]})
        merged = small.merge(torch.tensor([[0.2, 0.5, 0.3]]).log()).exp()
        self.assertTrue(torch.allclose(merged, torch.tensor([[0.5, 0.5]])))

    def test_a_class_with_two_names_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "exactly one name"):
            vocabulary.Vocabulary({"a": [0, 1], "b": [1]})


class PiecesTest(unittest.TestCase):
    def test_own_attention_equals_torchs_and_so_does_its_derivative(self):
        torch.manual_seed(0)
        q, k, v = (torch.randn(3, 5, 4, dtype=torch.float64, requires_grad=True) for _ in range(3))
        expected = (q @ k.transpose(1, 2)).softmax(-1) @ v
        self.assertTrue(torch.allclose(vit.Attend.apply(q, k, v), expected))
        self.assertTrue(torch.autograd.gradcheck(vit.Attend.apply, (q, k, v)))

    def test_the_class_token_alone_equals_the_last_block_in_full(self):
        model = vit.VisionTransformer(num_classes=3, embed_dim=64, depth=2, num_heads=2)
        states = model.states(torch.randn(2, 196, 768))
        full = model.blocks[-1](states[-2])
        self.assertEqual(states[-1].shape, (2, 1, 64))
        self.assertTrue(torch.allclose(states[-1], full[:, :1], atol=1e-5))

    def test_patches_are_those_of_timms_convolution(self):
        pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
        embed = vit.PatchEmbed(16, 3, 8)
        picture = ph.normalise(torch.from_numpy(pixels).permute(2, 0, 1)[None])
        expected = embed.proj(picture).flatten(2).transpose(1, 2)
        self.assertTrue(torch.allclose(embed(ph.normalise(ph.to_patches([pixels]))), expected, atol=1e-5))

    def test_all_patches_in_another_order_give_the_same_class_token(self):
        model = vit.VisionTransformer(num_classes=3, embed_dim=64, depth=2, num_heads=1)
        patches, keep = torch.randn(1, 196, 768), torch.randperm(196)[None]
        shuffled = model.states(patches[:, keep[0]], keep)[-1]
        self.assertTrue(torch.allclose(shuffled, model.states(patches)[-1], atol=1e-5))

    def test_orthogonalised_matrices_have_about_equal_singular_values(self):
        values = torch.linalg.svdvals(optimiser.orthogonalise(torch.randn(40, 16)))
        self.assertTrue(0.5 < values.min() and values.max() < 1.5)

    def test_temperature_is_found(self):
        torch.manual_seed(0)
        logits = torch.randn(50, 10)
        self.assertAlmostEqual(ship.fit_temperature(logits * 1.3, logits.log_softmax(1)), 1.3, places=2)

    def test_a_pause_is_not_charged(self):
        clock = distil.Clock()
        for seconds in [1.0] * 10 + [1000.0]:
            clock.account(seconds)
        self.assertEqual(clock.seconds, 20.0)


class RecipeTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        write_photos(self.folder / "data")
        write_teacher(self.folder / "teacher")

    def run_script(self, script, *args, code=0):
        done = subprocess.run([sys.executable, HERE / script, *map(str, args)], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def distil(self, minutes, *extra, code=0):
        (self.folder / "s.toml").write_text(SETTINGS.replace("MINUTES", str(minutes)))
        return self.run_script("distil.py", self.folder / "s.toml", "--teacher", self.folder / "teacher", "--photos",
                               self.folder / "data", "--out", self.folder / "run", *extra, code=code)

    def test_a_student_is_taught_resumed_and_shipped(self):
        first = self.distil(0.03)
        self.assertIn("phase half", first)
        self.assertIn("done", first)
        second = self.distil(0.05)
        self.assertRegex(second, "going on at step [1-9]")
        said = self.run_script("ship.py", self.folder / "s.toml", "--teacher", self.folder / "teacher", "--photos",
                               self.folder / "data", "--checkpoint", self.folder / "run/checkpoint.pt",
                               "--out", self.folder / "shipped", "--thousand", self.folder / "thousand.safetensors")
        self.assertIn("temperature", said)
        model, labels, config = timm_folder.load(self.folder / "shipped")
        self.assertEqual(labels, vocabulary.Vocabulary.load().names)
        self.assertIn("vitrine_threshold", config["pretrained_cfg"])
        saved = torch.load(self.folder / "run/checkpoint.pt")["average"]["vit.blocks.0.mlp.fc1.weight"]
        self.assertTrue(torch.equal(model.blocks[0].mlp.fc1.weight, saved.half().float()))

    def test_a_start_with_the_teachers_classes_or_nonsense(self):
        self.assertIn("3 blocks, expected 2", self.distil(0.01, "--start", self.folder / "teacher", code=1))
        old = vit.VisionTransformer(num_classes=1000, embed_dim=64, depth=2, num_heads=1)
        timm_folder.write(self.folder / "old", old, [f"class {i}" for i in range(1000)], {})
        self.assertIn("done", self.distil(0.01, "--start", self.folder / "old"))
        timm_folder.write(self.folder / "few", vit.VisionTransformer(num_classes=3, embed_dim=64, depth=2), list("abc"), {})
        self.assertIn("3 labels, expected", self.distil(0.01, "--start", self.folder / "few", code=1))

    def test_labels_of_ones_own_are_learned(self):
        base = vit.VisionTransformer(num_classes=4, embed_dim=64, depth=2, num_heads=1)
        timm_folder.write(self.folder / "base", base, list("abcd"), {})
        random = np.random.default_rng(1)
        for name, colour in COLOURS.items():
            (self.folder / "mine" / name).mkdir(parents=True)
            for i in range(10):
                patch_of(colour, random).save(self.folder / "mine" / name / f"{i}.png")
        said = self.run_script("finetune.py", self.folder / "mine", "--from", self.folder / "base",
                               "--out", self.folder / "own", "--blocks", 1)
        self.assertIn("a new head", said)
        model, labels, _ = timm_folder.load(self.folder / "own")
        self.assertEqual(labels, sorted(COLOURS))
        patches = ph.to_patches([np.full((224, 224, 3), COLOURS[name], np.uint8) for name in labels])
        with torch.no_grad():
            self.assertEqual(model(ph.normalise(patches)).argmax(1).tolist(), [0, 1, 2])

    def test_too_few_pictures_of_a_label_are_refused(self):
        (self.folder / "mine" / "cup").mkdir(parents=True)
        with self.assertRaisesRegex(SystemExit, "0 pictures, expected at least 5"):
            finetune.read_pictures(self.folder / "mine")


    def test_a_head_of_names_is_fitted_to_the_thousand_classes(self):
        old = vit.VisionTransformer(num_classes=1000, embed_dim=64, depth=2, num_heads=1)
        torch.nn.init.normal_(old.head.weight, std=0.5)
        timm_folder.write(self.folder / "old", old, [f"class {i}" for i in range(1000)], {})
        (self.folder / "s.toml").write_text(SETTINGS.replace("MINUTES", "1"))
        self.run_script("names_head.py", self.folder / "s.toml", self.folder / "old", "--photos", self.folder / "data",
                        "--out", self.folder / "c.pt", "--crops", 50)
        values = torch.load(self.folder / "c.pt")["average"]
        names = vocabulary.Vocabulary.load()
        features = old.half().float().features(ph.normalise(ph.to_patches([ph.centre_crop(ph.Photos(self.folder / "data", "photos-")[0])])))
        wanted = names.merge((features @ values["thousand.weight"].T + values["thousand.bias"]).log_softmax(1))
        mine = features @ values["vit.head.weight"].T + values["vit.head.bias"]
        self.assertEqual(mine.argmax().item(), wanted.argmax().item())


class ShippedTest(unittest.TestCase):
    def test_the_shipped_folder_answers_the_vocabulary_in_8_5_megabytes(self):
        folder = HERE.parent / "default"
        self.assertLessEqual((folder / "model.safetensors").stat().st_size, 8_500_000)
        labels = json.loads((folder / "labels.json").read_text())
        self.assertEqual(labels, vocabulary.Vocabulary.load().names)
        config = json.loads((folder / "config.json").read_text())
        self.assertEqual(config["num_classes"], len(labels))
        self.assertTrue(0 < config["pretrained_cfg"]["vitrine_threshold"] < 1)


if __name__ == "__main__":
    unittest.main()
