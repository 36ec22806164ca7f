"""Published chat templates render to the same bytes as transformers' apply_chat_template: system messages, turns, tools, with and
without a generation prompt. More templates may lie in the folder that ENM_CHAT_TEMPLATES names."""
import itertools
import os
import pathlib

import pytest

from jinja_witness import differences, theirs

FOLDERS = [pathlib.Path(__file__).parent / "chat_templates", *map(pathlib.Path, filter(None, [os.environ.get("ENM_CHAT_TEMPLATES")]))]
TEMPLATES = sorted(itertools.chain.from_iterable(folder.glob("*.jinja") for folder in FOLDERS))


def function(name, description, properties, required=()):
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS = [
    function("get_weather", 'The "weather" — now', {
        "city": {"type": "string", "description": "City, e.g. Zürich"},
        "days": {"type": "integer", "default": 3, "enum": [1, 2, 3]},
        "scale": {"type": ["string", "null"]},
        "spots": {"type": "array", "items": {"type": "number"}},
    }, ["city"]),
    function("noop", "Nothing", {}),
]
PLAIN_TOOLS = [function("add", "Adds numbers", {"a": {"type": "number", "description": "One"}, "b": {"type": "integer"}}, ["a", "b"])]
USER = {"role": "user", "content": "Hello, <how> are you? \n"}
ANSWER = {"role": "assistant", "content": " I'm fine & \"you\"? 日本語"}
SYSTEM = {"role": "system", "content": "You are\na pirate. "}
RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "abcdefghi", "content": '{"temperature": 21.5}'}
THOUGHT = {"role": "assistant", "content": "<think>\nhm\n</think>\n\nIt is 21.5", "reasoning_content": "thinking"}
PARTS = {"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]}


def call(arguments):
    made = {"type": "function", "id": "abcdefghi", "function": {"name": "get_weather", "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [made]}


CHATS = [
    [USER],
    [SYSTEM, USER],
    [USER, ANSWER, USER, ANSWER, USER],
    [SYSTEM, USER, ANSWER],
    [USER, call({"city": "Zürich", "days": 2, "spots": [1.5, 1e-7]}), RESULT, ANSWER, USER],
    [SYSTEM, USER, call('{"city": "Bern"}'), RESULT],
    [PARTS, ANSWER, USER],
    [SYSTEM, USER, THOUGHT, USER],
    [ANSWER, ANSWER, USER],
    [],
]


def cases_of(template):
    source = template.read_text(encoding="utf-8")
    for chat, tools, prompt in itertools.product(CHATS, [None, PLAIN_TOOLS, TOOLS], [{"add_generation_prompt": False}, {"add_generation_prompt": True},
                                                                        {"add_generation_prompt": True, "enable_thinking": False}]):
        variables = {"messages": chat, "tools": tools, "documents": None, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "functions": "[]",
                     "datetime": "today", **prompt}
        yield {"template": source, "variables": variables}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_bytes_are_equal(template, tmp_path):
    cases = list(cases_of(template))
    wrong = [(case["variables"], got, wanted) for case, got, wanted in differences(cases, tmp_path)]
    assert wrong == []
    assert sum("text" in one for one in theirs(cases)) >= 6  # most templates refuse some of the chats


def test_there_are_enough_templates():
    assert len(TEMPLATES) >= 20
