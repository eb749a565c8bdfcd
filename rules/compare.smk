"""Compare stores: data with data, model with data, connectome with function."""


rule compare_run:
    input:
        # content, not the time of a folder, says whether a store is another: its manifest
        store=ancient(
            lambda wildcards: list(
                allometry_workflow.comparison_stores(
                    cfg, wildcards.comparison
                ).values()
            )
        ),
        manifest=lambda wildcards: [
            path.removesuffix(".zarr") + ".manifest.json"
            for path in allometry_workflow.comparison_stores(
                cfg, wildcards.comparison
            ).values()
        ],
    output:
        store=directory("results/compared/{comparison}.zarr"),
        manifest="results/compared/{comparison}.manifest.json",
        cards="results/compared/{comparison}.cards.json",
    log:
        "results/logs/compare/{comparison}.log",
    benchmark:
        "results/benchmarks/compare/{comparison}.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=lambda wildcards: rule_code.of_comparison(cfg, wildcards.comparison),
        options=lambda wildcards: cfg.compare.comparisons[
            wildcards.comparison
        ].model_dump(mode="json"),
        paths=lambda wildcards: allometry_workflow.comparison_stores(
            cfg, wildcards.comparison
        ),
        provenance=lambda wildcards: {
            "rule": "compare_run",
            "comparison": wildcards.comparison,
        },
    message:
        "Comparing: {wildcards.comparison}"
    script:
        "../scripts/compare_run.py"
