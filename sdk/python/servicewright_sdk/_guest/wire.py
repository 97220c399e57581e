"""The contract's own types. Where the world has another interface of the name `types`,
componentize-py names the module of each after its package too."""

try:
    from wit_world.imports import types
except ImportError:
    from wit_world.imports import servicewright_plugin_types as types

__all__ = ["types"]
