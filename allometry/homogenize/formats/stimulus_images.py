"""Images that an NWB 1 session of the Brain Observatory has shown, small enough to stand beside the responses to them."""

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import open_hdf5

PLACES = ("stimulus/templates/natural_scenes_image_stack/data", "stimulus/templates/natural_scenes/data")


def natural_scenes(path: Path, most: int) -> npt.NDArray[np.uint8]:
    """Natural scenes, reduced by means over squares of pixels; one is in memory at a time.

    Parameters
    ----------
    path : Path
        The session's file.
    most : int
        Pixels along the longer side, at most.

    Returns
    -------
    ndarray of uint8, shape (image, y, x)
        Luminance, 0 to 255. What is left over at the right and lower edges is cut off.

    Raises
    ------
    ReaderError
        The file has no such images.
    """
    with open_hdf5(path) as file:
        found = next((file[place] for place in PLACES if isinstance(file.get(place), h5py.Dataset)), None)
        if found is None or found.ndim != 3 or found.dtype != np.uint8 or not found.size:
            raise ReaderError(
                "there are no images of natural scenes",
                where=path.name,
                expected=f"{PLACES[0]}, 8-bit integers [image, y, x]: sessions three_session_B have them",
                do="leave out the option `images`",
            )
        step = -(-max(found.shape[1:]) // most)
        height, width = (length // step for length in found.shape[1:])
        if not height or not width:
            raise ReaderError(
                f"images of {found.shape[1]} x {found.shape[2]} pixels cannot have a longer side of {most}",
                where=path.name,
                expected="more pixels",
                do="raise the option `images`",
            )
        out = np.empty((found.shape[0], height, width), np.uint8)
        for number in range(found.shape[0]):
            squares = found[number][: height * step, : width * step].reshape(height, step, width, step)
            out[number] = np.rint(squares.mean(axis=(1, 3), dtype=np.float64))
    return out
