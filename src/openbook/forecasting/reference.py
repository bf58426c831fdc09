"""Profiles of common devices from their makers' published figures; nothing of them was measured by openbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openbook.forecasting.machine_profile import MachineProfile, Speed

# Assumptions for every device alike, made before any known training time was looked at and fitted to none. The
# peak that a maker states is reached by no program; large products and long passes over memory come to about this
# share.
_SUSTAINED_SHARE = 0.6
# Starting one kernel, and one step from Python with a look at its loss.
_KERNEL_OVERHEAD_S = 5e-6
_STEP_OVERHEAD_S = 5e-4
# Of a laptop's processor, for what does not run on the device.
_COMPILE_S = 1e-3
_DISK_GB_PER_S = 0.5
_CACHE_BYTES = 4 << 20
# Element-wise operations run at the plain arithmetic units' rate, exponentials at a quarter of it.
_TRANSCENDENTAL_SHARE = 0.25
_WHOLE = (1, 4096, 4096, 4096)


def reference_profile(name: str, figures: Mapping[str, Any]) -> MachineProfile:
    """A profile from published figures.

    Args:
        name: of the device.
        figures: `float32_tflops` and `bfloat16_tflops` (of dense products; float16 where there is no bfloat16),
            `memory_gb_per_s`, `memory_gb`, `label` and `source`.
    """
    float32, bfloat16 = (
        _SUSTAINED_SHARE * 1e3 * figures[key] for key in ("float32_tflops", "bfloat16_tflops")
    )
    bandwidth = _SUSTAINED_SHARE * figures["memory_gb_per_s"]
    products = (
        Speed(dtype="float32", shape=_WHOLE, gflops=float32),
        Speed(dtype="bfloat16", shape=_WHOLE, gflops=bfloat16),
    )
    convolutions = products[:1]
    return MachineProfile(
        name=name,
        origin="published",
        source=f"{figures['label']}: {figures['source']}",
        identity={"device": figures["label"]},
        products=products,
        convolutions=convolutions,
        convolution_gradients=(convolutions, convolutions),
        memory_gb_per_s=bandwidth,
        cache_gb_per_s=bandwidth,
        cache_bytes=_CACHE_BYTES,
        element_gops=float32,
        transcendental_gops=_TRANSCENDENTAL_SHARE * float32,
        scattered_gb_per_s=bandwidth / 4,
        kernel_overhead_s=_KERNEL_OVERHEAD_S,
        loop_overhead_s=_KERNEL_OVERHEAD_S,
        step_overhead_s=_STEP_OVERHEAD_S,
        compile_s=_COMPILE_S,
        memory_bytes=int(1e9 * figures["memory_gb"]),
        process_bytes=0,
        program_bytes=0.0,
        disk_gb_per_s=_DISK_GB_PER_S,
    )
