"""A folder of pictures as one array; pictures are decoded by Pillow, sizes and formats are checked before they are."""

import numpy as np

from ..errors import UserError
from .guard import refuse_huge

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".ppm": "PPM", ".pgm": "PPM", ".tif": "TIFF",
            ".tiff": "TIFF"}
GREY, COLOUR = {"1", "L", "LA"}, {"P", "RGB", "RGBA", "CMYK", "YCbCr"}


def read_images(folder, patch=None):
    """The pictures of a folder, in the order of their names.

    Parameters
    ----------
    folder : Path
    patch : int, optional
        Cut every picture into squares of that many pixels, side by side; without it, all must be of one size.

    Returns
    -------
    (n, height, width) uint8 where all are grey, otherwise (n, height, width, 3)

    Raises
    ------
    UserError
        Without Pillow; no picture there; pictures that differ in size, are smaller than a patch, deeper than
        8 bits, damaged, or too many for this machine's memory.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise UserError('pictures are read by Pillow: pip install "thermosim[images]"') from error
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not files:
        raise UserError(f"{folder} holds no picture; {', '.join(SUFFIXES)} can be read")
    heads = [_head(Image, file) for file in files]
    for file, (size, mode) in zip(files, heads):
        if mode not in GREY | COLOUR:
            raise UserError(f"{file} has pixels of kind {mode}: save it with 8 bits a channel")
        if patch is None and size != heads[0][0]:
            raise UserError(f"{file} has {_by(size)} pixels and {files[0].name} {_by(heads[0][0])}: "
                            "make them equal, or cut all into patches")
        if patch is not None and not 1 <= patch <= min(size):
            raise UserError(f"{file} has {_by(size)} pixels, too few for a patch of {patch}")
    target = "L" if all(mode in GREY for _, mode in heads) else "RGB"
    refuse_huge(folder, 8 * sum(w * h for (w, h), _ in heads) * len(target))
    pictures = [_pixels(Image, file, target) for file in files]
    return np.stack(pictures) if patch is None else np.concatenate([patches(p, patch) for p in pictures])


def patches(picture, side):
    """Squares (n, side, side, …) of a picture (height, width,
    …), side by side; what is left over at the edges is lost."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    cut = picture[: rows * side, : columns * side].reshape(rows, side, columns, side, *picture.shape[2:])
    return cut.swapaxes(1, 2).reshape(rows * columns, side, side, *picture.shape[2:])


def _head(Image, file):
    """(width, height) and mode from the head of a file."""
    try:
        with Image.open(file, formats=[SUFFIXES[file.suffix.lower()]]) as picture:
            return picture.size, picture.mode
    except Exception as error:
        raise _damaged(file, error) from error


def _pixels(Image, file, mode):
    try:
        with Image.open(file, formats=[SUFFIXES[file.suffix.lower()]]) as picture:
            return np.asarray(picture.convert(mode))
    except Exception as error:
        raise _damaged(file, error) from error


def _damaged(file, error):
    """Pillow raises whatever its decoders do: OSError, SyntaxError,
    ValueError, struct.error, DecompressionBombError."""
    return UserError(f"{file} is damaged or no picture ({' '.join(str(error).split())[:80]}): remove it or save it "
                     "again")


def _by(size):
    return f"{size[0]}×{size[1]}"
