"""Files that mean no good."""

import struct
import zlib


def tiny_png(width, height):
    """A PNG of zeros that is small however large the picture is."""

    def chunk(name, data):
        body = name + data
        return struct.pack('>I', len(data)) + body + struct.pack(
            '>I', zlib.crc32(body))

    packer, rows = zlib.compressobj(9), bytes(width // 8 + 1) * 100
    data = b''.join(packer.compress(rows) for _ in range(height // 100))
    header = struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
            + chunk(b'IDAT', data + packer.flush()) + chunk(b'IEND', b''))
