"""A PNG as Chromium takes it, made smaller: at most 256 colours, by median cut over the colours that are there. No library is needed."""

import collections
import struct
import zlib

COLOURS = 256


def chunks(png):
    at = 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        yield kind, png[at + 8:at + 8 + length]
        at += length + 12


def unfilter(kind, line, above, step):
    """One line of bytes as it was before PNG's filter (PNG specification, chapter 9)."""
    if kind == 2:
        return bytearray((a + b) & 255 for a, b in zip(line, above))
    for i, value in enumerate(line):
        left, up = line[i - step] if i >= step else 0, above[i]
        if kind == 1:
            line[i] = (value + left) & 255
        elif kind == 3:
            line[i] = (value + (left + up) // 2) & 255
        elif kind == 4:
            corner = above[i - step] if i >= step else 0
            guess = left + up - corner
            far = (abs(guess - left), abs(guess - up), abs(guess - corner))
            line[i] = (value + (left if far[0] <= far[1] and far[0] <= far[2] else up if far[1] <= far[2] else corner)) & 255
    return line


def pixels(png):
    """Width and lines of (red, green, blue)."""
    parts = collections.defaultdict(bytes)
    for kind, data in chunks(png):
        parts[kind] += data
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert depth == 8 and colour in (2, 6) and not interlaced, "a PNG as browsers make them"
    step = 3 if colour == 2 else 4
    raw, size, above, lines = zlib.decompress(parts[b"IDAT"]), width * step, bytearray(width * step), []
    for row in range(height):
        at = row * (size + 1)
        above = unfilter(raw[at], bytearray(raw[at + 1:at + 1 + size]), above, step)
        lines.append(list(zip(above[0::step], above[1::step], above[2::step])))
    return width, lines


def cut(counts):
    """Each colour's place in a palette, and the palette."""
    boxes = [list(counts)]
    while len(boxes) < min(COLOURS, len(counts)):
        def spread(box):
            if len(box) == 1:
                return (0, 0)
            return max((max(c[i] for c in box) - min(c[i] for c in box), i) for i in range(3))
        sizes = [spread(box)[0] * sum(counts[c] for c in box) for box in boxes]
        box = boxes.pop(sizes.index(max(sizes)))
        side = spread(box)[1]
        box.sort(key=lambda c: c[side])
        boxes += [box[:len(box) // 2], box[len(box) // 2:]]
    places, palette = {}, []
    for place, box in enumerate(boxes):
        # The commonest colour of a box stands for all of it, so that grounds stay exactly as they are.
        palette.append(max(box, key=lambda c: counts[c]))
        places.update((c, place) for c in box)
    return places, palette


def smaller(png):
    width, lines = pixels(png)
    places, palette = cut(collections.Counter(c for line in lines for c in line))
    raw = b"".join(b"\0" + bytes(places[c] for c in line) for line in lines)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(lines), 8, 3, 0, 0, 0)) +
            chunk(b"PLTE", bytes(v for c in palette for v in c)) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))
