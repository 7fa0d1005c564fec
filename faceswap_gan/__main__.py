"""The command line: `faceswap-gan <verb>`, each verb being the signature of its `run`.

Exit codes: 0 done, 1 an expected failure (one line on stderr), 2 wrong usage, 130 interrupted. A verb that answers
a question returns an `enum.IntEnum` whose value is the code: verify's 0 marked, 1 unmarked, 3 tampered.
"""

from __future__ import annotations

import enum
import functools
import importlib
import importlib.abc
import importlib.util
import inspect
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from faceswap_gan import __version__
from faceswap_gan.errors import FaceSwapError
from faceswap_gan.quiet import no_native_stderr

if TYPE_CHECKING:
    from tyro.constructors import PrimitiveConstructorSpec, PrimitiveTypeInfo

PROGRAM = "faceswap-gan"
VERBS = (
    "extract",
    "tracks",
    "masks",
    "train",
    "convert",
    "swap",
    "demo",
    "mesh-swap",
    "parts-augment",
    "evaluate",
    "verify",
)

_USAGE = f"""\
usage: {PROGRAM} <verb> [options]
       {PROGRAM} <verb> --help
       {PROGRAM} --version

Two videos in, one swapped video out.

"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that the first argument names.

    Args:
        argv: Arguments after the program's name; those of the process when None.

    Returns:
        The process's exit code: 0 done, 1 an expected failure, 2 wrong usage, 130 interrupted.
    """
    name, *rest = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in VERBS:
        return call_verb(name, rest)
    if name in ("-h", "--help"):
        sys.stdout.write(_USAGE + _verb_lines())
        return 0
    if name == "--version":
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        return 0
    sys.stderr.write(f"error: expected a verb ({', '.join(VERBS)}), got {name!r}; see {PROGRAM} --help\n")
    return 2


def main_verb(name: str) -> None:
    """Run one verb with the process's arguments and exit: the last line of `python -m faceswap_gan.<verb>`.

    Args:
        name: One of `VERBS`.
    """
    sys.exit(call_verb(name, sys.argv[1:]))


def call_verb(name: str, argv: Sequence[str]) -> int:
    """Parse a verb's arguments, run it and turn its failure into a line and an exit code.

    Args:
        name: One of `VERBS`.
        argv: Arguments after the verb.

    Returns:
        0, 1, 2 or 130, as `main`; or the value of the verb's answer.

    Raises:
        SystemExit: Help was asked for (0) or the usage is wrong (2); tyro has written why.
    """
    _quiet_backend()
    _start_logging()
    if (flag := _find_empty(argv)) is not None:
        return _fail(f"expected a value for {flag}, got an empty one; is a variable of the shell unset?", code=2)
    try:
        answer = parse_verb(name, argv)()
    except KeyboardInterrupt:
        return _fail("interrupted", code=130)
    except FaceSwapError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(_describe(error))
    except MemoryError as error:
        return _fail(f"out of memory ({error}); use a smaller --batch or --size, or close other programs")
    return int(answer) if isinstance(answer, enum.IntEnum) else 0


def parse_verb(name: str, argv: Sequence[str]) -> Callable[[], Any]:
    """Bind a verb's arguments to its `run` without running it.

    Args:
        name: One of `VERBS`.
        argv: Arguments after the verb, flags only.

    Returns:
        A function without arguments that runs the verb.

    Raises:
        SystemExit: Help was asked for (0) or the usage is wrong (2).
    """
    import tyro

    run = _load(name)

    @functools.wraps(run)
    def bind(*args: Any, **settings: Any) -> Callable[[], Any]:
        return functools.partial(run, *args, **settings)

    config = (tyro.conf.DisallowNone, tyro.conf.SuppressFixed, tyro.conf.OmitArgPrefixes)
    rules = tyro.constructors.ConstructorRegistry()
    rules.primitive_rule(_offer_choices)
    with rules:
        bound: Callable[[], Any] = tyro.cli(bind, prog=f"{PROGRAM} {name}", args=list(argv), config=config)
    return bound


def _offer_choices(flag: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Read a choice, or several, that may be left out; tyro's own rule offers None among them when one is wrong."""
    from tyro.constructors import PrimitiveConstructorSpec

    kinds = get_args(flag.type) if get_origin(flag.type) in (Union, UnionType) else ()
    if len(kinds) != 2 or NoneType not in kinds:
        return None
    kind = next(each for each in kinds if each is not NoneType)
    several = get_origin(kind) is tuple and get_args(kind)[1:] == (...,)
    kind = get_args(kind)[0] if several else kind
    if get_origin(kind) is not Literal:
        return None
    words: tuple[str, ...] = get_args(kind)
    shown = f"{{{','.join(words)}}}"
    return PrimitiveConstructorSpec(
        nargs="*" if several else 1,
        metavar=f"[{shown} [{shown} ...]]" if several else shown,
        instance_from_str=tuple if several else lambda given: given[0],
        is_instance=lambda value: value is None or isinstance(value, tuple if several else str),
        str_from_instance=lambda value: ["None"] if value is None else list(value) if several else [value],
        choices=words,
    )


def _find_empty(argv: Sequence[str]) -> str | None:
    """Find the flag that was given nothing as its value: as a path that would be the current folder."""
    for before, word in zip(("the first argument", *argv), argv, strict=False):
        flag = before if word == "" else word[:-1] if re.fullmatch(r"--[a-z-]+=", word) else None
        if flag is not None and flag != "--consent":  # which has words of its own for it
            return flag
    return None


def _load(name: str) -> Callable[..., Any]:
    run: Callable[..., Any] = importlib.import_module(f"faceswap_gan.{name.replace('-', '_')}").run
    return run


def _verb_lines() -> str:
    """One line a verb: its name and the first line of its docstring."""
    lines = [f"  {name:<15}{(inspect.getdoc(_load(name)) or '').partition(chr(10))[0]}" for name in VERBS]
    return "verbs:\n" + "\n".join(lines) + "\n"


def _quiet_backend() -> None:
    """Keep TensorFlow's start-up notes off the terminal, unless the user asked for a lower level."""
    # On a machine without GPU even level 2 reports its absence.
    quiet = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3"
    if quiet and not any(isinstance(finder, _QuietImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _QuietImport())
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # notes on retracing


class _QuietImport(importlib.abc.MetaPathFinder):
    """Discards what TensorFlow writes while it loads, before it reads its own log level."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find TensorFlow with a loader that is silent; leave every other module alone."""
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = _silent(load)  # type: ignore[assignment, method-assign]
        return spec


def _silent(load: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    @functools.wraps(load)
    def quietly(module: ModuleType) -> None:
        with no_native_stderr():
            load(module)

    return quietly


def _start_logging() -> None:
    """Show the library's log on stderr: coloured on a terminal, bare lines in a file or pipe."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(stderr=True), show_path=False, show_level=False)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("faceswap_gan")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


def _describe(error: OSError) -> str:
    """Say which file the system refused and why."""
    reason = error.strerror or str(error) or type(error).__name__
    where = f": {error.filename}" if error.filename is not None else ""
    return f"the system refused a file ({reason}){where}; check the path, its permissions and the free space"


def _fail(message: str, *, code: int = 1) -> int:
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
