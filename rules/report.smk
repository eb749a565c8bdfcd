"""Draw what a run made, and put it on one page."""


rule draw_connectomes:
    input:
        stores=figures["connectomes"].files(),
    output:
        images=report(
            figures["connectomes"].images(),
            caption="../allometry/report/captions/connectomes.rst",
            category="Connectomes",
        ),
        texts=figures["connectomes"].texts(),
    log:
        "results/logs/report/draw_connectomes.log",
    benchmark:
        "results/benchmarks/report/draw_connectomes.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=fingerprint("allometry.report"),
        kind="connectomes",
        figures=figures["connectomes"].stores,
        options=allometry_workflow.report_options(cfg),
    message:
        "Drawing the figures of connectomes"
    script:
        "../scripts/report_figures.py"


rule draw_recordings:
    input:
        stores=figures["recordings"].files(),
    output:
        images=report(
            figures["recordings"].images(),
            caption="../allometry/report/captions/recordings.rst",
            category="Recordings",
        ),
        texts=figures["recordings"].texts(),
    log:
        "results/logs/report/draw_recordings.log",
    benchmark:
        "results/benchmarks/report/draw_recordings.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        code=fingerprint("allometry.report"),
        kind="recordings",
        figures=figures["recordings"].stores,
        options=allometry_workflow.report_options(cfg),
    message:
        "Drawing the figures of recordings"
    script:
        "../scripts/report_figures.py"


rule draw_simulations:
    input:
        stores=figures["simulations"].files(),
    output:
        images=report(
            figures["simulations"].images(),
            caption="../allometry/report/captions/simulations.rst",
            category="Simulations",
        ),
        texts=figures["simulations"].texts(),
    log:
        "results/logs/report/draw_simulations.log",
    benchmark:
        "results/benchmarks/report/draw_simulations.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        code=fingerprint("allometry.report"),
        kind="simulations",
        figures=figures["simulations"].stores,
        options=allometry_workflow.report_options(cfg),
    message:
        "Drawing the figures of simulations"
    script:
        "../scripts/report_figures.py"


rule draw_comparisons:
    input:
        stores=figures["comparisons"].files(),
    output:
        images=report(
            figures["comparisons"].images(),
            caption="../allometry/report/captions/comparisons.rst",
            category="Comparisons",
        ),
        texts=figures["comparisons"].texts(),
    log:
        "results/logs/report/draw_comparisons.log",
    benchmark:
        "results/benchmarks/report/draw_comparisons.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=fingerprint("allometry.report"),
        kind="comparisons",
        figures=figures["comparisons"].stores,
        options=allometry_workflow.report_options(cfg),
    message:
        "Drawing the figures of comparisons"
    script:
        "../scripts/report_figures.py"


rule write_page:
    input:
        stores=[
            f
            for stage in ("homogenize", "simulate", "compare")
            for f in targets[stage]
        ],
        images=[image for stage in figures.values() for image in stage.images()],
        texts=[text for stage in figures.values() for text in stage.texts()],
    output:
        page=report(
            "results/report/index.html",
            caption="../allometry/report/captions/page.rst",
            category="Page",
        ),
    log:
        "results/logs/report/write_page.log",
    benchmark:
        "results/benchmarks/report/write_page.tsv"
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=fingerprint("allometry.report"),
        configuration=cfg.model_dump(mode="json"),
        sources=allometry_workflow.used_sources(cfg, registry),
        unused=allometry_workflow.unused_sources(cfg, registry),
    message:
        "Writing the report page"
    script:
        "../scripts/report_page.py"
