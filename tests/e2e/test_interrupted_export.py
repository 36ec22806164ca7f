"""A crash at any moment of an export: a model that is there is whole, with its own data and tokenizer beside it."""
import os
import shutil
import signal
import subprocess

import pytest

from conftest import FABLE, PROGRAM

# Dies before the KILL_AT-th call that changes what stands under a name or waits for the disk.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
static void count(void) {
  static int calls;
  const char* at = getenv("KILL_AT");
  if (at && ++calls == atoi(at)) raise(SIGKILL);
}
#define WRAP(name, parameters, arguments)                                   \
  int name parameters {                                                     \
    count();                                                                \
    return ((int (*) parameters)dlsym(RTLD_NEXT, #name))arguments;          \
  }
WRAP(rename, (const char* from, const char* to), (from, to))
WRAP(unlink, (const char* path), (path))
WRAP(fsync, (int file), (file))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
    return folder / "shim.so"


def test_a_model_is_never_beside_the_data_of_another(program, json_of, shim, tmp_path):
    def told(folder):
        return json_of("run", folder, "Once upon a time", "-n", 64)["text"]

    old, new = tmp_path / "old", tmp_path / "new"
    program("import", FABLE, "-o", old, "--external-data")
    flags = ["--external-data", "--quantize", "int4", "--block-size", "256"]
    program("optimize", FABLE, "-o", new, *flags)
    before, after = told(old), told(new)
    assert before != after
    seen = set()
    for moment in range(1, 100):
        folder = tmp_path / "folder"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(old, folder)
        done = subprocess.run([PROGRAM, "optimize", FABLE, "-o", folder, *flags], capture_output=True,
                              env={**os.environ, "HOME": str(tmp_path), "LD_PRELOAD": str(shim), "KILL_AT": str(moment)})
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        if (folder / "model.onnx").exists():
            seen.add(told(folder))
            assert seen <= {before, after, "none"}, f"moment {moment}"
        else:
            seen.add("none")
    assert told(folder) == after
    assert seen == {before, "none", after}
