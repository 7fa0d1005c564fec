"""Tests of faceswap_gan.quiet."""

import os
import subprocess
import sys

from faceswap_gan.quiet import no_native_stderr


def test_native_writes_are_dropped_inside_only(capfd):
    with no_native_stderr():
        os.write(2, b"greeting")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_threads_that_overlap_leave_it_as_it_was(capfd):
    """Faces are looked for in threads that open their networks at the same time: training went silent for good."""
    first, second = no_native_stderr(), no_native_stderr()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    os.write(2, b"greeting")
    second.__exit__(None, None, None)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_a_process_without_stderr_is_left_alone():
    program = (
        "import os; from faceswap_gan.quiet import no_native_stderr\n"
        "os.close(2)\n"
        "with no_native_stderr(): print('inside')\n"
    )
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True).stdout == b"inside\n"
