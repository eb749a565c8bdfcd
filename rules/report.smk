"""Draw what a run made, and put it on one page."""

for stage, mem_mb in {
    "connectomes": 2000,
    "recordings": 4000,
    "simulations": 4000,
    "studies": 2000,
    "comparisons": 2000,
}.items():

    rule:
        name:
            f"draw_{stage}"
        input:
            stores=ancient(figures[stage].zarrs()),
            manifests=figures[stage].manifests(),
        output:
            images=report(
                figures[stage].files(".png"),
                caption=f"../allometry/report/captions/{stage}.rst",
                category=stage.capitalize(),
            ),
            vectors=figures[stage].files(".svg"),
            numbers=figures[stage].files(".csv"),
            texts=figures[stage].files(".json"),
        log:
            f"results/logs/report/draw_{stage}.log",
        benchmark:
            f"results/benchmarks/report/draw_{stage}.tsv"
        localrule: True
        conda:
            "../envs/allometry.yaml"
        threads: 1
        resources:
            mem_mb=mem_mb,
            runtime=10,
        params:
            code=rule_code.of_figures(cfg, stage),
            figures=figures[stage].described(),
        message:
            f"Drawing the figures of {stage}"
        script:
            "../scripts/report_figures.py"


results = [
    path
    for stage in ("homogenize", "simulate", "scale", "compare")
    for path in targets[stage]
]


rule write_cards:
    input:
        cards=allometry_workflow.cards(cfg),
        recovery=ancient(allometry_workflow.zarrs(allometry_workflow.recoveries(cfg))),
        manifests=allometry_workflow.manifests(allometry_workflow.recoveries(cfg)),
    output:
        pages=report(
            allometry_workflow.card_pages(cfg, "html"),
            caption="../allometry/report/captions/cards.rst",
            category="Cards",
        ),
        data=allometry_workflow.card_pages(cfg, "json"),
    log:
        "results/logs/report/write_cards.log",
    benchmark:
        "results/benchmarks/report/write_cards.tsv"
    localrule: True
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=rule_code.of_script("report_cards", "allometry.report"),
    message:
        "Writing the benchmark cards"
    script:
        "../scripts/report_cards.py"


rule write_page:
    input:
        stores=ancient(allometry_workflow.zarrs(results)),
        manifests=allometry_workflow.manifests(results),
        images=[image for stage in figures.values() for image in stage.files(".png")],
        vectors=[image for stage in figures.values() for image in stage.files(".svg")],
        numbers=[table for stage in figures.values() for table in stage.files(".csv")],
        texts=[text for stage in figures.values() for text in stage.files(".json")],
        cards=allometry_workflow.card_pages(cfg, "json"),
        card_pages=allometry_workflow.card_pages(cfg, "html"),
    output:
        page=report(
            "results/report/index.html",
            caption="../allometry/report/captions/page.rst",
            category="Page",
        ),
        tables=directory("results/report/tables"),
        manifest="results/report/manifest.json",
    log:
        "results/logs/report/write_page.log",
    benchmark:
        "results/benchmarks/report/write_page.tsv"
    localrule: True
    conda:
        "../envs/allometry.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=rule_code.of_script("report_page", "allometry.report"),
        configuration=cfg.model_dump(mode="json"),
        sources=allometry_workflow.used_sources(cfg, registry),
        unused=allometry_workflow.unused_sources(cfg, registry),
        left_out=left_out,
        benchmarks="results/benchmarks",
    message:
        "Writing the report page"
    script:
        "../scripts/report_page.py"
