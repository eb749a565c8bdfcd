"""Which NWB 2 files there are, and what they have something for, from the names in them; for `allometry inspect`."""

from typing import Any

from allometry.homogenize.look import LIKELY, Files, Finding


def recognise(files: Files) -> list[Finding]:
    """NWB 2 files: a store of each kind that they have something for."""
    found = []
    for path in files.paths:
        peek = files.peek(path)
        inside = any(name.endswith("specifications/.zgroup") or "specifications/" in name for name in peek.members)
        packed = peek.form == "zip" and inside and ".nwb" in path.name
        folder = peek.form == "folder" and any("specifications/" in name for name in peek.arrays)
        if (
            not packed
            and not folder
            and not (peek.form == "hdf5" and str(peek.attrs.get("nwb_version", "")).lstrip("NWB-").startswith("2"))
        ):
            continue
        names = [name.partition(".nwb.zarr/")[2] or name for name in peek.members] if packed else list(peek.arrays)
        units = any(name.startswith("units/spike_times") for name in names)
        rois = any(name.endswith(("/rois", "/rois/.zarray")) for name in names)
        voltages = any("ElectricalSeries" in name or "/LFP/" in name for name in names)
        shown = any(name.startswith(("intervals/trials", "intervals/")) and "start_time" in name for name in names)
        stores_: dict[str, tuple[str, dict[str, Any]]] = {"spikes": ("spikes", {})} if units else {}
        stores_ |= {"activity": ("activity", {})} if rois or (voltages and not units) else {}
        stores_ |= {"responses": ("responses", {})} if shown and (units or rois) else {}
        made = {"": next(iter(stores_.values()))} if len(stores_) == 1 else stores_
        if made:
            facts = (f"holds {', '.join(stores_)}",)
            left = voltages and "activity" not in stores_
            doubts = ("it has voltages too: a store of kind `activity` reads the LFP",) if left else ()
            found.append(Finding("session in NWB 2", {path.name: path}, made, LIKELY, facts, doubts))
    return found
