"""Fetch the files of registered data sets; one rule per data set, so that Snakemake tracks each of its files."""

from allometry.retrieve import own_files

for source, entry in registry.items():

    rule:
        name:
            f"retrieve_{source}"
        input:
            own=own_files(entry["files"]),
        output:
            files=[f"results/raw/{source}/{file['name']}" for file in entry["files"]],
            manifest=f"results/raw/{source}/manifest.json",
        log:
            f"results/logs/retrieve/{source}.log",
        benchmark:
            f"results/benchmarks/retrieve/{source}.tsv"
        localrule: True
        conda:
            "../envs/allometry.yaml"
        threads: 1
        resources:
            mem_mb=500,
            runtime=240,
        params:
            code=rule_code.of_script("retrieve_dataset"),
            source=source,
            files=allometry_workflow.contents(entry["files"]),
        message:
            f"Retrieving the data set {source}"
        script:
            "../scripts/retrieve_dataset.py"
