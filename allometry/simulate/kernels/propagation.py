"""Trials of signal propagation side by side: the trial is the innermost, vectorised index."""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import numpy as np

from allometry.simulate.kernels.compiled import compiled


@compiled
def trials(
    driven, steps, period, kick, reset, threshold, a, b, c, rate, hold, limits, target, weight, delay, gap_limits,
    gap_source, gap_weight,
):  # fmt: skip
    """Return the peaks, float64 [neuron, trial], of one block of trials."""
    n, lanes = len(hold), len(driven)
    longest = 1
    for e in range(len(delay)):
        longest = max(longest, delay[e])
    delays = np.unique(delay)[::-1]
    # Spikes of the last steps, delivered when they arrive: a sum per target for every step to come would leave the cache.
    slots = longest + 1
    sent, sender, sender_lane = (
        np.zeros(slots, np.int64),
        np.empty((slots, n * lanes), np.int32),
        np.empty((slots, n * lanes), np.int32),
    )
    arrived = np.zeros((n, lanes))
    v, old = np.zeros((n, lanes)), np.zeros((n, lanes))
    reached, seen = np.zeros((n, lanes)), np.zeros((n, lanes))
    g, peak = np.zeros((n, lanes)), np.zeros((n, lanes))
    refractory = np.zeros((n, lanes), np.int16)
    joined, kicked = np.zeros(lanes), np.zeros(lanes)
    flag = np.zeros(lanes, np.uint8)
    lane = np.full(n, -1, np.int64)
    for t in range(lanes):
        lane[driven[t]] = t
    for step in range(steps):
        old, v = v, old
        seen, reached = reached, seen
        slot = step % slots
        sent[slot] = 0
        for d in delays:
            past = (step - d) % slots
            for k in range(sent[past]):
                j, t = sender[past, k], sender_lane[past, k]
                for e in range(limits[j], limits[j + 1]):
                    if delay[e] == d:
                        arrived[target[e], t] += weight[e]
        for i in range(n):
            for t in range(lanes):
                joined[t] = 0.0
            mine, first, last = old[i], gap_limits[i], gap_limits[i + 1]
            # Two edges at a time, in their order: half the traffic of the sum.
            for e in range(first, last - 1, 2):
                w, other, x, another = gap_weight[e], seen[gap_source[e]], gap_weight[e + 1], seen[gap_source[e + 1]]
                for t in range(lanes):
                    joined[t] = joined[t] + w * (other[t] - mine[t]) + x * (another[t] - mine[t])
            if (last - first) % 2:
                w, other = gap_weight[last - 1], seen[gap_source[last - 1]]
                for t in range(lanes):
                    joined[t] += w * (other[t] - mine[t])
            own = lane[i]
            if own >= 0:
                kicked[own] = kick if step % period == 0 else 0.0
            fired = _neuron(
                v[i], old[i], reached[i], g[i], refractory[i], arrived[i], joined, kicked, peak[i], flag, reset, threshold, a, b, c,
                rate, hold[i],
            )  # fmt: skip
            if own >= 0:
                kicked[own] = 0.0
                refractory[i, own] = 0
            if fired > 0:
                for t in range(lanes):
                    if flag[t] != 0:
                        sender[slot, sent[slot]], sender_lane[slot, sent[slot]] = i, t
                        sent[slot] += 1
    return peak


@compiled
def _neuron(
    v, old, reached, g, refractory, arrived, joined, kicked, peak, flag, reset, threshold, a, b, c, rate, hold
):  # fmt: skip
    spikes = np.int32(0)
    for t in range(len(v)):
        r = refractory[t]
        free = r == 0
        moved = (old[t] * a + g[t] * c + joined[t] * rate) if free else old[t]
        held = (g[t] * b if free else g[t]) + arrived[t]
        arrived[t] = 0.0
        moved += kicked[t]
        reached[t] = moved
        peak[t] = max(peak[t], moved)
        fired = free and moved > threshold
        v[t] = reset if fired else moved
        g[t] = 0.0 if fired else held
        refractory[t] = hold if fired else (np.int16(r - np.int16(1)) if r > 0 else np.int16(0))
        flag[t] = np.uint8(1) if fired else np.uint8(0)
        spikes = np.int32(spikes + np.int32(fired))
    return spikes
