"""Makes a component of a plugin: `python -m servicewright_sdk.build --world FOLDER --out FILE`.

`wright plugin build` runs it in the plugin's folder, and then puts the manifest into the component.
It needs `componentize-py` in the exact version below, which has a whole Python for WebAssembly in
it.
"""

import argparse
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from . import _hooks

COMPONENTIZE_PY = "0.25.0"
"""The version of componentize-py that this SDK is tested with."""

WORLD = "plugin"
"""The name of the world that the component is made for."""

_ENTRY = "servicewright_entry"
_ARGUMENTS = {
    "approval": "decide(call, record, request)",
    "routing": "route(call, record)",
    "service-level": "targets(call, record, agreement)",
    "delivery": "deliver(call, event)",
    "webhook": "receive(call, request)",
    "schedule": "run(call)",
}
_EXPORT = re.compile(r"^\s*export servicewright:plugin/([a-z-]+)@", re.MULTILINE)
_MAX_SAID = 4_000


class Failed(Exception):
    """What keeps the component from being made, in words for its author."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the component, or says what keeps it from being made."""
    parser = argparse.ArgumentParser(prog="python -m servicewright_sdk.build", description=__doc__)
    parser.add_argument(
        "--world", type=Path, required=True, help="the folder with the plugin's world, as WIT"
    )
    parser.add_argument("--out", type=Path, required=True, help="where the component goes")
    parser.add_argument(
        "--project", type=Path, default=Path(), help="the plugin's folder, with its pyproject.toml"
    )
    given = parser.parse_args(arguments)
    try:
        build(given.project.resolve(), given.world.resolve(), given.out.resolve())
    except Failed as failed:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    return 0


def build(project: Path, world: Path, out: Path) -> None:
    """Makes the component of the plugin in a folder. Raises `Failed`."""
    check_version()
    module, source = module_of(project)
    hooks = hooks_of(module, source)
    check_world(world, module, hooks)
    with tempfile.TemporaryDirectory(prefix="servicewright-") as made:
        entry = Path(made, f"{_ENTRY}.py")
        entry.write_text(entry_of(module, hooks), encoding="utf-8")
        componentize(world, out, [Path(made), *search_path(source)])


def check_version() -> None:
    """Makes sure that componentize-py is there, in the version that this SDK is tested with."""
    try:
        found = importlib.metadata.version("componentize-py")
    except importlib.metadata.PackageNotFoundError:
        found = None
    if found != COMPONENTIZE_PY:
        there = "is not installed" if found is None else f"is installed in version {found}"
        raise Failed(
            f"componentize-py {there} for {sys.executable}, and {COMPONENTIZE_PY} is needed: write "
            f"componentize-py=={COMPONENTIZE_PY} into requirements.txt and run "
            f"{sys.executable} -m pip install -r requirements.txt"
        )


def module_of(project: Path) -> tuple[str, Path]:
    """The plugin's module, and the folder that it lies in."""
    path = project / "pyproject.toml"
    try:
        package = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failed(f"{path} cannot be read: {error}") from error
    own = package.get("tool", {}).get("servicewright", {})
    name = own.get("module") or package.get("project", {}).get("name")
    if not isinstance(name, str):
        raise Failed(
            f"{path} does not say the plugin's module: write `[tool.servicewright]` and "
            '`module = "my_plugin"` into it'
        )
    name = name.replace("-", "_").replace("/", ".")
    file = Path(*name.split("."))
    for folder in (project, project / "src"):
        if (folder / file.with_suffix(".py")).is_file() or (
            folder / file / "__init__.py"
        ).is_file():
            return name, folder
    raise Failed(f"there is no module `{name}` in {project}: a file {file}.py is looked for there")


def hooks_of(module: str, source: Path) -> list[str]:
    """The hooks at which the module answers, found out by importing it here."""
    sys.path.insert(0, str(source))
    try:
        importlib.import_module(module)
    except _hooks.HookError as error:
        raise Failed(str(error)) from error
    hooks = _hooks.answered()
    if not hooks:
        raise Failed(
            f"the module `{module}` answers at no hook: put a decorator such as `@routing.hook` "
            "before the function that does"
        )
    for hook in hooks:
        function = _hooks.of(hook)
        wanted = _ARGUMENTS[hook]
        arguments = [None] * (wanted.count(",") + 1)
        try:
            inspect.signature(function).bind(*arguments)  # type: ignore[arg-type]
        except TypeError:
            raise Failed(
                f"the function that answers at the hook {hook} must take what {wanted} does"
            ) from None
    return hooks


def check_world(world: Path, module: str, hooks: list[str]) -> None:
    """Makes sure that the module answers at the hooks of its plugin.yaml, and so of its world."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in world.glob("*.wit"))
    declared = _EXPORT.findall(text)
    if sorted(declared) != sorted(hooks):
        raise Failed(
            f"the module `{module}` answers at these hooks: {', '.join(hooks)}; "
            f"its plugin.yaml says: {', '.join(declared) or 'none'}"
        )


def entry_of(module: str, hooks: list[str]) -> str:
    """The module that the component begins with: componentize-py looks for one class per hook in
    it."""
    lines = [
        '"""Made by servicewright_sdk.build."""',
        "# Python imports it when a date is first parsed, and cannot once the plugin runs.",
        "import _strptime",
        "from servicewright_sdk._guest import imports",
        "imports.install()",
        f"import {module}",
    ]
    for hook in hooks:
        name = hook.replace("-", " ").title().replace(" ", "")
        lines.append(f"from servicewright_sdk._guest.{hook.replace('-', '_')} import {name}")
    return "\n".join(lines) + "\n"


def search_path(source: Path) -> list[Path]:
    """Where the component's modules are looked for: the plugin's folder, and wherever this Python
    has the SDK and what else was installed for the plugin."""
    here = Path(__file__).resolve().parent.parent
    installed = [Path(folder) for folder in sys.path if Path(folder).name == "site-packages"]
    found = [source, here, *installed]
    return list(dict.fromkeys(found))


def componentize(world: Path, out: Path, folders: list[Path]) -> None:
    """Runs componentize-py."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-c",
        "import componentize_py, sys; sys.exit(componentize_py.script())",
    ]
    command += ["--quiet", "--wit-path", str(world), "--world", WORLD]
    command += ["componentize", _ENTRY, "--output", str(out)]
    for folder in folders:
        command += ["--python-path", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode != 0 or not out.is_file():
        said = (ended.stderr or ended.stdout).strip()
        raise Failed(f"componentize-py failed; it said:\n{said[-_MAX_SAID:]}")


if __name__ == "__main__":
    sys.exit(main())
