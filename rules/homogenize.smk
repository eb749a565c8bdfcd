"""Read the files of each data set, and write stores of one schema per kind."""


rule homogenize_store:
    input:
        # the manifest has the checksum of each
        files=ancient(
            lambda wildcards: allometry_workflow.raw_files(
                registry,
                allometry_workflow.source_of(
                    registry, wildcards.kind, wildcards.store
                ),
            )
        ),
        manifest=lambda wildcards: f"results/raw/{allometry_workflow.source_of(registry, wildcards.kind, wildcards.store)}/manifest.json",
    output:
        store=directory("results/homogenized/{kind}/{store}.zarr"),
        manifest="results/homogenized/{kind}/{store}.manifest.json",
    log:
        "results/logs/homogenize/{kind}/{store}.log",
    benchmark:
        "results/benchmarks/homogenize/{kind}/{store}.tsv"
    wildcard_constraints:
        store="(?!worm_stack\\.)[a-z][a-z0-9_]*",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: allometry_workflow.memory_mb(
            registry, wildcards.kind, wildcards.store
        ),
        runtime=60,
    params:
        code=lambda wildcards: rule_code.of_reader(
            registry,
            allometry_workflow.source_of(registry, wildcards.kind, wildcards.store),
        ),
        source=lambda wildcards: allometry_workflow.content_of(
            registry, wildcards.kind, wildcards.store
        ),
        raw_dir=lambda wildcards: f"results/raw/{allometry_workflow.source_of(registry, wildcards.kind, wildcards.store)}",
        options=lambda wildcards: cfg.homogenize.options.get(wildcards.store, {}),
        recordings=lambda wildcards: (
            cfg.homogenize.recordings.model_dump()
            if wildcards.kind == "activity"
            else {}
        ),
        provenance=lambda wildcards: {
            "rule": "homogenize_store",
            "kind": wildcards.kind,
        },
    message:
        "Homogenizing {wildcards.store} into a store of kind {wildcards.kind}"
    script:
        "../scripts/homogenize_store.py"


rule homogenize_worm_stack:
    input:
        stores=ancient(
            expand(
                "results/homogenized/connectome/{store}.zarr",
                store=cfg.homogenize.worm_stack,
            )
        ),
        manifests=expand(
            "results/homogenized/connectome/{store}.manifest.json",
            store=cfg.homogenize.worm_stack,
        ),
    output:
        store=directory("results/homogenized/connectome/worm_stack.zarr"),
        manifest="results/homogenized/connectome/worm_stack.manifest.json",
    log:
        "results/logs/homogenize/connectome/worm_stack.log",
    benchmark:
        "results/benchmarks/homogenize/connectome/worm_stack.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=rule_code.of_script("homogenize_worm_stack"),
        names=cfg.homogenize.worm_stack,
        provenance={"rule": "homogenize_worm_stack"},
    message:
        "Stacking {params.names} on the 302-neuron axis"
    script:
        "../scripts/homogenize_worm_stack.py"
