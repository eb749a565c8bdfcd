"""Study how compute scales: what is measured runs alone on the machine, whose cores it takes all."""

from allometry.workflow import job_threads
from allometry.workflow.places import compute as compute_places


rule scale_compute_measure:
    output:
        measured="results/scaled/compute/{study}/{part}.measured.json",
    log:
        "results/logs/scale/compute/{study}/{part}.measure.log",
    benchmark:
        "results/benchmarks/scale/compute/{study}/{part}.measure.tsv"
    wildcard_constraints:
        part="simulations|exchange|stages",
    conda:
        "../envs/allometry.yaml"
    threads:
        job_threads.simulation_threads(
            workflow.resource_settings.cores,
            workflow.resource_settings.default_resources,
        )
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        code=lambda wildcards: rule_code.of_compute(
            cfg, wildcards.study, "scale_compute_measure"
        ),
        study=lambda wildcards: compute_places.values(cfg, wildcards.study),
    message:
        "Measuring how compute scales, {wildcards.study}: {wildcards.part}"
    script:
        "../scripts/scale_compute_measure.py"


rule scale_compute:
    input:
        simulations="results/scaled/compute/{study}/simulations.measured.json",
        exchange="results/scaled/compute/{study}/exchange.measured.json",
        stages="results/scaled/compute/{study}/stages.measured.json",
    output:
        store=directory("results/scaled/compute/{study}.zarr"),
        manifest="results/scaled/compute/{study}.manifest.json",
        costs="results/scaled/compute/{study}.costs.json",
    log:
        "results/logs/scale/compute/{study}.log",
    benchmark:
        "results/benchmarks/scale/compute/{study}.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=lambda wildcards: rule_code.of_compute(
            cfg, wildcards.study, "scale_compute"
        ),
        study=lambda wildcards: compute_places.values(cfg, wildcards.study),
        provenance=lambda wildcards: {
            "rule": "scale_compute",
            "study": wildcards.study,
        },
    message:
        "Fitting the cost model of {wildcards.study}"
    script:
        "../scripts/scale_compute.py"
