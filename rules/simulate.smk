"""Simulate networks, feature models and single cells: every point (parameters, seed, connectome) of every configured run is a job, with
one store or, of a run that has conditions, one for each of them; so is every fit of a model.
"""

from allometry.workflow import job_threads
from allometry.workflow.places import feature_runs
from allometry.workflow.places import run_responses
from allometry.workflow.places import virtual_recordings


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
    wildcard_constraints:
        run=allometry_workflow.without_conditions(cfg),
    conda:
        "../envs/allometry.yaml"
    threads:
        job_threads.simulation_threads(
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


# What a job makes depends on the conditions of its run.
for batched, conditions in allometry_workflow.conditions_of(cfg).items():

    rule:
        name:
            f"simulate_batch_{batched}"
        input:
            connectome=ancient(
                lambda wildcards: allometry_workflow.batch_stores(
                    cfg, wildcards.run, wildcards.settings + wildcards.end
                )[:1]
            ),
            manifest=lambda wildcards: allometry_workflow.batch_stores(
                cfg, wildcards.run, wildcards.settings + wildcards.end
            )[1:],
        output:
            stores=directory(
                expand(
                    "results/simulated/{{run}}/{{settings}}{condition}_{{end}}.zarr",
                    condition=conditions,
                )
            ),
            manifests=expand(
                "results/simulated/{{run}}/{{settings}}{condition}_{{end}}.manifest.json",
                condition=conditions,
            ),
        log:
            "results/logs/simulate/{run}/{settings}{end}.log",
        benchmark:
            "results/benchmarks/simulate/{run}/{settings}{end}.tsv"
        wildcard_constraints:
            run=batched,
            settings="([A-Za-z0-9_.-]+_)?",
            end="s[0-9]+_[0-9a-f]{8}",
        conda:
            "../envs/allometry.yaml"
        threads:
            job_threads.simulation_threads(
                workflow.resource_settings.cores,
                workflow.resource_settings.default_resources,
            )
        resources:
            mem_mb=4000,
            runtime=240,
        params:
            code=lambda wildcards: rule_code.of_run(cfg, wildcards.run),
            parameters=lambda wildcards: allometry_workflow.batch(
                cfg, wildcards.run, wildcards.settings + wildcards.end
            ),
            checkpoint="results/checkpoints/{run}/{settings}{end}",
            provenance=lambda wildcards: {
                "rule": "simulate_batch",
                "run": wildcards.run,
            },
        message:
            "Simulating {wildcards.run}: {wildcards.settings}{wildcards.end}, every condition"
        script:
            "../scripts/simulate_batch.py"


rule simulate_fit:
    output:
        fit="results/simulated/{run}/{fit}.fit.json",
    log:
        "results/logs/simulate/{run}/{fit}.fit.log",
    benchmark:
        "results/benchmarks/simulate/{run}/{fit}.fit.tsv"
    wildcard_constraints:
        run=feature_runs.names(cfg),
        fit="[A-Za-z0-9_.-]+",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=lambda wildcards: rule_code.of_fit(cfg, wildcards.run),
        parameters=lambda wildcards: feature_runs.fits(cfg, wildcards.run)[
            wildcards.fit
        ],
    message:
        "Fitting the model of {wildcards.run}: {wildcards.fit}"
    script:
        "../scripts/simulate_fit.py"


rule simulate_feature:
    input:
        fit=lambda wildcards: feature_runs.fit_files(
            cfg, wildcards.run, wildcards.point
        ),
    output:
        store=directory("results/simulated/{run}/{point}.zarr"),
        manifest="results/simulated/{run}/{point}.manifest.json",
    log:
        "results/logs/simulate/{run}/{point}.log",
    benchmark:
        "results/benchmarks/simulate/{run}/{point}.tsv"
    wildcard_constraints:
        run=feature_runs.names(cfg),
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=lambda wildcards: rule_code.of_run(cfg, wildcards.run),
        parameters=lambda wildcards: allometry_workflow.point(
            cfg, wildcards.run, wildcards.point
        ).parameters,
        provenance=lambda wildcards: {
            "rule": "simulate_feature",
            "run": wildcards.run,
        },
    message:
        "Responses of {wildcards.run}: {wildcards.point}"
    script:
        "../scripts/simulate_feature.py"


rule simulate_responses:
    input:
        # content, not the time of a folder, says whether a store is another: its manifest
        stores=ancient(
            lambda wildcards: [
                trial["path"] for trial in run_responses.trials(cfg, wildcards.run)
            ]
        ),
        manifests=lambda wildcards: [
            trial["path"].removesuffix(".zarr") + ".manifest.json"
            for trial in run_responses.trials(cfg, wildcards.run)
        ],
    output:
        store=directory("results/simulated/{run}.responses.zarr"),
        manifest="results/simulated/{run}.responses.manifest.json",
    log:
        "results/logs/simulate/{run}.responses.log",
    benchmark:
        "results/benchmarks/simulate/{run}.responses.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=rule_code.of_script("simulate_responses"),
        kind=lambda wildcards: cfg.simulate.runs[wildcards.run].kind,
        trials=lambda wildcards: run_responses.trials(cfg, wildcards.run),
        options=lambda wildcards: run_responses.responses_options(cfg, wildcards.run),
        provenance=lambda wildcards: {
            "rule": "simulate_responses",
            "run": wildcards.run,
        },
    message:
        "Responses of {wildcards.run} to its stimuli"
    script:
        "../scripts/simulate_responses.py"


rule simulate_recording:
    input:
        # content, not the time of a folder, says whether a store is another: its manifest
        stores=ancient(
            lambda wildcards: [
                trial["path"]
                for trial in virtual_recordings.trials(cfg, wildcards.recording)
            ]
        ),
        manifests=lambda wildcards: [
            trial["path"].removesuffix(".zarr") + ".manifest.json"
            for trial in virtual_recordings.trials(cfg, wildcards.recording)
        ],
        like=ancient(
            lambda wildcards: virtual_recordings.like(cfg, wildcards.recording)[:1]
        ),
        like_manifest=lambda wildcards: virtual_recordings.like(
            cfg, wildcards.recording
        )[1:],
    output:
        store=directory("results/simulated/{recording}.recording.zarr"),
        manifest="results/simulated/{recording}.recording.manifest.json",
    log:
        "results/logs/simulate/{recording}.recording.log",
    benchmark:
        "results/benchmarks/simulate/{recording}.recording.tsv"
    wildcard_constraints:
        recording="[a-z][a-z0-9_]*",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=rule_code.of_script("simulate_recording"),
        trials=lambda wildcards: virtual_recordings.trials(cfg, wildcards.recording),
        settings=lambda wildcards: cfg.simulate.recordings[
            wildcards.recording
        ].model_dump(mode="json"),
        provenance=lambda wildcards: {
            "rule": "simulate_recording",
            "recording": wildcards.recording,
        },
    message:
        "Recording virtually: {wildcards.recording}"
    script:
        "../scripts/simulate_recording.py"


rule simulate_clamp:
    output:
        store=directory("results/simulated/{clamp}.clamp.zarr"),
        manifest="results/simulated/{clamp}.clamp.manifest.json",
    log:
        "results/logs/simulate/{clamp}.clamp.log",
    benchmark:
        "results/benchmarks/simulate/{clamp}.clamp.tsv"
    wildcard_constraints:
        clamp="[a-z][a-z0-9_]*",
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=rule_code.of_script("simulate_clamp"),
        settings=lambda wildcards: cfg.simulate.clamps[wildcards.clamp].model_dump(
            mode="json"
        ),
        provenance=lambda wildcards: {
            "rule": "simulate_clamp",
            "clamp": wildcards.clamp,
        },
    message:
        "Recording single cells under clamp: {wildcards.clamp}"
    script:
        "../scripts/simulate_clamp.py"
