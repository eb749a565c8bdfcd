"""What a configured study of compute scaling may ask for: checked by describing the network of each point, before anything runs."""

from allometry.config import Config
from allometry.errors import ConfigError, SimulationError
from allometry.scale.compute.measuring import network_of, points
from allometry.scale.jobs import is_feature
from allometry.simulate.check.validate import check_network
from allometry.workflow.places.compute import values


def check_compute(cfg: Config) -> None:
    """Refuse studies of compute scaling of what does not exist, or cannot be.

    Raises
    ------
    ConfigError
        The key, and what is valid there.
    """
    for name in cfg.scale.compute:
        where, study = f"scale.compute.{name}", values(cfg, name)
        if is_feature(study["model"]):
            raise ConfigError(
                f"{study['model']} is a feature model, which is not simulated",
                where=f"{where}.model",
                expected="a model of spiking neurons that can be reduced",
            )
        for point in points(study):
            try:
                net = network_of(study, point)
                check_network(net)
            except SimulationError as error:
                weak = point.experiment == "weak"
                keys = {"sizes": "weak_size" if weak else "sizes", "schemes": "weak_scheme" if weak else "scheme"}
                at = keys.get(error.where or "", error.where)
                raise ConfigError(error.what, where=f"{where}.{at}", expected=error.expected, do=error.do) from None
            if net.size < point.partitions * point.threads:
                raise ConfigError(
                    f"size {point.size:g} has {net.size} neurons, fewer than {point.partitions * point.threads} workers",
                    where=where,
                    expected="larger sizes, or fewer partitions",
                )
