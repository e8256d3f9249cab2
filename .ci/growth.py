#!/usr/bin/env python3
"""Draws how processor time and memory grow with a capture: .ci/growth.py TOOL docs/growth.svg [SCALE]

Traffic of two kinds is written into a pipe, twice as much each time, and the tool's own processor
time and peak memory are taken from the operating system. SCALE multiplies all sizes (1: up to
half a GB of bulk data, and 64,000 handshakes). Prints the figures as rows of a table.
"""

import os
import subprocess
import sys
from pathlib import Path

TRAFFIC = Path(__file__).resolve().parent / "traffic.py"
# Kind, the unit it is counted in, counts, and arguments.
CURVES = [
    ("bulk", "flows of about 1 MB", [32, 64, 128, 256, 512], []),
    ("handshakes", "flows", [4000, 8000, 16_000, 32_000, 64_000], ["--horizon", "1ms"]),
]


def measure(tool, kind, count, arguments):
    """Bytes that went in, seconds of the processor, peak memory in MiB."""
    made = subprocess.Popen([sys.executable, TRAFFIC, kind, str(count), "-"], stdout=subprocess.PIPE)
    counted = subprocess.Popen(["tee", "/dev/fd/2"], stdin=made.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    length = subprocess.Popen(["wc", "-c"], stdin=counted.stderr, stdout=subprocess.PIPE, text=True)
    run = subprocess.Popen([tool, "--quiet", "--threads", "1", *arguments, "-", "-o", "jsonl:/dev/null"], stdin=counted.stdout)
    for end in (made.stdout, counted.stdout, counted.stderr):
        end.close()
    _, status, usage = os.wait4(run.pid, 0)
    if status:
        sys.exit(f"{kind} {count}: exit status {status}")
    made.wait()
    return int(length.communicate()[0]), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def panel(title, unit, points, top):
    """One curve as SVG: time as a line, memory as another."""
    most_x = max(x for x, _, _ in points)
    most_time = max(time for _, time, _ in points) * 1.15
    most_memory = max(memory for _, _, memory in points) * 1.6
    place = lambda x, y: (70 + 480 * x / most_x, top + 170 - 130 * y)
    line = lambda ys: " ".join("{:.1f},{:.1f}".format(*place(x, y)) for (x, _, _), y in zip(points, ys))
    times = line([time / most_time for _, time, _ in points])
    memories = line([memory / most_memory for _, _, memory in points])
    text = lambda x, y, words, more="": f'<text x="{x:.0f}" y="{y:.0f}" {more}>{words}</text>'
    parts = [
        text(70, top + 20, title, 'font-weight="bold"'),
        f'<path d="M70 {top + 35}V{top + 170}H560" fill="none" stroke="#888"/>',
        f'<polyline points="{times}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
        f'<polyline points="{memories}" fill="none" stroke="#b5541c" stroke-width="2" stroke-dasharray="5 3"/>',
    ]
    last = 0
    for x, time, memory in points:
        across, _ = place(x, 0)
        if across - last > 60:
            parts.append(text(across, top + 186, f"{x:,}", 'text-anchor="middle"'))
            last = across
    x, time, memory = points[-1]
    parts.append(text(565, place(x, time / most_time)[1] + 4, f"{time:.2f} s CPU", 'fill="#1f5fa8"'))
    parts.append(text(565, place(x, memory / most_memory)[1] + 4, f"{memory:.0f} MiB", 'fill="#b5541c"'))
    parts.append(text(310, top + 204, unit, 'text-anchor="middle"'))
    return "\n".join(parts)


def main():
    tool, picture, scale = sys.argv[1], sys.argv[2], float((sys.argv[3:] or [1])[0])
    panels = []
    for place, (kind, unit, counts, arguments) in enumerate(CURVES):
        points = []
        for count in counts:
            count = round(count * scale)
            length, time, memory = measure(tool, kind, count, arguments)
            points.append((count, time, memory))
            print(f"| {kind} | {count:,} {unit} | {length / 1e6:,.0f} MB | {time:.2f} s | {length / 1e9 / time:.2f} GB/s | {memory:.0f} MiB |")
        panels.append(panel(f"{kind}, one thread, from a pipe", unit, points, 10 + 225 * place))
    Path(picture).write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 460" font-family="sans-serif" font-size="12">\n'
        "<title>Processor time and peak memory by the size of a capture</title>\n"
        '<rect width="660" height="460" fill="#fff"/>\n' + "\n".join(panels) + "\n</svg>\n"
    )


if __name__ == "__main__":
    main()
