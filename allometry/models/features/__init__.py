"""Feature models: units that respond to stimuli, without spikes; their builders return the responses, or what gives them."""

from allometry.models.features.records import FEATURE_MODELS, FeatureModel, Features, Protocol, feature_model
from allometry.models.features.registry import build, fit, resolved

__all__ = ["FEATURE_MODELS", "FeatureModel", "Features", "Protocol", "build", "feature_model", "fit", "resolved"]
