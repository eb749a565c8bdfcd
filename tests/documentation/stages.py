"""What `allometry run` makes of a configuration, in this process: a tenth of the time that jobs of Snakemake take."""

from pathlib import Path

from allometry import config, homogenize, retrieve
from allometry.compare import runner
from allometry.workflow import snakefile
from allometry.workflow.checks.names import check_names

STAGES = ("homogenize", "compare")


def run(file: Path, root: Path, stages: tuple[str, ...] = STAGES) -> None:
    """Homogenize and compare what the configuration names, with `results` in the present folder.

    Parameters
    ----------
    file : Path
        Configuration.
    root : Path
        The checkout, with the registry.
    stages : tuple of str
        The targets that were asked for.
    """
    cfg = config.load(file)
    registry = config.load_registry(cfg, root)
    check_names(cfg, registry)
    for kind, stores in cfg.homogenize.stores().items():
        for store in stores:
            source = snakefile.source_of(registry, kind, store)
            raw = Path("results/raw", source)
            if not (raw / "manifest.json").exists():
                retrieve.run(source, registry[source], raw, cfg.mirror, Path("results/raw/.cache"))
            recordings = cfg.homogenize.recordings.model_dump() if kind == "activity" else {}
            homogenize.run(
                snakefile.content_of(registry, kind, store),
                store,
                raw,
                snakefile.homogenized(kind, store)[0],
                options=cfg.homogenize.options.get(store, {}),
                recordings=recordings,
            )
    for name, options in cfg.compare.comparisons.items() if "compare" in stages else ():
        out = Path(snakefile.compared(name)[0])
        cards = out.with_suffix("").with_suffix(".cards.json")
        runner.run(options.model_dump(mode="json"), snakefile.comparison_stores(cfg, name), out, cards=cards)
