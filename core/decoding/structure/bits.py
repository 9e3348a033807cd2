"""Reading numbers of any number of bits from bytes, most significant bit first."""


class Bits:
    """A place in some bytes that moves on with each number that is read."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data, self._at = data, start * 8

    def read(self, n_bits: int) -> int:
        """The next number.

        Raises:
            IndexError: The bytes end before.
        """
        first, end = self._at // 8, -(-(self._at + n_bits) // 8)
        if end > len(self._data):
            raise IndexError
        value = int.from_bytes(self._data[first:end], "big") >> (end * 8 - self._at - n_bits)
        self._at += n_bits
        return value & ((1 << n_bits) - 1)

    def skip_uvlc(self) -> None:
        """Skip a number whose length is given by the zeros before it (AV1's uvlc)."""
        n_zeros = 0
        while not self.read(1):
            n_zeros += 1
        if n_zeros < 32:
            self.read(n_zeros)
