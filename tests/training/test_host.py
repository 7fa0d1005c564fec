"""Free memory and cores, by themselves and under the limits of control groups."""

from __future__ import annotations

import pytest

from faceswap_gan.training import host

GIB = 2**30


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """An invented system with 32 GiB available; writes its files."""
    monkeypatch.setattr(host, "_ROOT", tmp_path)

    def write(**files):
        for name, text in files.items():
            file = tmp_path / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(text))

    write(proc__meminfo=f"MemTotal: 99999999 kB\nMemAvailable: {32 * GIB // 1024} kB\nHugePages_Total: 0\n")
    return write


def group(folder, *, limit, use, stat, names=("memory.max", "memory.current")):
    """Files of a control group."""
    return {
        f"{folder}__{name}": value for name, value in zip((*names, "memory.stat"), (limit, use, stat), strict=True)
    }


def test_this_machine():
    assert 2**20 < host.free_bytes() < 2**50


def test_without_limits(tree):
    assert host.free_bytes() == 32 * GIB
    tree(proc__self__cgroup="0::/me\n", **group("sys__fs__cgroup__me", limit="max", use=5, stat="anon 5"))
    assert host.free_bytes() == 32 * GIB


@pytest.mark.parametrize("folder", ["sys__fs__cgroup__outer__inner", "sys__fs__cgroup__outer", "sys__fs__cgroup"])
def test_a_limit_of_version_2_counts_wherever_it_is_set(tree, folder):
    stat = f"anon 7\ninactive_file {GIB}\n"
    tree(proc__self__cgroup="0::/outer/inner\n", **group(folder, limit=4 * GIB, use=3 * GIB, stat=stat))
    assert host.free_bytes() == 2 * GIB, "files that the kernel holds can be given back"


def test_a_limit_of_version_1(tree):
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    home = "sys__fs__cgroup__memory"
    tree(proc__self__cgroup="5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n")
    tree(**group(home, limit=6 * GIB, use=GIB, stat="cache 1", names=names))
    tree(**group(f"{home}__docker__abc", limit=2**63 - 4096, use=GIB, stat="cache 1", names=names))
    assert host.free_bytes() == 5 * GIB


def test_a_group_that_is_over_its_limit_leaves_nothing(tree):
    tree(proc__self__cgroup="0::/\n", **group("sys__fs__cgroup", limit=GIB, use=2 * GIB, stat=""))
    assert host.free_bytes() == 0


def test_a_system_that_does_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr(host, "_ROOT", tmp_path)
    assert host.free_bytes() == 8 * GIB
