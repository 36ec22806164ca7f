#!/usr/bin/env python3
"""Writes the man page and the shells' completions from what the program says with --help.

    tools/command_documents.py [--check]    with --check: exit 1 if the files are not what would be written
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bin" / "edge-net-models"
COLUMN = 30  # where descriptions begin
SECTIONS = {"Positionals:": "positionals", "Options:": "options", "Subcommands:": "subcommands"}


class Command:
    """One command: its words, what it does, and (head, description) of all that it takes."""

    def __init__(self, words):
        self.words = words
        self.positionals, self.options, self.subcommands, self.footer = [], [], [], []
        text = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True, check=True).stdout
        self.read(text.splitlines())
        self.children = [Command([*words, name]) for name, _ in self.subcommands]

    def read(self, lines):
        self.summary, self.usage = lines[0], lines[1].removeprefix("Usage: ")
        section = None
        for line in lines[2:]:
            if line in SECTIONS:
                section = getattr(self, SECTIONS[line])
            elif line.startswith(" " * COLUMN):
                head, description = section[-1]
                section[-1] = (head, f"{description} {line.strip()}".strip())
            elif line.startswith("  "):
                head, _, description = line.strip().partition("  ")
                section.append((head, description.strip()))
            elif line:
                self.footer.append(line)

    def all(self):
        yield self
        for child in self.children:
            yield from child.all()

    def flags(self):
        """(names, values it may take) of each option."""
        for head, _ in self.options:
            values = re.search(r":\{([^}]*)\}", head)
            yield head.split()[0].split(","), values.group(1).split(",") if values else []


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("|", "|\\:")  # lines may break there
    return "\\&" + text if text.startswith((".", "'")) else text


def readable(head):
    """CLI11's "-t,--threads INT:INT in [0 - 256]" as "-t, --threads INT"."""
    names, _, rest = head.partition(" ")
    rest = re.sub(r"\b[A-Z]+:\{([^}]*)\}", lambda m: m.group(1).replace(",", "|"), rest)
    rest = re.sub(r"\b([A-Z]+):.*?(?==|$)", r"\1", rest)
    value, _, default = rest.replace("REQUIRED", "").partition("=")
    return names.replace(",", ", "), value.strip(), default.strip()


def entries(pairs):
    for head, description in pairs:
        names, value, default = readable(head)
        yield ".TP\n\\fB" + roff(names) + "\\fR" + (" \\fI" + roff(value) + "\\fR" if value else "")
        yield roff(description + (f" (default {default})" if default else ""))


def man_page(root):
    out = ['.TH EDGE\\-NET\\-MODELS 1 "" "edge\\-net\\-models" "User Commands"', ".SH NAME",
           "edge\\-net\\-models \\- " + roff(root.summary.rstrip(".")), ".SH SYNOPSIS", "\\fB" + roff(root.usage) + "\\fR",
           ".SH OPTIONS", "These may stand before or after the command.", *entries(root.options), ".SH COMMANDS"]
    for command in list(root.all())[1:]:
        out += [".SS " + roff(command.usage), roff(command.summary) + "."]
        out += entries(command.positionals)
        out += entries(pair for pair in command.options if not pair[0].startswith("-h"))
    codes, settings = " ".join(root.footer).split("Settings: ")
    out += [".SH EXIT STATUS", roff(codes.removeprefix("Exit codes: ").strip()), ".SH FILES", ".TP",
            "\\fI" + roff(settings.split(" ")[0]) + "\\fR", "Settings; \\fBconfig show\\fR tells each one's value and origin."]
    return "\n".join(out) + "\n"


def tables(root):
    """What may follow each command: words, flags, and values of flags."""
    shared = [name for names, _ in root.flags() for name in names if name not in ("-h", "--help", "--version")]
    for command in root.all():
        flags = list(command.flags())
        names = dict.fromkeys([name for some, _ in flags for name in some] + shared)
        yield " ".join(command.words), [name for name, _ in command.subcommands], list(names), flags


def bash(root):
    steps = [f'"{" ".join(c.words[:-1])} {c.words[-1]}"' for c in list(root.all())[1:]]
    values = [(f"{path} {name}", some) for path, _, _, flags in tables(root) for names, some in flags if some for name in names]
    lines = ["# Completion of edge-net-models for bash.", "_edge_net_models() {",
             "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= words= flags= word",
             '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do', '    case "$command $word" in',
             "      " + " | \\\n      ".join(steps) + ') command="${command:+$command }$word" ;;', "    esac", "  done",
             '  case "$command $previous" in']
    lines += [f'    "{key}") COMPREPLY=($(compgen -W "{" ".join(some)}" -- "$current")); return ;;' for key, some in values]
    lines += ["  esac", "  case $command in"]
    lines += [f'    "{path}") words="{" ".join(words)}" flags="{" ".join(flags)}" ;;' for path, words, flags, _ in tables(root)]
    lines += ["  esac", "  [[ $current == -* ]] && words=$flags", '  COMPREPLY=($(compgen -W "$words" -- "$current"))', "}",
              "complete -o default -F _edge_net_models edge-net-models"]
    return "\n".join(lines) + "\n"


def zsh(root):
    steps = [f"'{' '.join(c.words[:-1])} {c.words[-1]}'" for c in list(root.all())[1:]]
    lines = ["#compdef edge-net-models", "# Completion of edge-net-models for zsh.", "local command= word", "local -a found flags",
             'for word in "${(@)words[2,CURRENT-1]}"; do', '  case "$command $word" in',
             "    " + " | \\\n    ".join(steps) + ') command="${command:+$command }$word" ;;', "  esac", "done",
             'case "$command $words[CURRENT-1]" in']
    for path, _, _, flags in tables(root):
        lines += [f"  '{path} {name}') compadd {' '.join(some)}; return ;;" for names, some in flags if some for name in names]
    lines += ["esac", "case $command in"]
    lines += [f"  '{path}') found=({' '.join(words)}) flags=({' '.join(flags)}) ;;" for path, words, flags, _ in tables(root)]
    lines += ["esac", "if [[ $PREFIX == -* ]]; then compadd -- $flags", "elif (( $#found )); then compadd -- $found", "else _files", "fi"]
    return "\n".join(lines) + "\n"


def main():
    root = Command([])
    files = {"docs/man/edge-net-models.1": man_page, "cli/completion/edge-net-models.bash": bash, "cli/completion/_edge-net-models": zsh}
    stale = []
    for name, make in files.items():
        path, text = ROOT / name, make(root)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        print(f"not what --help says: {', '.join(stale)}; run make documents", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
