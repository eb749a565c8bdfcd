"""The loop over a block of neurons around the step of their model, compiled per model and called through its address.

The source of the loop is written here, from the names that the model declares: one line per state variable, receptor and
constant. Constants that differ between neurons are read per neuron, all others once per block. The step is a function of
one neuron with selects only, so that the loop vectorises. `advance` calls every block in the same way: it is not compiled
anew for other models.

Neurons of a model that `rests` are taken in tiles. A tile that a step has left as it was sleeps: the same step would leave
it so again, until something arrives. Nothing changes but the time.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import hashlib
import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types  # type: ignore[attr-defined]
from numba.core.errors import NumbaError
from numba.extending import intrinsic, overload

from allometry.errors import SimulationError
from allometry.network.code import digest
from allometry.network.neuron_model import CURRENT, GAP, Form, arguments
from allometry.simulate.kernels.compiled import LibmCalled, compiled_callback
from allometry.simulate.kernels.neurons.steps import compiled_step

_POINTERS = (
    "state",
    "double",
    "count",
    "current",
    "gap",
    "arrived",
    "constants",
    "steps",
    "varied",
    "varied_steps",
    "flag",
    "awake",
)
_NUMBERS = ("stride", "slots", "n")
_WIDTHS = {"real": "state", "double": "double", "count": "count"}
TILE = 256
"""Neurons that fall asleep and wake together."""
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_LOCK = threading.Lock()
_BLOCKS: dict[str, Any] = {}


def cast(x, like):
    """Convert a number to the element type of the array `like`."""
    return like.dtype.type(x)


@overload(cast, inline="always")
def _cast(x, like):
    if like.dtype == types.float32:
        return lambda x, like: np.float32(x)
    if like.dtype == types.float64:
        return lambda x, like: np.float64(x)
    if like.dtype == types.int32:
        return lambda x, like: np.int32(x)
    return lambda x, like: np.int64(x)


@intrinsic
def call_block(
    typingctx, block, state, state_at, double, double_at, count, count_at, current, gap, neuron, arrived, slot, constants,
    constant_at, steps, steps_at, varied, varied_at, varied_steps, varied_steps_at, flag, awake, awake_at, stride, slots, n,
):  # fmt: skip
    """Call the block at an address for `n` neurons; returns the number of spikes.

    Every array is passed from the element on whose number follows it (`current` and `gap` share `neuron`).
    """
    places = (2, 4, 6, 9, 9, 11, 13, 15, 17, 19, None, 22)
    at = (1, 3, 5, 7, 8, 10, 12, 14, 16, 18, 20, 21)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = []
        for position, place in zip(at, places):
            data = context.make_array(signature.args[position])(context, builder, args[position]).data
            pointers.append(data if place is None else builder.gep(data, [args[place]]))
        numbers = list(args[23:])
        kind = ir.FunctionType(ir.IntType(32), [x.type for x in (*pointers, *numbers)])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [*pointers, *numbers])

    whole = types.int64
    signature = types.int32(
        whole, state, whole, double, whole, count, whole, current, gap, whole, arrived, whole, constants, whole, steps,
        whole, varied, whole, varied_steps, whole, flag, awake, whole, whole, whole, whole,
    )  # fmt: skip
    return signature, codegen


def source(form: type[Form], name: str, varied: Sequence[str], whole: Sequence[str], constants: Sequence[str]) -> str:
    """Return the source of a block.

    Parameters
    ----------
    form : class
        What is integrated.
    name : str
        Name of the function.
    varied : sequence of str
        Constants (and `current`) that differ between neurons.
    whole : sequence of str
        Constants that are whole numbers.
    constants : sequence of str
        All constants, in the order in which they are passed; those of whole numbers and others are numbered apart.
    """
    head, call, tail = [], {}, []
    numbers = dict.fromkeys(_WIDTHS, 0)
    for s in form.states:
        head.append(_slice(f"s_{s.name}", _WIDTHS[s.width], numbers[s.width], "stride"))
        numbers[s.width] += 1
        call[s.name] = f"s_{s.name}[i]"
        tail.append(f"s_{s.name}[i] = new_{s.name}")
    for number, r in enumerate(form.receptors):
        head.append(_slice(f"r_{r.name}", "arrived", number, "slots"))
        call[r.name] = f"real(r_{r.name}[i]) * quantum"
        tail.append(f"r_{r.name}[i] = 0")
    head.append("quantum = carray(constants, 1)[0]")
    for names, one, several, first in (
        ([c for c in constants if c not in whole], "constants", "varied", 1),
        ([c for c in constants if c in whole], "steps", "varied_steps", 0),
    ):
        alike = [c for c in names if c not in varied]
        for number, c in enumerate(alike):
            head.append(f"k_{c} = carray({one}, {number + first + 1})[{number + first}]")
            call[c] = f"k_{c}"
        for number, c in enumerate([c for c in names if c in varied]):
            head.append(_slice(f"k_{c}", several, number, "stride"))
            call[c] = f"k_{c}[i]"
    if CURRENT in varied:
        head.append(_slice("k_current", CURRENT, 0, "n"))
        call[CURRENT] = "k_current[i]"
    else:
        head.append("k_current = carray(current, 1)[0]")
        call[CURRENT] = "k_current"
    head.append(_slice("k_gap", GAP, 0, "n"))
    call[GAP] = "k_gap[i]"
    results = ", ".join(f"new_{s.name}" for s in form.states)
    given = ", ".join(call[a] for a in arguments(form))
    rests = getattr(form, "rests", False)
    changed = " or ".join(f"new_{s.name} != s_{s.name}[i]" for s in form.states)
    loop = [
        f"{results}, fired = step({given})",
        *([f"moved = uint8(moved | uint8({changed}))"] if rests else []),
        *tail,
        "flags[i] = uint8(1) if fired else uint8(0)",
        "spikes = int32(spikes + int32(fired))",
    ]
    lines = [
        f"def {name}({', '.join((*_POINTERS, *_NUMBERS))}):",
        *(f"    {line}" for line in (*head, "flags = carray(flag, n)", "spikes = int32(0)")),
        *(_in_tiles(form, head, loop) if rests else ["    for i in range(n):", *(f"        {line}" for line in loop)]),
        "    return spikes",
    ]
    return "\n".join(lines) + "\n"


def _in_tiles(form: type[Form], head: Sequence[str], loop: Sequence[str]) -> list[str]:
    """Return the lines of a loop over tiles, of which those that sleep are left out."""
    arrays = [*(line.split(" = ")[0] for line in head if line.endswith(":]")), "flags"]
    tile = {array: f"{array}_tile" for array in arrays}
    within = re.compile(r"\b(" + "|".join(arrays) + r")\[i\]")
    loop = [within.sub(lambda found: f"{tile[found[1]]}[i]", line) for line in loop]
    arrived = " | ".join(f"r_{r.name}[i]" for r in form.receptors)
    lines = [
        "for i in range(n):",
        "    flags[i] = uint8(0)",
        f"awakes = carray(awake, (n + {TILE - 1}) // {TILE})",
        f"for t in range((n + {TILE - 1}) // {TILE}):",
        f"    low = t * {TILE}",
        f"    high = min(low + {TILE}, n)",
        "    if awakes[t] == 0:",
        "        arrives = total(0)",
        # An index without a sign is never counted from the end, which would keep the loop from being vectorised.
        "        for i in range(uint64(low), uint64(high)):",
        f"            arrives |= {arrived}",
        "        if arrives == 0:",
        "            continue",
        *(f"    {short} = {array}[low:high]" for array, short in tile.items()),
        "    moved = uint8(0)",
        "    for i in range(high - low):",
        *(f"        {line}" for line in loop),
        "    awakes[t] = moved",
    ]
    return [f"    {line}" for line in lines]


def _slice(name: str, array: str, number: int, stride: str) -> str:
    return f"{name} = carray({array}, {number} * {stride} + n)[{number} * {stride} :]"


def block_address(
    form: type[Form],
    title: str,
    varied: Sequence[str],
    whole: Sequence[str],
    constants: Sequence[str],
    real: type,
    total: type,
) -> int:
    """Return the address of the compiled block, which is compiled where neither this process nor the cache has it.

    Raises
    ------
    SimulationError
        If the step cannot be compiled.
    """
    body = source(form, "block", varied, whole, constants)
    key = f"{body}\n{digest(form.step)}\n{np.dtype(real).name} {np.dtype(total).name}"
    with _LOCK:
        if key not in _BLOCKS:
            _BLOCKS[key] = _compile(form, title, body, hashlib.sha256(key.encode()).hexdigest(), real, total)
        return int(_BLOCKS[key].address)


def _compile(form: type[Form], title: str, body: str, code: str, real: type, total: type) -> Any:
    name = f"block_{title}_{code[:16]}"
    environment = {
        "__name__": __name__, "carray": carray, "real": real, "total": total, "int32": np.int32, "uint8": np.uint8,
        "uint64": np.uint64, "step": compiled_step(form.step),
    }  # fmt: skip
    exec(compile(body.replace("def block(", f"def {name}(", 1), __file__, "exec"), environment)
    single, whole = types.CPointer(_numba(real)), types.int64
    pointers = {
        "double": types.float64,
        "count": types.int16,
        "arrived": _numba(total),
        "flag": types.uint8,
        "awake": types.uint8,
    }
    pointers |= dict.fromkeys(("steps", "varied_steps"), types.int16)
    signature = types.int32(
        *(types.CPointer(pointers[p]) if p in pointers else single for p in _POINTERS), *(whole for _ in _NUMBERS)
    )
    where = f"neuron model {title}, {form.step.__code__.co_filename}:{form.step.__code__.co_firstlineno}"
    try:
        return compiled_callback(environment[name], signature, code)
    except LibmCalled as error:
        raise SimulationError(
            f"the step calls {error} of libm, which differs between machines",
            where=where,
            expected="arithmetic and selects",
            do="use exp from allometry.network.step_functions; compute what does not change in `constants`",
        ) from error
    except NumbaError as error:
        lines = [line for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()]
        said = next(
            (line for line in lines if line.startswith(("NameError", "Untyped", "No implementation"))), lines[-1]
        )
        raise SimulationError(
            f"the step cannot be compiled: {said.strip()}",
            where=where,
            expected="arithmetic on numbers, selects, and exp from allometry.network.step_functions",
        ) from error


def _numba(kind: type) -> Any:
    return getattr(types, np.dtype(kind).name)
