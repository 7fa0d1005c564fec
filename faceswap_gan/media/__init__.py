"""Videos and pictures: bytes to arrays and back."""

import os

# Asked once, when OpenCV is first imported: a header that claims more pixels is refused before any memory is taken.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))
