#!/usr/bin/env python3
"""Runs the commands of a page and compares what they print with what the page says they print.

    readme.py README.md ...

Looked at are the blocks marked `console`: each line that begins with `$ ` is run by bash in the
folder of the package, and what follows is its standard output. A line `...` stands for any number
of lines. Blocks of other kinds are for reading. A command without output on the page only has to
end with 0.
"""

import re
import subprocess
import sys


def main(pages):
    count = 0
    failed = 0
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
            for command, expected in commands(block):
                count += 1
                run = subprocess.run(
                    ["bash", "-c", command], stdout=subprocess.PIPE, text=True, check=False
                )
                status = 0
                lines = expected.rstrip("\n").split("\n")
                # What `echo $?` would say stands in the command itself where it is not 0.
                if run.returncode != status or (
                    expected and not alike(lines, run.stdout.rstrip("\n").split("\n"))
                ):
                    failed += 1
                    print(f"{page}: $ {command}\n  ended with {run.returncode} and printed:")
                    print(run.stdout)
                else:
                    print(f"as on the page: $ {command}", flush=True)
    print(f"{count - failed} of {count} commands do what the page says")
    return 1 if failed or count == 0 else 0


def commands(block):
    command, output = None, []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(output)
            command, output = line[2:], []
        elif command is not None and command.endswith("\\"):
            command += "\n" + line
        else:
            output.append(line)
    if command is not None:
        yield command, "\n".join(output)


def alike(expected, actual):
    """Whether the lines are the same, where `...` stands for any."""
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(alike(expected[1:], actual[at:]) for at in range(len(actual) + 1))
    return bool(actual) and expected[0] == actual[0] and alike(expected[1:], actual[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
