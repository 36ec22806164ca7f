"""jinja2 set up as transformers' apply_chat_template sets it up, and our renderer beside it."""
import copy
import datetime
import json
import subprocess

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from conftest import ROOT

RUNNER = ROOT / "build" / "bin" / "template_runner"
NOW = 1732500000  # local time of both sides


class Generation(jinja2.ext.Extension):
    """{% generation %}: marks what the model wrote; what it renders is its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

    def _render(self, caller):
        return caller()


class TemplateNamespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            TemplateNamespace.check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        TemplateNamespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = tojson
    moment = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)
    made.globals.update(raise_exception=raise_exception, strftime_now=moment.strftime, namespace=TemplateNamespace)
    return made


def theirs(cases):
    """{"text"} or {"error"} of each case."""
    compiled, made = {}, environment()

    def render(case):
        try:
            source = case["template"]
            if source not in compiled:
                compiled[source] = made.from_string(source)
            return {"text": compiled[source].render(**copy.deepcopy(case["variables"]))}
        except Exception as error:  # a template may fail in any way that Python can
            return {"error": f"{type(error).__name__}: {error}"}

    return [render(case) for case in cases]


def ours(cases, tmp_path):
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([{**case, "now": NOW} for case in cases]))
    return json.loads(subprocess.run([RUNNER, file], capture_output=True, text=True, check=True, timeout=600).stdout)


def differences(cases, tmp_path):
    """Cases whose texts are not the same bytes, or where only one side fails."""
    pairs = zip(cases, ours(cases, tmp_path), theirs(cases), strict=True)
    return [(case, got, wanted) for case, got, wanted in pairs if got.get("text") != wanted.get("text")]
