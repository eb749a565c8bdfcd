"""Coarse-grained V1: networks that are observed, tables that are taken from some of them, and what the model misses of others."""

from allometry.workflow.places import coarse as coarse_places

for name, seed in (
    (name, seed) for name in cfg.scale.coarse for seed in coarse_places.seeds(cfg, name)
):

    rule:
        name:
            f"coarse_observe_{name}_{seed}"
        output:
            stores=directory(coarse_places.observed(cfg, name, seed)),
            manifests=coarse_places.manifests(coarse_places.observed(cfg, name, seed)),
        log:
            f"results/logs/scale/{name}/seed_{seed}.observe.log",
        benchmark:
            f"results/benchmarks/scale/{name}/seed_{seed}.observe.tsv"
        conda:
            "../envs/allometry.yaml"
        threads: max(1, workflow.resource_settings.cores or 1)
        resources:
            mem_mb=4000,
            runtime=240,
        params:
            code=rule_code.of_script("coarse_observe", "allometry.models.v1"),
            settings=coarse_places.observing(cfg, name, seed),
            seed=seed,
            checkpoint=f"results/checkpoints/{name}/seed_{seed}",
            provenance={"rule": "coarse_observe", "model": name},
        message:
            f"Simulating V1 for the coarse-grained model {name}: seed {seed}"
        script:
            "../scripts/coarse_observe.py"


rule coarse_tables:
    input:
        # content, not the time of a folder, says whether a store is another: its manifest
        stores=ancient(
            lambda wildcards: coarse_places.of_part(cfg, wildcards.coarse, "training")
        ),
        manifests=lambda wildcards: coarse_places.manifests(
            coarse_places.of_part(cfg, wildcards.coarse, "training")
        ),
    output:
        store=directory("results/scaled/{coarse}/tables.zarr"),
        manifest="results/scaled/{coarse}/tables.manifest.json",
    log:
        "results/logs/scale/{coarse}/tables.log",
    benchmark:
        "results/benchmarks/scale/{coarse}/tables.tsv"
    wildcard_constraints:
        coarse=coarse_places.names(cfg),
    conda:
        "../envs/allometry.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        code=rule_code.of_script("coarse_tables", "allometry.models.v1"),
        settings=lambda wildcards: coarse_places.settings_of(
            cfg, wildcards.coarse, "training"
        ),
        observed=lambda wildcards: coarse_places.by_seed(
            cfg, wildcards.coarse, "training"
        ),
        provenance=lambda wildcards: {
            "rule": "coarse_tables",
            "model": wildcards.coarse,
        },
    message:
        "Taking the response tables of the coarse-grained model {wildcards.coarse}"
    script:
        "../scripts/coarse_tables.py"


rule coarse_evaluate:
    input:
        tables=ancient("results/scaled/{coarse}/tables.zarr"),
        tables_manifest="results/scaled/{coarse}/tables.manifest.json",
        stores=ancient(
            lambda wildcards: coarse_places.of_part(
                cfg, wildcards.coarse, "evaluation"
            )
        ),
        manifests=lambda wildcards: coarse_places.manifests(
            coarse_places.of_part(cfg, wildcards.coarse, "evaluation")
        ),
    output:
        store=directory("results/scaled/{coarse}.zarr"),
        manifest="results/scaled/{coarse}.manifest.json",
    log:
        "results/logs/scale/{coarse}.log",
    benchmark:
        "results/benchmarks/scale/{coarse}.tsv"
    wildcard_constraints:
        coarse=coarse_places.names(cfg),
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=rule_code.of_script("coarse_evaluate", "allometry.models.v1"),
        settings=lambda wildcards: coarse_places.settings(cfg, wildcards.coarse),
        observed=lambda wildcards: coarse_places.by_seed(
            cfg, wildcards.coarse, "evaluation"
        ),
        provenance=lambda wildcards: {
            "rule": "coarse_evaluate",
            "model": wildcards.coarse,
        },
    message:
        "Holding the coarse-grained model {wildcards.coarse} against the network"
    script:
        "../scripts/coarse_evaluate.py"
