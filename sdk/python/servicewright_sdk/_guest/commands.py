"""Commands of an integration as they go out."""

from typing import Any

from wit_world.imports import commands as wire

from .. import commands
from .convert import fields_out, unfit


def commands_out(hook: str, given: object) -> list[Any]:
    """All commands of an answer."""
    if not isinstance(given, (list, tuple)):
        raise unfit(hook, given, "a list of commands")
    return [_command(hook, command) for command in given]


def _command(hook: str, command: Any) -> Any:
    if not isinstance(command, commands.KINDS):
        raise unfit(hook, command, "a list of commands")
    return wire.Command(command.on_behalf_of, _action(command))


def _action(command: Any) -> Any:
    if isinstance(command, commands.Create):
        new = wire.NewRecord(command.workflow, fields_out(command.fields), command.reference)
        return wire.Action_Create(new)
    return wire.Action_Change((_subject(command.subject), _change(command)))


def _subject(subject: commands.Subject) -> Any:
    if isinstance(subject, commands.Id):
        return wire.Subject_Id(subject.id)
    return wire.Subject_Reference(subject.reference)


def _change(command: Any) -> Any:
    if isinstance(command, commands.Transition):
        return wire.Change_Transition(wire.Transition(command.name, fields_out(command.input)))
    if isinstance(command, commands.Update):
        return wire.Change_Update(fields_out(command.fields))
    if isinstance(command, commands.Assign):
        return wire.Change_Assign(wire.Assignment(command.team, command.assignee))
    if isinstance(command, commands.Vote):
        return wire.Change_Vote(wire.Vote(command.approves, command.reason))
    if isinstance(command, commands.Comment):
        return wire.Change_Comment(wire.Comment(command.text, command.public))
    if isinstance(command, commands.Link):
        return wire.Change_Link(wire.Link(command.kind, _subject(command.target)))
    return wire.Change_Refer(command.reference)
