"""`chat` on a terminal and from a file, by a template of the test's own."""
import json
import os
import pty
import select
import signal
import subprocess
import time

import pytest

from conftest import FABLE, PROGRAM

TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"


@pytest.fixture
def template(tmp_path):
    (tmp_path / "chat.jinja").write_text(TEMPLATE)
    return tmp_path / "chat.jinja"


@pytest.fixture
def messages(tmp_path):
    (tmp_path / "messages.json").write_text(json.dumps([{"role": "user", "content": "Once upon a time"}]))
    return tmp_path / "messages.json"


def test_one_answer(json_of, template, messages):
    got = json_of("chat", FABLE, "--messages", messages, "--chat-template", template, "-n", 8)
    rendered = json_of("tokenize", FABLE, "--messages", messages, "--chat-template", template, "--add-generation-prompt")
    assert rendered["text"] == "user: Once upon a time\nassistant:"
    assert got["prompt_tokens"] == len(rendered["ids"])
    assert got["text"] and got["tokens"] == 8 and got["finish_reason"] == "length"
    assert got["text"] == json_of("run", FABLE, rendered["text"], "-n", 8)["text"]


def test_a_model_without_template_says_so(program, messages):
    for verb in ["chat", "tokenize"]:
        done = program(verb, FABLE, "--messages", messages, check=False)
        assert done.returncode == 5
        assert "--chat-template" in done.stderr


def test_a_talk(template, tmp_path):
    typed = f'Once upon\nline one\\\nline two\n"""\na\nb\n"""\n/save {tmp_path}/talk.json\n/reset\nThe dog\n/exit\n'
    done = subprocess.run([PROGRAM, "chat", FABLE, "--chat-template", template, "-n", "6", "--system", "Stories."], input=typed,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    talk = json.loads((tmp_path / "talk.json").read_text())
    assert [m["content"] for m in talk if m["role"] != "assistant"] == ["Stories.", "Once upon", "line one\nline two", "a\nb"]
    assert all(m["content"] in done.stdout for m in talk if m["role"] == "assistant")
    assert ", 0 of " not in done.stderr.split("\n")[1]  # the second turn goes on from the first


def test_ctrl_c_stops_the_answer_and_then_leaves(template):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(PROGRAM, [str(PROGRAM), "chat", str(FABLE), "--chat-template", str(template), "-n", "2000"])
    shown = b""

    def read_until(text, seconds=60):
        nonlocal shown
        end = time.time() + seconds
        while text not in shown:
            assert time.time() < end, shown
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 4096)
        shown = shown.split(text, 1)[1]

    read_until(b"> ")
    os.write(terminal, b"Once upon a time\n")
    read_until(b"\n")
    time.sleep(1)
    os.kill(child, signal.SIGINT)
    read_until(b"cancelled)")
    read_until(b"> ")
    os.kill(child, signal.SIGINT)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
