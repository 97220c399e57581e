"""What keeps a component from being made is said in words for its author, before the long part."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from servicewright_sdk import _hooks, build

WORLD = """package servicewright:built;

world plugin {
  import servicewright:plugin/log@1.0.0;
  export servicewright:plugin/routing@1.0.0;
}
"""

ROUTER = """
from servicewright_sdk import routing

@routing.hook
def route(call, record):
    return routing.Assignment(team="desk", reason="x")
"""

APPROVER = """
from servicewright_sdk import approval

@approval.hook
def decide(call, record, request):
    return approval.Approve("x")
"""


class Projects(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = Path(folder.name)
        self.write("world/world.wit", WORLD)
        for patch in (
            mock.patch.dict(_hooks._answering, clear=True),
            mock.patch.dict("sys.modules"),
            mock.patch("sys.path", list(build.sys.path)),
            mock.patch("sys.dont_write_bytecode", True),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def write(self, path, text):
        file = self.project / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def build(self):
        """Builds, with the step that makes the component replaced; returns what it was asked."""
        with (
            mock.patch.object(build, "check_version"),
            mock.patch.object(build, "componentize") as made,
        ):
            build.build(self.project, self.project / "world", self.project / "out.wasm")
        return made.call_args.args

    def assert_fails(self, said):
        with self.assertRaisesRegex(build.Failed, said):
            self.build()

    def test_a_module_is_found_by_the_projects_name(self):
        self.write("pyproject.toml", '[project]\nname = "quiet-one"\n')
        self.write("quiet_one.py", ROUTER)
        _, _, folders = self.build()
        self.assertIn(self.project, folders)

    def test_a_module_is_found_where_the_project_says(self):
        self.write("pyproject.toml", '[tool.servicewright]\nmodule = "quiet_two"\n')
        self.write("src/quiet_two.py", ROUTER)
        _, _, folders = self.build()
        self.assertIn(self.project / "src", folders)

    def test_what_is_wrong_with_a_project_is_named(self):
        self.assert_fails("pyproject.toml cannot be read")
        self.write("pyproject.toml", "")
        self.assert_fails("does not say the plugin's module")
        self.write("pyproject.toml", '[project]\nname = "quiet-three"\n')
        self.assert_fails("there is no module `quiet_three` in .*quiet_three.py is looked for")

    def test_what_is_wrong_with_a_module_is_named(self):
        self.write("pyproject.toml", '[project]\nname = "quiet-four"\n')
        self.write("quiet_four.py", "")
        self.assert_fails("the module `quiet_four` answers at no hook")

    def test_a_function_with_other_arguments_is_found_out(self):
        self.write("pyproject.toml", '[project]\nname = "quiet-five"\n')
        self.write("quiet_five.py", ROUTER.replace("call, record", "call"))
        self.assert_fails(r"answers at the hook routing must take what route\(call, record\) does")

    def test_two_functions_at_one_hook_are_found_out(self):
        self.write("pyproject.toml", '[project]\nname = "quiet-six"\n')
        self.write("quiet_six.py", ROUTER + ROUTER.replace("def route", "def other"))
        self.assert_fails("two functions answer at the hook routing")

    def test_another_hook_than_the_manifests_is_found_out(self):
        self.write("pyproject.toml", '[project]\nname = "quiet-seven"\n')
        self.write("quiet_seven.py", APPROVER)
        self.assert_fails("answers at these hooks: approval; its plugin.yaml says: routing")


class Entry(unittest.TestCase):
    def test_there_is_one_class_for_each_hook(self):
        entry = build.entry_of("mine", ["routing", "service-level"])
        self.assertIn("import mine\n", entry)
        self.assertIn("_guest.routing import Routing\n", entry)
        self.assertIn("_guest.service_level import ServiceLevel\n", entry)


class Version(unittest.TestCase):
    def test_another_version_of_the_tool_is_refused_with_what_to_do(self):
        for version in (mock.Mock(return_value="0.1"), mock.Mock(side_effect=_missing())):
            with (
                mock.patch("importlib.metadata.version", version),
                self.assertRaisesRegex(build.Failed, "pip install -r requirements.txt"),
            ):
                build.check_version()


def _missing():
    return build.importlib.metadata.PackageNotFoundError("componentize-py")
