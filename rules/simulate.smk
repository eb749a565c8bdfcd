"""Simulate networks: every point (parameters, seed, connectome) of every configured run is a job and a store."""


rule simulate_point:
    input:
        connectome=ancient(
            lambda wildcards: allometry_workflow.point_stores(
                cfg, wildcards.run, wildcards.point
            )[:1]
        ),
        manifest=lambda wildcards: allometry_workflow.point_stores(
            cfg, wildcards.run, wildcards.point
        )[1:],
    output:
        store=directory("results/simulated/{run}/{point}.zarr"),
        manifest="results/simulated/{run}/{point}.manifest.json",
    log:
        "results/logs/simulate/{run}/{point}.log",
    benchmark:
        "results/benchmarks/simulate/{run}/{point}.tsv"
    conda:
        "../envs/allometry.yaml"
    threads:
        allometry_workflow.simulation_threads(
            workflow.resource_settings.cores,
            workflow.resource_settings.default_resources,
        )
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=lambda wildcards: rule_code.of_run(cfg, wildcards.run),
        parameters=lambda wildcards: allometry_workflow.point(
            cfg, wildcards.run, wildcards.point
        ).parameters,
        checkpoint="results/checkpoints/{run}/{point}",
        provenance=lambda wildcards: {"rule": "simulate_point", "run": wildcards.run},
    message:
        "Simulating {wildcards.run}: {wildcards.point}"
    script:
        "../scripts/simulate_point.py"
