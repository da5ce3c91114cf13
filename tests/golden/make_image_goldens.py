"""Makes tests/golden/image: small pictures, and what Pillow 9.4 makes of them.

    /usr/bin/python3 tests/golden/make_image_goldens.py     # Debian: python3-pil

The pictures lie in files; of each result only sides and the CRC-32 of its samples are written down:

    decode.txt      picture alpha(white|drop) width height crc     of RGB [height, width, 3]
    resize.txt      picture width height filter crc                of the picture's own 1 or 3 channels
    preprocess.txt  picture mode resize_h resize_w input_h input_w filter crc

JPEG decoders differ a little, so NAME.jpg comes with NAME.pillow.png to be compared loosely.
"""

import math
import pathlib
import random
import struct
import zlib

from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).parent / "image"
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
MEAN = (0.485, 0.456, 0.406)  # what tests give as PreprocessConfig::mean


def crc(image):
    return f"{zlib.crc32(image.tobytes()):08x}"


# Pictures ---------------------------------------------------------------------------------------


def picture(width, height, seed):
    """Gradients, noise, and the hard black-white edges at which bicubic and lanczos overshoot."""
    rng = random.Random(seed)
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            if (x // 5 + y // 7) % 3 == 0:
                value = (255, 255, 255) if (x + y) % 2 else (0, 0, 0)
            elif (x // 5 + y // 7) % 3 == 1:
                value = tuple(rng.randrange(256) for _ in range(3))
            else:
                value = (x * 255 // width, y * 255 // height, (x * y) % 256)
            image.putpixel((x, y), value)
    return image


def smooth_picture(width, height):
    """What JPEG is for: no detail that a decoder's upsampling could change much."""
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel(
                (x, y),
                (
                    int(127 + 120 * math.sin(x / 9)),
                    int(127 + 120 * math.cos(y / 7)),
                    (x * 3 + y * 2) % 200 + 20 if x < width // 2 else 60,
                ),
            )
    return image


# PNG files of kinds that Pillow does not write ----------------------------------------------------


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples, width, height, channels, depth, xs, ys):
    """The scan lines of the pixels at xs, ys: filter type 0 and samples of `depth` bits."""
    out = b""
    for y in ys:
        bits = "".join(
            format(samples[(y * width + x) * channels + c], f"0{depth}b")
            for x in xs
            for c in range(channels)
        )
        bits += "0" * (-len(bits) % 8)
        out += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return out


def png_bytes(samples, width, height, colour_type, depth, palette=b"", trns=b"", exif=b"", adam7=False):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    passes = [(0, 0, 1, 1)]
    if adam7:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    lines = b""
    for x0, y0, dx, dy in passes:
        xs, ys = range(x0, width, dx), range(y0, height, dy)
        if xs and ys:
            lines += packed_rows(samples, width, height, channels, depth, xs, ys)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(adam7))
    parts = [chunk(b"IHDR", header)]
    if exif:
        parts.append(chunk(b"eXIf", exif))
    if palette:
        parts.append(chunk(b"PLTE", palette))
    if trns:
        parts.append(chunk(b"tRNS", trns))
    parts += [chunk(b"IDAT", zlib.compress(lines, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff_orientation(value, order):
    """A TIFF block of one directory: ImageWidth and Orientation."""
    mark = {"<": b"II", ">": b"MM"}[order]
    entries = [(0x0100, 3, 1, 12), (0x0112, 3, 1, value)]
    out = mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", len(entries))
    for tag, kind, count, number in entries:
        out += struct.pack(order + "HHIH2x", tag, kind, count, number)
    return out + struct.pack(order + "I", 0)


# Golden files -------------------------------------------------------------------------------------


def write_decode(lines):
    rng = random.Random(1)
    width, height = 13, 9
    rgb = picture(width, height, 2)

    def noise(channels, depth):
        return [rng.randrange(1 << depth) for _ in range(width * height * channels)]

    def record(name, high_bytes=None):
        """Pillow's view of the file; `high_bytes`, of the same mode as there, where Pillow has none."""
        image = high_bytes or ImageOps.exif_transpose(Image.open(OUT / name))
        rgba = image.convert("RGBA")
        white = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
        dropped = image.convert("RGB")
        lines.append(f"{name} white {white.width} {white.height} {crc(white)}")
        lines.append(f"{name} drop {dropped.width} {dropped.height} {crc(dropped)}")

    def png(name, *args, high_bytes=None, **kwargs):
        (OUT / name).write_bytes(png_bytes(*args, **kwargs))
        record(name, high_bytes)

    for depth in (1, 2, 4, 8):
        png(f"grey{depth}.png", noise(1, depth), width, height, 0, depth)
        colours = bytes(rng.randrange(256) for _ in range(3 << depth))
        png(f"palette{depth}.png", noise(1, depth), width, height, 3, depth, palette=colours)
        opacity = bytes(rng.randrange(256) for _ in range(1 << depth))
        png(f"palette{depth}_trns.png", noise(1, depth), width, height, 3, depth, palette=colours, trns=opacity)

    # Pillow clips 16-bit grey at 255 instead of scaling it; the upper bytes are what it keeps of the others.
    samples = noise(1, 16)
    upper = Image.frombytes("L", (width, height), bytes(value >> 8 for value in samples))
    png("grey16.png", samples, width, height, 0, 16, high_bytes=upper)

    for kind, channels, name in ((2, 3, "rgb"), (4, 2, "grey_alpha"), (6, 4, "rgba")):
        for depth in (8, 16):
            png(f"{name}{depth}.png", noise(channels, depth), width, height, kind, depth)
    png("rgba8_adam7.png", noise(4, 8), width, height, 6, 8, adam7=True)
    png("palette4_adam7.png", noise(1, 4), width, height, 3, 4, palette=bytes(range(0, 240, 5)), adam7=True)
    pixels = list(rgb.tobytes())
    key = struct.pack(">HHH", *pixels[0:3])
    png("rgb8_trns.png", pixels, width, height, 2, 8, trns=key)
    grey = noise(1, 8)
    png("grey8_trns.png", grey, width, height, 0, 8, trns=struct.pack(">H", grey[5]))

    # Every pair of sample and opacity.
    pairs = bytes(value for a in range(256) for c in range(256) for value in (c, a))
    Image.frombytes("LA", (256, 256), pairs).save(OUT / "all_alpha.png", optimize=True)
    record("all_alpha.png")

    for value in range(1, 9):
        order = "<>"[value % 2]
        png(f"orientation{value}.png", pixels, width, height, 2, 8, exif=tiff_orientation(value, order))
    png("orientation0.png", pixels, width, height, 2, 8, exif=tiff_orientation(0, "<"))
    png("orientation9.png", pixels, width, height, 2, 8, exif=tiff_orientation(9, ">"))

    rgb.save(OUT / "rgb.bmp")
    record("rgb.bmp")
    rgb.convert("L").save(OUT / "grey.bmp")
    record("grey.bmp")
    rgb.quantize(16).save(OUT / "palette.bmp")
    record("palette.bmp")
    indexed = rgb.quantize(30)
    indexed.save(OUT / "still.gif")
    record("still.gif")
    indexed.save(OUT / "transparent.gif", transparency=indexed.getpixel((3, 3)))
    record("transparent.gif")
    frames = [picture(width, height, seed).quantize(16) for seed in (3, 4)]
    frames[0].save(OUT / "animated.gif", save_all=True, append_images=frames[1:], duration=40)
    record("animated.gif")


def write_jpegs():
    image = smooth_picture(75, 50)

    def jpeg(name, source, **options):
        source.save(OUT / f"{name}.jpg", quality=90, **options)
        Image.open(OUT / f"{name}.jpg").convert("RGB").save(OUT / f"{name}.pillow.png", optimize=True)

    jpeg("444", image, subsampling=0)
    jpeg("422", image, subsampling=1)
    jpeg("420", image, subsampling=2)
    jpeg("progressive", image, progressive=True)
    jpeg("grey", image.convert("L"))
    jpeg("cmyk", image.convert("CMYK"))


def write_resize(lines):
    sources = {"photo.png": picture(61, 47, 5)}
    sources["grey.png"] = picture(40, 53, 6).convert("L")
    sources["column.png"] = picture(1, 37, 7)
    sources["row.png"] = picture(53, 1, 8)
    sources["dot.png"] = picture(1, 1, 9)
    for name, image in sources.items():
        image.save(OUT / name, optimize=True)
        width, height = image.size
        sizes = {(24, 18), (61, 47), (width, 20), (20, height), (100, 133), (1, 1), (1, 50), (50, 1), (7, 90)}
        sizes |= {(width * 2, height * 2), (width // 2 + 1, height // 2 + 1), (width - 1 or 1, height - 1 or 1)}
        for size in sorted(sizes):
            for filter_name, value in FILTERS.items():
                lines.append(f"{name} {size[0]} {size[1]} {filter_name} {crc(image.resize(size, value))}")


def shortest_edge(image, size):
    """torchvision.transforms.Resize(int)."""
    width, height = image.size
    short, long = min(width, height), max(width, height)
    new_long = int(size * long / short)
    return (size, new_long) if width <= height else (new_long, size)


def keep_ratio(image, target, longest):
    """timm.data.transforms.ResizeKeepRatio: (width, height)."""
    ratio_h, ratio_w = image.height / target[0], image.width / target[1]
    ratio = max(ratio_h, ratio_w) * longest + min(ratio_h, ratio_w) * (1.0 - longest)
    return round(image.width / ratio), round(image.height / ratio)


def center_crop(image, size, fill):
    """torchvision's CenterCrop and timm's CenterCropOrPad; size and pads as (height, width)."""
    height, width = size
    pad_x, pad_y = max(width - image.width, 0), max(height - image.height, 0)
    padded = Image.new("RGB", (image.width + pad_x, image.height + pad_y), fill)
    padded.paste(image, (pad_x // 2, pad_y // 2))
    top = int(round((padded.height - height) / 2.0))
    left = int(round((padded.width - width) / 2.0))
    return padded.crop((left, top, left + width, top + height))


def write_preprocess(lines):
    cases = [
        # mode, resize_size, input_size
        ("shortest", (29, 29), (24, 24)),
        ("shortest", (24, 24), (24, 24)),
        ("shortest", (30, 30), (24, 20)),
        ("shortest", (20, 20), (24, 31)),  # crop beyond the picture: black
        ("shortest", (36, 22), (32, 20)),
        ("shortest", (47, 47), (40, 41)),  # one side is the source's already
        ("exact", (24, 24), (24, 24)),
        ("exact", (31, 28), (24, 24)),
        ("longest", (26, 26), (24, 24)),
        ("longest", (24, 24), (24, 24)),
        ("longest", (24, 33), (25, 30)),
    ]
    for name in ("photo.png", "grey.png", "column.png", "row.png", "dot.png"):
        image = Image.open(OUT / name).convert("RGB")
        for mode, resize, crop in cases:
            for filter_name in ("nearest", "bilinear", "bicubic", "lanczos"):
                used, fill = filter_name, (0, 0, 0)
                if mode == "exact":
                    size = resize[1], resize[0]
                elif mode == "longest":
                    size = keep_ratio(image, resize, 1.0)
                    fill = tuple(round(255 * value) for value in MEAN)
                elif resize[0] == resize[1]:
                    size = shortest_edge(image, resize[0])
                else:
                    size = keep_ratio(image, resize, 0.0)
                    used = "bilinear"
                if min(size) < 1:
                    continue
                result = center_crop(image.resize(size, FILTERS[used]), crop, fill)
                sides = f"{resize[0]} {resize[1]} {crop[0]} {crop[1]}"
                lines.append(f"{name} {mode} {sides} {filter_name} {crc(result)}")


def main():
    OUT.mkdir(exist_ok=True)
    write_jpegs()
    for name, write in (("decode", write_decode), ("resize", write_resize), ("preprocess", write_preprocess)):
        lines = []
        write(lines)
        (OUT / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
