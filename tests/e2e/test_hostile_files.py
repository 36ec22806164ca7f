"""Models that mean harm (tests/hostile) through the program: one line of error that names what was wrong, little time, little memory."""
import json
import re
import subprocess
import sys

import pytest

from conftest import PROGRAM, ROOT

MEGABYTES = 200
LIMITED = ["--memory-limit", 150]  # of what the program counts
EXPECTED_EXITS = {0, 2, 3, 5, 7, 9}
# Runs command lines, one a line of input. A process of its own, small: a child's peak counts what its parent was when it was made.
# A second is what a model may take; a loaded machine takes its time.
RUNNER = """
import json, os, signal, sys
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
to = lambda fd, path: (os.POSIX_SPAWN_OPEN, fd, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
for line in sys.stdin:
    words = json.loads(line)
    child = os.posix_spawn(words[0], words, {"HOME": "/nonexistent"}, file_actions=[to(1, "/dev/null"), to(2, sys.argv[1])])
    signal.alarm(20)
    _, status, usage = os.wait4(child, 0)
    signal.alarm(0)
    print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss]), flush=True)
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    subprocess.run([sys.executable, ROOT / "tests" / "hostile" / "make_files.py", folder], check=True, timeout=120)
    return folder, json.loads((folder / "cases.json").read_text())


@pytest.fixture
def outcome(tmp_path):
    """outcome(words of a command line) -> exit code and standard error, within time and memory."""
    said = tmp_path / "stderr"
    runner = subprocess.Popen([sys.executable, "-IS", "-c", RUNNER, said], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(*words):
        runner.stdin.write(json.dumps([str(PROGRAM), *map(str, words), "--quiet"]) + "\n")
        runner.stdin.flush()
        code, peak = json.loads(runner.stdout.readline())
        error = said.read_text(encoding="utf-8")
        assert code in EXPECTED_EXITS, (code, error)
        assert peak < MEGABYTES * 1024, f"{peak} KiB"
        return code, error

    yield run
    runner.communicate()


def words_of(case, folder, tmp_path):
    model = folder / case["folder"]
    if case["verb"] == "run":
        return ["run", model, case["text"], "-n", 4, *LIMITED]
    text = tmp_path / "text"
    text.write_text(case["text"])
    return ["embed", model, "--file", text, *LIMITED]


def check_all(cases, check):
    problems = []
    for case in cases:
        try:
            check(case)
        except AssertionError as problem:
            problems.append(f"{case['name']}: {problem}")
    assert not problems, "\n\n".join(problems)


def test_hostile_models_are_refused_by_name(corpus, outcome, tmp_path):
    folder, cases = corpus

    def check(case):
        code, error = outcome(*words_of(case, folder, tmp_path))
        if case["says"] is None:
            assert (code, error) == (0, "")
            return
        assert code != 0 and error.startswith("error: ") and error.endswith("\n") and len(error) < 1000
        assert error[:-1].isprintable() and re.search(case["says"], error), error

    check_all(cases, check)


@pytest.mark.parametrize("verb", ["inspect", "inspect --text", "optimize --quantize INT4", "optimize --quantize INT8", "optimize --quantize FP16"])
def test_tools_take_hostile_models_or_refuse_them(corpus, outcome, tmp_path, verb):
    """What cannot run may still be looked at and rewritten."""
    folder, cases = corpus
    verb, *flags = verb.split()
    output = ["--output", tmp_path / "optimized"] if verb == "optimize" else []

    def check(case):
        code, error = outcome(verb, folder / case["folder"], *flags, *output)
        errors = [line for line in error.splitlines() if not line.startswith("warning: ")]
        assert len(errors) == (code != 0) and error.replace("\n", "").isprintable(), error

    check_all(cases, check)
