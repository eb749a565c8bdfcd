"""The one typed configuration: a pydantic model per top-level key.

`python -m allometry.generate` regenerates what is derived from these models: the JSON schema, the file of defaults and the
table in the documentation.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, create_model

from allometry import plugins
from allometry.compare.records.kinds import Options, all_options
from allometry.config.base import parse
from allometry.config.cluster import ClusterConfig
from allometry.config.collections import AnyCollection, Services
from allometry.config.compare import CompareConfig, compare_model
from allometry.config.features import FeatureRun
from allometry.config.homogenize import HomogenizeConfig
from allometry.config.registry import Registry, SourceEntry, merge
from allometry.config.report import ReportConfig
from allometry.config.retrieve import RetrieveConfig
from allometry.config.scale import ScaleConfig, StudyConfig
from allometry.config.sessions import entries, resolved
from allometry.config.simulate import NetworkRun, Point, PropagationRun, SimulateConfig, points
from allometry.config.text import read_yaml, require_single_keys
from allometry.errors import ConfigError
from allometry.settings import Model

__all__ = [
    "Config",
    "FeatureRun",
    "NetworkRun",
    "Point",
    "PropagationRun",
    "SimulateConfig",
    "StudyConfig",
    "config_model",
    "load",
    "load_registry",
    "points",
    "read_yaml",
    "require_single_keys",
    "validate",
]


class Config(Model):
    """The whole configuration.

    Parameters
    ----------
    mirror : str, optional
        Folder with data files that is tried before any network; None: the environment variable ALLOMETRY_MIRROR.
    registry : str
        Path of the registry of data sets.
    datasets : dict of str to SourceEntry
        The user's own data sets.
    collections : dict of str to Collection
        Sessions of public archives.
    services : Services
        Addresses of these.
    plugins : list of str
        Folders, modules or installed packages.
    retrieve : RetrieveConfig
        How files are fetched.
    homogenize : HomogenizeConfig
        Which stores are made from data sets.
    simulate : SimulateConfig
        Which simulations are run.
    scale : ScaleConfig
        Which models are studied at several sizes.
    compare : CompareConfig
        Which stores are compared, and how.
    report : ReportConfig
        The report page.
    cluster : ClusterConfig
        Where simulations run.
    """

    mirror: str | None = Field(
        None,
        description="Folder with data files that is tried before any network; null: the environment variable ALLOMETRY_MIRROR.",
    )
    registry: str = Field(
        "config/datasets.yaml", description="Registry of data sets: where their files are, with checksums and licences."
    )
    datasets: dict[str, SourceEntry] = Field(
        default_factory=dict,
        description="Your own data sets, in the form of the registry; they override entries of the same name.",
    )
    collections: dict[str, AnyCollection] = Field(
        default_factory=dict,
        description="Recording sessions of public archives, by number or by a query; `allometry resolve` asks the archives "
        "which these are (docs/allen.md).",
    )
    services: Services = Field(
        default_factory=Services, description="Addresses of the archives that collections are from."
    )
    plugins: list[str] = Field(
        default_factory=list,
        description="Your own readers, models, measures and kinds of comparison: folders or modules beside the configuration "
        "file, or installed packages (docs/plugins.md).",
    )
    retrieve: RetrieveConfig = Field(default_factory=RetrieveConfig, description="How files are fetched.")
    homogenize: HomogenizeConfig = Field(
        default_factory=HomogenizeConfig, description="Which stores are made from data sets."
    )
    simulate: SimulateConfig = Field(default_factory=SimulateConfig, description="Which simulations are run.")
    scale: ScaleConfig = Field(default_factory=ScaleConfig, description="Which models are studied at several sizes.")
    compare: CompareConfig = Field(default_factory=CompareConfig, description="Which stores are compared, and how.")
    report: ReportConfig = Field(default_factory=ReportConfig, description="The report page.")
    cluster: ClusterConfig = Field(default_factory=ClusterConfig, description="Where simulations run.")


def config_model() -> type[Config]:
    """The model of the whole configuration, with all kinds of comparison: those of imported plugins too.

    Returns
    -------
    type of Config
        The same class as long as the kinds are the same.
    """
    return _with_kinds(tuple(all_options().values()))


@cache
def _with_kinds(kinds: tuple[type[Options], ...]) -> type[Config]:
    compare, field = compare_model(kinds), Config.model_fields["compare"]
    return create_model(
        "Config",
        __base__=Config,
        __doc__=Config.__doc__,
        __module__=Config.__module__,
        compare=(compare, Field(default_factory=compare, description=field.description)),
    )


def validate(values: Mapping[str, Any], where: str = "configuration", folders: Sequence[str | Path] = (".",)) -> Config:
    """Validated configuration from parsed YAML; the plugins that it names are imported.

    Parameters
    ----------
    values : mapping
        Parsed YAML.
    where : str
        Name of the document for messages.
    folders : sequence of path
        Where its plugins are looked for.

    Returns
    -------
    Config
        With the kinds of comparison of its plugins.

    Raises
    ------
    ConfigError
        Names every invalid key, with the nearest valid name for an unknown one.
    PluginError
        A plugin cannot be used.
    """
    named = values.get("plugins")
    # what is no list of names is refused with all else that is wrong
    usable = isinstance(named, list) and all(isinstance(name, str) for name in named)
    plugins.use(list(named or ()) if usable else (), folders)
    return parse(config_model(), values, where)


def load(path: str | Path) -> Config:
    """Validated configuration from a YAML file.

    Parameters
    ----------
    path : path
        The file; its plugins are looked for beside it.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        The file cannot be read, or a key is invalid.
    PluginError
        A plugin cannot be used.
    """
    return validate(read_yaml(path), str(path), [Path(path).parent])


def load_registry(config: Config, base: str | Path = ".") -> dict[str, dict[str, Any]]:
    """Registry of data sets with the user's own merged in: source name to entry, as plain dictionaries.

    Parameters
    ----------
    config : Config
        Names the registry file and holds the user's own data sets.
    base : path
        Folder that the registry's relative path refers to.

    Returns
    -------
    dict of str to dict
        Files expanded and defaults filled in.

    Raises
    ------
    ConfigError
        The registry is invalid, two data sets make one store, or the sessions of a collection are not known.
    """
    path = Path(base, config.registry)
    registry = parse(Registry, {"sources": read_yaml(path)}, str(path))
    wanted = {store: kind for kind, stores in config.homogenize.stores().items() for store in stores}
    found = entries(config.collections, resolved(config.collections))
    if taken := sorted(set(found) & {*registry.sources, *config.datasets}):
        raise ConfigError(
            f"a session has the name of a data set: {', '.join(taken)}",
            where="collections",
            do="rename the collection",
        )
    return merge({**registry.sources, **found}, config.datasets, wanted)
