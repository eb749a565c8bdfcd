"""Feature models: units that respond to stimuli, without spikes; their builders return the responses themselves."""

from allometry.models.features.records import FEATURE_MODELS, FeatureModel, Features, feature_model
from allometry.models.features.registry import build, fit, resolved

__all__ = ["FEATURE_MODELS", "FeatureModel", "Features", "build", "feature_model", "fit", "resolved"]
