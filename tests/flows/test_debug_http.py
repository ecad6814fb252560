"""`--debug-http` is where AIMS is called: no command that does so may lack it, however it is added to the tree."""

from __future__ import annotations

from tests.flows.tree import commands, options

ASK_NOTHING = """
init login logout whoami find health demo completion version undo apply
org:create,list,show,update store:create,list,show,update,delete
user:create,list,show,update,deactivate,activate,unlock,reset-password,import,export
password:change auth:status,sessions,revoke
space:create,list,show,update,delete,import,export
people:create,list,show,update,delete,assign,unassign,move,swap,import,export
conference:create,list,show,update,toggle,delete,import,export
label:link,unlink,replace,flip,import,export import:template
history:list,show snapshot:save,list,diff,restore
aims:last,simulate aims.format:show aims.fault:add,list,clear aims.mapping:show,set,validate
queue:status,list,show,pause,resume,retry,cancel,watch queue.dead:list,group,retry,discard
sync:status,history,show,conflicts,resolve
daemon:run,status,unit,timer db:upgrade,current,check mail:list,send,retry
"""
"""What only looks here, writes wishes for the queue, or speaks to a simulator's controls. The daemon keeps a log."""


def quiet_ones() -> set[str]:
    found = set()
    for item in ASK_NOTHING.split():
        group, _, verbs = item.partition(":")
        path = group.replace(".", " ")
        found |= {f"{path} {verb}" for verb in verbs.split(",")} if verbs else {path}
    return found


def test_every_command_that_calls_aims_can_show_its_calls():
    """A new command belongs to one side or the other: whoever adds one says to which."""
    without = {path for path in commands() if "--debug-http" not in options(path)}

    assert without - quiet_ones() == set(), "calls AIMS and can not show it, or is missing in ASK_NOTHING"


def test_no_command_is_said_to_ask_nothing_and_shows_its_calls_all_the_same():
    """Commands that other branches add may be named before they are there."""
    assert {path for path in quiet_ones() & set(commands()) if "--debug-http" in options(path)} == set()
