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


def test_a_process_without_stderr_is_left_alone():
    program = (
        "import os; from faceswap_gan.quiet import no_native_stderr\n"
        "os.close(2)\n"
        "with no_native_stderr(): print('inside')\n"
    )
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True).stdout == b"inside\n"
