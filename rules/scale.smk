"""Study models at several sizes: every size, scheme and seed of a study is a job, and so is every calibration and every fit."""

from allometry.workflow import job_threads
from allometry.workflow.places import studies as allometry_studies


include: "scale_compute.smk"


# What a job makes depends on the conditions of its study.
for study in allometry_studies.studies(cfg):

    rule:
        name:
            f"scale_simulate_{study.name}"
        input:
            calibration=lambda wildcards: allometry_studies.calibration_of(
                cfg, wildcards.study, wildcards.job
            ),
            fits=lambda wildcards: allometry_studies.fits_of(
                cfg, wildcards.study, wildcards.job
            ),
        output:
            stores=directory(
                expand(
                    "results/scaled/{{study}}/{{job}}/{condition}.zarr",
                    condition=allometry_studies.conditions(study),
                )
            ),
            manifests=expand(
                "results/scaled/{{study}}/{{job}}/{condition}.manifest.json",
                condition=allometry_studies.conditions(study),
            ),
        log:
            "results/logs/scale/{study}/{job}.simulate.log",
        benchmark:
            "results/benchmarks/scale/{study}/{job}.simulate.tsv"
        wildcard_constraints:
            study=study.name,
            job="[A-Za-z0-9_.-]+",
        conda:
            "../envs/allometry.yaml"
        threads:
            job_threads.study_threads(
                cfg,
                len(study.own),
                study.values["model"],
                workflow.resource_settings.cores,
                workflow.resource_settings.default_resources,
            )
        resources:
            mem_mb=8000,
            runtime=240,
        params:
            code=lambda wildcards: rule_code.of_study(
                cfg, wildcards.study, "scale_simulate"
            ),
            parameters=lambda wildcards: allometry_studies.study(cfg, wildcards.study)
            .jobs[wildcards.job]
            .parameters,
            checkpoint="results/checkpoints/{study}/{job}",
            provenance=lambda wildcards: {
                "rule": "scale_simulate",
                "study": wildcards.study,
            },
        message:
            "Simulating for the study {wildcards.study}: {wildcards.job}"
        script:
            "../scripts/scale_simulate.py"


rule scale_fit:
    output:
        fit="results/scaled/{study}/{fit}.fit.json",
    log:
        "results/logs/scale/{study}/{fit}.fit.log",
    benchmark:
        "results/benchmarks/scale/{study}/{fit}.fit.tsv"
    wildcard_constraints:
        fit="[A-Za-z0-9_.-]+",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=lambda wildcards: rule_code.of_study_fit(cfg, wildcards.study),
        parameters=lambda wildcards: allometry_studies.fits(cfg, wildcards.study)[
            wildcards.fit
        ],
    message:
        "Fitting the model of the study {wildcards.study}: {wildcards.fit}"
    script:
        "../scripts/simulate_fit.py"


rule scale_calibrate:
    input:
        reference=lambda wildcards: allometry_studies.reference_of(
            cfg, wildcards.study, wildcards.calibration
        ),
    output:
        found="results/scaled/{study}/{calibration}.calibration.json",
    log:
        "results/logs/scale/{study}/{calibration}.calibrate.log",
    benchmark:
        "results/benchmarks/scale/{study}/{calibration}.calibrate.tsv"
    wildcard_constraints:
        calibration="[A-Za-z0-9_.-]+",
    conda:
        "../envs/allometry.yaml"
    threads:
        lambda wildcards: job_threads.study_threads(
            cfg,
            len(allometry_studies.study(cfg, wildcards.study).calibrations),
            cfg.scale.studies[wildcards.study].model,
            workflow.resource_settings.cores,
            workflow.resource_settings.default_resources,
        )
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        code=lambda wildcards: rule_code.of_study(
            cfg, wildcards.study, "scale_calibrate"
        ),
        factors=lambda wildcards: allometry_studies.study(cfg, wildcards.study)
        .calibrations[wildcards.calibration]
        .factors,
        parameters=lambda wildcards: allometry_studies.study(cfg, wildcards.study)
        .calibrations[wildcards.calibration]
        .parameters,
    message:
        "Calibrating for the study {wildcards.study}: {wildcards.calibration}"
    script:
        "../scripts/scale_calibrate.py"


rule scale_measure:
    input:
        # content, not the time of a folder, says whether a store is another: its manifest
        store=ancient(
            lambda wildcards: allometry_studies.study(cfg, wildcards.study).stores(
                wildcards.job
            )
        ),
        manifest=lambda wildcards: allometry_studies.study(
            cfg, wildcards.study
        ).manifests(wildcards.job),
    output:
        statistics="results/scaled/{study}/{job}.statistics.json",
    log:
        "results/logs/scale/{study}/{job}.measure.log",
    benchmark:
        "results/benchmarks/scale/{study}/{job}.measure.tsv"
    wildcard_constraints:
        job="[A-Za-z0-9_.-]+",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=lambda wildcards: rule_code.of_study(cfg, wildcards.study, "scale_measure"),
        places=lambda wildcards: allometry_studies.study(cfg, wildcards.study).spikes[
            wildcards.job
        ],
        options=lambda wildcards: allometry_studies.measured(cfg, wildcards.study),
    message:
        "Statistics for the study {wildcards.study}: {wildcards.job}"
    script:
        "../scripts/scale_measure.py"


rule scale_study:
    input:
        statistics=lambda wildcards: allometry_studies.all_statistics(
            cfg, wildcards.study
        ),
        calibrations=lambda wildcards: allometry_studies.all_calibrations(
            cfg, wildcards.study
        ),
        spikes=ancient(
            lambda wildcards: allometry_studies.all_stores(cfg, wildcards.study)
        ),
        manifests=lambda wildcards: allometry_studies.all_manifests(
            cfg, wildcards.study
        ),
    output:
        store=directory("results/scaled/{study}.zarr"),
        manifest="results/scaled/{study}.manifest.json",
        costs="results/scaled/{study}.costs.json",
        jobs="results/scaled/{study}/manifest.json",
    log:
        "results/logs/scale/{study}.log",
    benchmark:
        "results/benchmarks/scale/{study}.tsv"
    wildcard_constraints:
        study="|".join(cfg.scale.studies) or "(?!)",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=lambda wildcards: rule_code.of_study(cfg, wildcards.study, "scale_study"),
        study=lambda wildcards: allometry_studies.study(cfg, wildcards.study).values,
        spikes=lambda wildcards: allometry_studies.study(cfg, wildcards.study).spikes,
        provenance=lambda wildcards: {"rule": "scale_study", "study": wildcards.study},
    message:
        "Studying how statistics and costs change with size: {wildcards.study}"
    script:
        "../scripts/scale_study.py"


include: "coarse.smk"
