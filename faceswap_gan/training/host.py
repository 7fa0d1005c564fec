"""How much memory the host gives a program, that of its container where it runs in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
_UNKNOWN = 8 * 2**30
_LIMITS = {  # of a control group: limit, use, and the line of memory.stat that says how much of it can be given back
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def free_bytes() -> int:
    """Return the memory that programs may still take, in bytes; 8 GiB where the system does not say.

    On Linux that is what the kernel calls available, or what the limits of the program's control groups leave, a
    container's for example, where that is less.

    References:
        The Linux kernel's documentation: proc(5), MemAvailable; control groups version 2 and version 1, memory.
    """
    free = _numbers(_ROOT / "proc/meminfo").get("MemAvailable:")
    return min([_UNKNOWN if free is None else 1024 * free, *_left_in_groups()])


def _left_in_groups() -> Iterator[int]:
    """Yield what each control group that the program is in leaves of its limit, in bytes."""
    file = _ROOT / "proc/self/cgroup"
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        _, controllers, path = line.split(":", 2)
        if controllers not in _LIMITS:
            continue
        home = _ROOT / "sys/fs/cgroup" / controllers
        inner = home / path.lstrip("/")
        for folder in (
            inner,
            *inner.parents,
        ):  # a container may not see the folders between, but sees its own as home
            yield from _left(folder, *_LIMITS[controllers])
            if folder == home:
                break


def _left(folder: Path, limit: str, use: str, spare: str) -> Iterator[int]:
    values = [_number(folder / limit), _number(folder / use)]
    if values[0] is not None and values[1] is not None:
        yield max(0, values[0] - values[1] + _numbers(folder / "memory.stat").get(spare, 0))


def _number(file: Path) -> int | None:
    """Read a file that holds a number; None where there is none, or the word max."""
    text = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return int(text) if text.isdigit() else None


def _numbers(file: Path) -> dict[str, int]:
    """Read a file of lines of a name and a number."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return {words[0]: int(words[1]) for words in map(str.split, lines) if words[1:] and words[1].isdigit()}
