"""Every template of a plugin in Python passes its own tests as generated, without a warning."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from servicewright_sdk import build
from servicewright_sdk._hooks import HOOKS

SDK = Path(__file__).resolve().parent.parent
TEMPLATES = SDK.parent / "templates" / "python"
PLACEHOLDERS = {
    "__NAME__": "quiet-router",
    "__SNAKE__": "quiet_router",
    "__TITLE__": "Quiet router",
    "__TYPE__": "QuietRouter",
}


def generate(hook: str, project: Path) -> None:
    """What `wright plugin new` makes of a template."""

    def filled(text: str) -> str:
        for placeholder, value in {**PLACEHOLDERS, "__HOOK__": hook}.items():
            text = text.replace(placeholder, value)
        return text

    for folder in (TEMPLATES / "shared", TEMPLATES / hook):
        for file in folder.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                made = project / filled(str(file.relative_to(folder)))
                made.parent.mkdir(parents=True, exist_ok=True)
                made.write_text(filled(file.read_text(encoding="utf-8")), encoding="utf-8")
    ignored = shutil.ignore_patterns("__pycache__")
    vendored = project / "vendor" / "servicewright_sdk"
    shutil.copytree(SDK / "servicewright_sdk", vendored, ignore=ignored)


def test(project: Path) -> subprocess.CompletedProcess[str]:
    """Its own tests, without this SDK on the path and with warnings as errors."""
    command = [sys.executable, "-W", "error", "-B", "-m", "unittest"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )


class Templates(unittest.TestCase):
    def test_there_is_one_for_every_hook(self):
        found = {folder.name for folder in TEMPLATES.iterdir()} - {"shared"}
        self.assertEqual(found, set(HOOKS))

    def test_each_passes_its_own_tests(self):
        for hook in HOOKS:
            with self.subTest(hook), tempfile.TemporaryDirectory() as folder:
                project = Path(folder)
                generate(hook, project)
                left = [str(file) for file in project.rglob("*") if "__SNAKE__" in file.name]
                self.assertEqual(left, [])
                tested = test(project)
                self.assertEqual(tested.returncode, 0, tested.stderr)
                self.assertRegex(tested.stderr, r"Ran [1-9]\d* tests?")
                schema = (project / "settings.schema.json").read_text(encoding="utf-8")
                self.assertEqual(json.loads(schema)["title"], "Settings of quiet-router")

    def test_each_pins_the_tool_that_its_sdk_is_tested_with(self):
        pinned = (TEMPLATES / "shared" / "requirements.txt").read_text(encoding="utf-8")
        self.assertIn(f"componentize-py=={build.COMPONENTIZE_PY}\n", pinned)
        project = (SDK / "pyproject.toml").read_text(encoding="utf-8")
        self.assertIn(f'"componentize-py=={build.COMPONENTIZE_PY}"', project)
