"""Elman's C++ kernels."""

def instruction_sets() -> list[str]:
    """Names of the instruction sets this processor runs, widest last.

    The first is always `generic`; then `avx2` (with FMA), `avx512` (F, BW, DQ, VL) and
    `avx512_bf16` on x86, or `neon` on Arm.
    """

def compiler() -> str:
    """The compiler that built the kernels, with its version: `gcc 12.2.0`."""
