"""From worm to cortex: retrieve, homogenize, simulate, scale, compare, report."""

from snakemake.utils import min_version

from allometry import processes

processes.prepare(workflow.is_main_process)

from allometry.workflow import code as rule_code, snakefile as allometry_workflow
from allometry.workflow.planning import forecast, plan as run_plan

min_version("9.27")
# Snakemake merges configuration files; a small configuration must not inherit the runs of config.yaml.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


cfg, registry, left_out = allometry_workflow.configure(
    config,
    str(workflow.current_basedir),
    workflow.overwrite_configfiles,
    submits=workflow.resource_settings.nodes is not None,
    checked=not workflow.is_main_process,
)
targets = allometry_workflow.targets(cfg, registry)
figures = allometry_workflow.figures(cfg, registry)


wildcard_constraints:
    kind="connectome|activity|responses|spikes",
    store="[a-z][a-z0-9_]*",
    run="[a-z][a-z0-9_]*",
    point="[A-Za-z0-9_.-]+",
    comparison="[a-z][a-z0-9_]*",
    study="[a-z][a-z0-9_]*",


include: "rules/retrieve.smk"
include: "rules/homogenize.smk"
include: "rules/simulate.smk"
include: "rules/scale.smk"
include: "rules/compare.smk"
include: "rules/report.smk"


# not in `onstart`: a dry run says it too
if workflow.is_main_process:
    forecast.announce(run_plan.watch(workflow, cfg, registry), left_out)

for stage, files in targets.items():

    rule:
        name:
            stage
        default_target: stage == "all"
        input:
            files=files,
        localrule: True
