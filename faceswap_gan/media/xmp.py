"""Marks inside picture files: an XMP packet that says how the picture came to be."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr, unescape

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
_TIFF_XMP, _TIFF_BYTE = 700, 1
_EXTENDED, _HAS_XMP, _HAS_ALPHA = b"VP8X", 0x04, 0x10

_PACKET = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
_KIND = re.compile(r"Iptc4xmpExt:DigitalSourceType\s*(?:=\s*[\"']|>\s*)([^\"'<]+)")
_TEXT = re.compile(r"<dc:description>.*?<rdf:li[^>]*>(.*?)</rdf:li>", re.DOTALL)


def add_xmp(data: bytes, metadata: Mapping[str, str]) -> bytes:
    """Put an XMP packet into an encoded PNG, JPEG, WebP or TIFF; other formats come back unchanged.

    ``comment`` becomes dc:description, ``digital_source_type`` Iptc4xmpExt:DigitalSourceType.

    Args:
        data: the encoded picture.
        metadata: the same tags a video would carry.

    References:
        XMP specification part 3 (2020), 1.1.3 JPEG, 1.1.5 PNG, 1.1.8 TIFF, 1.1.9 WebP; IPTC photo metadata 2023.1.
    """
    if not metadata:
        return data
    packet = _packet(metadata).encode()
    if data.startswith(_PNG):
        body = b"iTXt" + b"XML:com.adobe.xmp\0\0\0\0\0" + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        end_of_header = len(_PNG) + 25
        return data[:end_of_header] + chunk + data[end_of_header:]
    if data.startswith(_JPEG):
        payload = b"http://ns.adobe.com/xap/1.0/\0" + packet
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _add_to_webp(data, packet)
    if data[:4] in _TIFF:
        return _add_to_tiff(data, packet, _TIFF[data[:4]])
    return data


def read_xmp(data: bytes) -> dict[str, str]:
    """Read the tags that `add_xmp` writes out of a picture file of any format.

    Returns:
        ``comment`` and ``digital_source_type`` (IPTC's term without its address), as far as they are there.
    """
    found = _PACKET.search(data)
    text = found.group().decode("utf-8", "replace") if found else ""
    tags = {}
    if description := _TEXT.search(text):
        tags["comment"] = unescape(description.group(1))
    if kind := _KIND.search(text):
        tags["digital_source_type"] = unescape(kind.group(1)).strip().removeprefix(SOURCE_TYPE)
    return tags


def _packet(metadata: Mapping[str, str]) -> str:
    kind = metadata.get("digital_source_type")
    source = f" Iptc4xmpExt:DigitalSourceType={quoteattr(SOURCE_TYPE + kind)}" if kind else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"{source}>'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(metadata.get("comment", ""))}</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description>"
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def _add_to_webp(data: bytes, packet: bytes) -> bytes:
    """Append an XMP chunk, after making a simple file an extended one, which alone may have it."""
    kind, body = data[12:16], data[12:]
    if kind == _EXTENDED:
        body = body[:8] + bytes([body[8] | _HAS_XMP]) + body[9:]
    else:
        width, height, alpha = _webp_size(kind, data[20:30])
        flags = _HAS_XMP | (_HAS_ALPHA if alpha else 0)
        head = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = _chunk(_EXTENDED, head) + body
    body += _chunk(b"XMP ", packet)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _webp_size(kind: bytes, start: bytes) -> tuple[int, int, bool]:
    """Read width, height and whether there may be alpha off the first bytes of a bitstream."""
    if kind == b"VP8L":  # WebP lossless bitstream specification, 3
        bits = int.from_bytes(start[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    width, height = struct.unpack("<HH", start[6:10])  # RFC 6386, 9.1
    return width & 0x3FFF, height & 0x3FFF, False


def _add_to_tiff(data: bytes, packet: bytes, order: str) -> bytes:
    """Append the packet and a new first directory that names it beside all that the old one names."""
    (start,) = struct.unpack(order + "I", data[4:8])
    (count,) = struct.unpack(order + "H", data[start : start + 2])
    end = start + 2 + 12 * count
    entries = [data[i : i + 12] for i in range(start + 2, end, 12)]
    data += b"\0" * (len(data) % 2)
    entries.append(struct.pack(order + "HHII", _TIFF_XMP, _TIFF_BYTE, len(packet), len(data)))
    entries.sort(key=lambda entry: struct.unpack(order + "H", entry[:2])[0])
    following = data[end : end + 4]
    data += packet + b"\0" * (len(packet) % 2)
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + following
    return data[:4] + struct.pack(order + "I", len(data)) + data[8:] + directory
