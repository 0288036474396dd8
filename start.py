"""Set up and run mailforensics; needs nothing but Python 3.11 or newer.

python3 start.py          open the notebooks on a fresh copy of the sample case
python3 start.py lab CASE open the notebooks on a case of yours
python3 start.py demo     do the main job over the sample incident, without a notebook
python3 start.py test     run the tests
python3 start.py bench    run the benchmarks
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
TEST_LOCK = ROOT / "requirements-test.lock"
OLDEST = (3, 11)

BENCHMARKS = ("bench_mbox.py", "bench_carve.py", "bench_search.py", "bench_pst.py")


def python() -> Path:
    """Return the interpreter of the virtual environment."""
    return HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_of(locks: list[Path]) -> str:
    """Return what changes whenever the environment must be made anew."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for path in [*locks, ROOT / "pyproject.toml"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run(*command: str | Path) -> None:
    """Run a command in the project's folder; end with its exit code when it fails."""
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT)
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            continue  # the command gets it too, and ends in its own way
    if process.returncode:
        sys.exit(process.returncode)


def install(locks: list[Path]) -> None:
    """Make the virtual environment and install what the lock files name, checked by hash."""
    stamp = HOME / f"installed-{len(locks)}.stamp"
    wanted = stamp_of(locks)
    if stamp.is_file() and stamp.read_text() == wanted and python().is_file():
        return
    print("Setting up (once; a few minutes) …", flush=True)
    if not python().is_file():
        venv.create(HOME, with_pip=True, clear=HOME.exists())
    pip = (python(), "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    for lock in locks:
        run(*pip, "--require-hashes", "-r", lock)
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    stamp.write_text(wanted)


def test(arguments: list[str]) -> None:
    """Run the test suite."""
    install([LOCK, TEST_LOCK])
    run(python(), "-m", "pytest", *arguments)


def bench(arguments: list[str]) -> None:
    """Run the benchmarks, or the ones that are named."""
    install([LOCK, TEST_LOCK])
    for name in arguments or BENCHMARKS:
        run(python(), ROOT / "benchmarks" / name)


def mailforensics(command: str, arguments: list[str]) -> None:
    """Run a command of the installed project."""
    install([LOCK])
    run(python(), "-m", "mailforensics", command, *arguments)


def main() -> None:
    """Do what the command line asks for."""
    if sys.version_info < OLDEST:
        sys.exit(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}."
        )
    command, *arguments = sys.argv[1:] or ["lab"]
    if command in {"-h", "--help", "help"}:
        print(__doc__)
    elif command == "test":
        test(arguments)
    elif command == "bench":
        bench(arguments)
    else:
        mailforensics(command, arguments)


if __name__ == "__main__":
    main()
