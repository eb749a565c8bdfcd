"""What a configured run of a feature model may ask for: checked before anything is computed."""

from allometry.config import FeatureRun, points
from allometry.config.text import as_yaml_number
from allometry.errors import ConfigError, SimulationError
from allometry.hints import hint
from allometry.models.features import FEATURE_MODELS, resolved
from allometry.models.registry import expected


def check_feature_run(where: str, run: FeatureRun) -> None:
    """Refuse a run of what does not exist, or cannot be.

    Parameters
    ----------
    where : str
        Key of the run.
    run : FeatureRun
        The run.

    Raises
    ------
    ConfigError
        The key, what is valid there, and the nearest valid name.
    """
    model = FEATURE_MODELS.get(run.model)
    if model is None:
        raise ConfigError(
            f"unknown feature model {run.model!r}",
            where=f"{where}.model",
            expected="one of " + ", ".join(sorted(FEATURE_MODELS)),
            do=hint(run.model, FEATURE_MODELS),
        )
    for parameter, values in run.parameters.items():
        at = f"{where}.parameters.{parameter}"
        if parameter not in model.parameters:
            raise ConfigError(
                f"unknown parameter of the model {run.model} {parameter!r}",
                where=at,
                expected="one of " + ", ".join(sorted(model.parameters)),
                do=hint(parameter, model.parameters),
            )
        for value in values if isinstance(values, list) else [values]:
            if wanted := expected(model, parameter, value):
                number = as_yaml_number(value) if isinstance(value, str) and "number" in wanted else None
                raise ConfigError(
                    f"{value!r} is no value of {parameter}",
                    where=at,
                    expected=wanted,
                    do=f"write {number} without quotes: YAML takes {value} for text" if number else "",
                )
        if run.responses is not None and isinstance(values, list) and len(values) > 1 and parameter in model.stimulus:
            raise ConfigError(
                f"{parameter} decides the stimuli, and is swept",
                where=at,
                expected="one value, where the responses of all points are gathered in one store",
                do="make a run of each value, or remove `responses`",
            )
    for point in points(run):
        try:
            resolved(run.model, point.parameters["parameters"])
        except SimulationError as error:
            raise ConfigError(error.what, where=f"{where}.parameters", expected=error.expected, do=error.do) from None
