# SPDX-License-Identifier: Apache-2.0
"""tools/tidy and tools/check_layers find what they are for: each is run on small trees."""
import os
import shutil
import subprocess
import sys

import pytest

TOOLS = os.path.join(os.path.dirname(__file__), "..", "..", "tools")
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n/* thing: a file with a purpose told here. */\n"


def write(root, path, text):
    full = root / path
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_text(text)


def tidy(root, *flags):
    done = subprocess.run([sys.executable, os.path.join(TOOLS, "tidy"), "--root", str(root), *flags],
                          stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    return done.returncode, [line.split(": ")[1] for line in lines[:-1]], done.stdout


def a_function(name, lines, signature="int {}(void)"):
    body = "".join(f"    work({n});\n" for n in range(lines - 2))
    return signature.format(name) + "\n{\n" + body + "}\n"


def test_clean_tree_passes(tmp_path):
    shutil.copy(os.path.join(TOOLS, "..", ".clang-format"), tmp_path)
    write(tmp_path, "src/room/thing.c", HEAD + a_function("thing_make", 10))
    write(tmp_path, "src/room/user.c", HEAD + "static int user(void)\n{\n    thing_make();\n}\n")
    status, rules, output = tidy(tmp_path)
    assert (status, rules) == (0, []), output


BAD_FILES = [
    ("spdx", "src/room/thing.c", "/* thing: a file with a purpose told here. */\n"),
    ("head", "src/room/thing.c", "/* SPDX-License-Identifier: Apache-2.0 */\nint x;\n"),
    ("function-length", "src/room/thing.c", HEAD + a_function("thing", 71, "static int {}(void)")),
    ("parameters", "src/room/thing.c",
     HEAD + a_function("thing", 3, "static int {}(int a, int b, int c, int d, int e, int f)")),
    ("file-length", "src/room/thing.c", HEAD + "int x;\n" * 799),
    ("line-length", "src/room/thing.c", HEAD + "/* " + "x" * 100 + " */\n"),
    ("note", "src/room/thing.c", HEAD + "/* FIX" + "ME: later */\n"),
    ("note", "src/room/thing.c", HEAD + "/* TO" + "DO: later */\n"),
    ("banned", "src/room/thing.c", HEAD + "static int thing(void)\n{\n    strcpy(a, b);\n}\n"),
    ("banned", "src/room/thing.c", HEAD + "static int thing(void)\n{\n    printf(a);\n}\n"),
    ("memory", "src/room/thing.c", HEAD + "static int thing(void)\n{\n    free(a);\n}\n"),
    ("name", "src/room/thing.c", HEAD + a_function("other", 3) + "/* */\n"),
    ("lonely", "src/room/thing.c", HEAD + a_function("thing_make", 3)),
    ("format", "src/room/thing.c", HEAD + "int   x;\n"),
    ("spdx", "tests/thing.py", "print()\n"),
]


@pytest.mark.parametrize("rule,path,text", BAD_FILES)
def test_bad_file_is_found(tmp_path, rule, path, text):
    flags = [] if rule == "format" else ["--no-format"]
    write(tmp_path, path, text)
    status, rules, output = tidy(tmp_path, *flags)
    assert status == 1 and rule in rules, output


GOOD_FILES = [
    ("a banned word in a comment or a string",
     HEAD + 'static int thing(void)\n{\n    /* strcpy(a, b) */\n    say("sprintf(x)");\n}\n'),
    ("a member of a banned name", HEAD + "static int thing(void)\n{\n    arena->free(a);\n}\n"),
    ("memory where something is opened",
     HEAD + "static int thing_open(void)\n{\n    a = malloc(8);\n}\n"),
    ("a note with its issue", HEAD + "/* TO" + "DO (issue 12): later */\n"),
    ("five parameters of which one is a function",
     HEAD + a_function("thing", 3, "static int {}(int a, int (*b)(int, int), int c, int d, int e)")),
    ("seventy lines", HEAD + a_function("thing", 70, "static int {}(void)")),
]


@pytest.mark.parametrize("text", [text for _, text in GOOD_FILES], ids=[n for n, _ in GOOD_FILES])
def test_good_file_passes(tmp_path, text):
    write(tmp_path, "src/room/thing.c", text)
    status, _, output = tidy(tmp_path, "--no-format")
    assert status == 0, output


def test_exemption_needs_a_reason_and_a_use(tmp_path):
    write(tmp_path, "src/room/thing.c", HEAD + "static int thing(void)\n{\n    free(a);\n}\n")
    write(tmp_path, "tools/tidy.allow", "memory src/room/thing.c:free  # it must be so\n")
    assert tidy(tmp_path, "--no-format")[0] == 0
    write(tmp_path, "tools/tidy.allow", "memory src/room/thing.c:free\n")
    assert tidy(tmp_path, "--no-format")[1] == ["memory", "allow"]
    write(tmp_path, "tools/tidy.allow",
          "memory src/room/thing.c  # it must be so\nmemory src/room/gone.c  # once\n")
    assert tidy(tmp_path, "--no-format")[1] == ["allow"]


def layers(root):
    done = subprocess.run([os.path.join(TOOLS, "check_layers"), str(root)],
                          stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


LAYERS = "# lowest first\nground:\nfloor: ground\nroof: floor ground\n"


@pytest.mark.parametrize("path,include,complaint", [
    ("src/floor/a.c", "ground/x.h", None),
    ("src/floor/a.c", "floor/x.h", None),
    ("src/floor/a.c", "stator.h", None),
    ("src/main.c", "roof/x.h", None),
    ("src/floor/a.c", "roof/x.h", "room floor may not include"),
    ("src/ground/a.h", "floor/x.h", "room ground may not include"),
    ("src/floor/a.c", "x.h", "write it from src/"),
    ("src/floor/a.c", "cellar/x.h", "no such room"),
    ("src/cellar/a.c", "ground/x.h", "is not in src/LAYERS"),
    ("include/stator.h", "ground/x.h", "the public header includes"),
])
def test_layers(tmp_path, path, include, complaint):
    write(tmp_path, "include/keep.h", "")
    write(tmp_path, "src/LAYERS", LAYERS)
    write(tmp_path, path, f'#include "{include}"\n')
    status, output = layers(tmp_path)
    assert (status != 0) == (complaint is not None), output
    assert complaint is None or complaint in output


def test_layers_refuses_a_circle(tmp_path):
    write(tmp_path, "include/keep.h", "")
    write(tmp_path, "src/LAYERS", "ground: roof\nroof: ground\n")
    status, output = layers(tmp_path)
    assert status != 0 and "is not listed above" in output
