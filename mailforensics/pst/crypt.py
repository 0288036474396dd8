"""The two encodings of data blocks, [MS-PST] 5.1 and 5.2. They hide nothing: no key is needed."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["CryptMethod", "decode", "encode"]


class CryptMethod(IntEnum):
    """bCryptMethod of the header, [MS-PST] 2.2.2.6."""

    NONE = 0
    PERMUTE = 1
    CYCLIC = 2
    WINDOWS_PROTECTED = 0x10


PERMUTE_DECODE: Final = bytes.fromhex(
    "47f1b4e60b6a7248854e9eebe2f89453e0bba002e85a09abdbe3bac67cc310dd"
    "39059630f53760828cc9134a6b1df3fb8f2697ca911701c4322d6e3195ffd923"
    "d1005e79dc443b1a28c5615720903d83b943be67d2464276c06d5b7eb20f1629"
    "3ca903540dda5ddff6b7c762cd8d06d3695c86d614f7a56675acb1e94521700c"
    "879f74a4224c6fbf1f56aa2eb3783350b0a392bccf191ca763cb1e4d3e4b1b9b"
    "4fe7f0eead3ab55904ea40552551e57a893868527bfc27aed7bdfa07f4cc8e5f"
    "ef359c842b15d5773449b6120a7f7188fd9d18417d93d8582ccefe24afdeb836"
    "c8a180a69998a82f0e816573e4c2a28ad4e111d0088b2af2ed9a643fc16cf9ec"
)
"""mpbbI of [MS-PST] 5.1; its inverse encodes."""

PERMUTE_ENCODE: Final = bytes(PERMUTE_DECODE.index(value) for value in range(256))
"""mpbbR of [MS-PST] 5.1."""

_MIDDLE: Final = bytes.fromhex(
    "14530f56b3c87a9ceb65481716159f02cc547c83000d0c0ba262a876dbd9edc7"
    "c5a4dcac8574d6d0a79bae9a967166c36399b8dd73928e847da55ed15d93b157"
    "5150808952944f4e0a6bbc8d7f6e47464140440111cb033ff7f4e1a98f3c3af9"
    "fbf0193082092ec99da08649ee6f4d6dc42d813425871b88aafc06a11238fd4c"
    "4272641337246a757743ffe6b44b365ce4d8353d45b92cecb7312b290768a30e"
    "697b189e2139be281a5b78f523ca2ab0af3efe048ce7e5983295d3f64ae8a6ea"
    "e9f3d52f7020f21f0567ad5510cecde3273bdabad7c226d4911dd21c2233f8fa"
    "f15aefcf90b68bb5bdc0bf08971e6ce261e0c6c159abbb58de5fdf60797eb28a"
)
"""mpbbS of [MS-PST] 5.1."""

_R = np.frombuffer(PERMUTE_ENCODE, np.uint8)
_S = np.frombuffer(_MIDDLE, np.uint8)
_I = np.frombuffer(PERMUTE_DECODE, np.uint8)


def decode(data: bytes, method: int, bid: int) -> bytes:
    """Return what an encoded data block says.

    Parameters
    ----------
    data : bytes
        The block without its trailer.
    method : int
        A :class:`CryptMethod`; an unknown one leaves the bytes as they are.
    bid : int
        The identifier of the block, which is the key of the cyclic encoding.
    """
    if method == CryptMethod.PERMUTE:
        return data.translate(PERMUTE_DECODE)
    return _cyclic(data, bid) if method == CryptMethod.CYCLIC else data


def encode(data: bytes, method: int, bid: int) -> bytes:
    """Encode a data block; the inverse of :func:`decode`."""
    if method == CryptMethod.PERMUTE:
        return data.translate(PERMUTE_ENCODE)
    return _cyclic(data, bid) if method == CryptMethod.CYCLIC else data


def _cyclic(data: bytes, bid: int) -> bytes:
    """Encode or decode: the way of [MS-PST] 5.2 is its own inverse."""
    start = (bid >> 16 ^ bid) & 0xFFFF
    keys = (start + np.arange(len(data), dtype=np.uint32)).astype(np.uint16)
    low: npt.NDArray[np.uint8] = keys.astype(np.uint8)
    high: npt.NDArray[np.uint8] = (keys >> 8).astype(np.uint8)
    value = _R[np.frombuffer(data, np.uint8) + low]
    value = _S[value + high]
    value = _I[value - high]
    return bytes((value - low).tobytes())
