"""
A day of an administrator, with the calls of the tools in their order (spec/admin-core.md 11), on the system of furnished.ts with the images `stick` and
`archive` as block devices of dom0: walk.py SOCKET DIR. Whatever a client would trip over ends it with a traceback.
"""
import re
import sys

from client import ERRORS, PermissionDenied, ProtocolError, Qubesd, QubesException, qarg, write_device

MIB = 1 << 20
qubesd, folder = Qubesd(sys.argv[1]), sys.argv[2]


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, want {wanted!r}")


def refused(kind, *call, text=None):
    """The call is refused by this class of exception, with a text, which the client could format; `text` if that is given."""
    kind = ERRORS.get(kind, QubesException) if isinstance(kind, str) else kind
    try:
        qubesd.call(*call)
    except kind as error:
        if type(error) is not kind or not str(error) or re.search(r"[\x00-\x09\x0b-\x1f]", str(error)):
            raise
        if text is not None:
            # Those that are errors of a dictionary too are shown as one.
            equal(error.args[0], text)
        return
    raise AssertionError(f"{call} is not refused")


def walk_ls():
    qubes = qubesd.qubes()
    equal(list(qubes), ["dom0", "base", "dvm", "solo", "work"])
    equal(qubes["dom0"], {"class": "AdminVM", "state": "Running", "uuid": "00000000-0000-0000-0000-000000000000"})
    for name, qube in qubes.items():
        properties = qubesd.properties(name)
        equal(list(properties), qubesd.lines(name, "admin.vm.property.List"))
        equal(properties["klass"].value, qube["class"])
        equal(properties["uuid"].value, qube["uuid"])
        for key, value in properties.items():
            one = qubesd.property(name, key)
            equal((one.is_default, one.kind, one.text), (value.is_default, value.kind, value.text))
            qubesd.text(name, "admin.vm.property.Help", key)
            qubesd.text(name, "admin.vm.property.GetDefault", key)
        equal(len(qubesd.lines(name, "admin.vm.List")), 1 if name != "dom0" else len(qubes))
        state = dict(word.split("=") for word in qubesd.text(name, "admin.vm.CurrentState").split(" "))
        equal(state.pop("power_state"), qube["state"])
        equal([int(state[key]) >= 0 for key in ("mem", "mem_static_max", "cputime")], [True] * 3)
        for feature in qubesd.lines(name, "admin.vm.feature.List"):
            qubesd.text(name, "admin.vm.feature.Get", feature)
        refused("QubesFeatureNotFoundError", name, "admin.vm.feature.Get", "internal")
        for tag in qubesd.lines(name, "admin.vm.tag.List"):
            equal(qubesd.text(name, "admin.vm.tag.Get", tag), "1")
    equal(sorted(qubesd.lines("dom0", "admin.vmclass.List"))[:3], ["AdminVM", "AppVM", "DispVM"])


def walk_prefs():
    refused("QubesNoSuchPropertyError", "work", "admin.vm.property.Get", "no%such", text="Invalid property 'no%such' of work")
    refused("QubesNoSuchPropertyError", "dom0", "admin.property.Get", "100%d", text="Invalid property '100%d' of Qubes")
    refused("QubesValueError", "work", "admin.vm.property.Set", "memory", "50%s", text="Failed to parse property value as int")
    refused("QubesValueError", "work", "admin.vm.property.Set", "debug", "%(x)s", text="Invalid literal for boolean property: '%(x)s'")
    refused("QubesPropertyValueError", "work", "admin.vm.property.Set", "netvm", "nosuch")
    refused("QubesPropertyValueError", "work", "admin.vm.property.Set", "qid", "7")
    refused("QubesLabelNotFoundError", "work", "admin.vm.property.Set", "label", "nosuch%")
    refused("QubesVMNotFoundError", "nosuch", "admin.vm.property.GetAll", text="No such domain: 'nosuch'")
    for value in ("a\\nb \\\\ c", "two\nlines", "", "root=/dev/xvda 100%"):
        qubesd.done("work", "admin.vm.property.Set", "kernelopts", value)
        equal(qubesd.property("work", "kernelopts").value, value)
        equal(qubesd.properties("work")["kernelopts"].value, value)
    for value in ("a\rb", "a\vb", "a\fb", "a\x01b", "ä"):
        refused("QubesValueError", "work", "admin.vm.property.Set", "kernelopts", value)
    qubesd.done("work", "admin.vm.property.Reset", "kernelopts")
    equal(qubesd.property("work", "kernelopts").is_default, True)
    for label in ("label-4", "1", "green", "red"):
        qubesd.done("work", "admin.vm.property.Set", "label", label)
        equal(qubesd.property("work", "label").value, {"label-4": "green", "1": "red"}.get(label, label))
    refused("QubesValueError", "work", "admin.vm.property.Set", "netvm", "solo")
    refused("QubesValueError", "dom0", "admin.property.Set", "default_netvm", "solo")
    refused("QubesValueError", "work", "admin.vm.property.Reset", "template")
    globals_ = qubesd.properties("dom0", "admin.property")
    equal(list(globals_), qubesd.lines("dom0", "admin.property.List"))
    for name, value in globals_.items():
        qubesd.text("dom0", "admin.property.Help", name)
        equal(qubesd.property("dom0", name, "admin.property").text, value.text)
    equal(globals_["default_kernel"].value, "6.12.1")
    refused("QubesPropertyValueError", "dom0", "admin.property.Set", "default_kernel", "no-such-%")
    qubesd.done("dom0", "admin.property.Set", "default_kernel", "6.12.1")


def walk_features_and_tags():
    for name, value in {"gui": "1", "empty": "", "a.B_c-9": "'100%' \\ = x"}.items():
        qubesd.done("work", "admin.vm.feature.Set", name, value)
        equal(qubesd.text("work", "admin.vm.feature.Get", name), value)
    equal(qubesd.lines("work", "admin.vm.feature.List"), ["gui", "empty", "a.B_c-9"])
    qubesd.done("work", "admin.vm.feature.Remove", "gui")
    refused("QubesFeatureNotFoundError", "work", "admin.vm.feature.Remove", "gui", text="Feature not set for domain work: gui")
    refused("QubesFeatureNotFoundError", "work", "admin.vm.feature.Get", "a%b", text="Feature not set for domain work: a%b")
    refused(ProtocolError, "work", "admin.vm.feature.Set", "a%b", "1")
    refused(PermissionDenied, "work", "admin.vm.feature.Set", "preload-dispvm", "1")
    qubesd.done("work", "admin.vm.tag.Set", "mail")
    qubesd.done("work", "admin.vm.tag.Set", "mail")
    equal(qubesd.lines("work", "admin.vm.tag.List"), ["audiovm-dom0", "created-by-dom0", "guivm-dom0", "mail"])
    qubesd.done("work", "admin.vm.tag.Remove", "mail")
    refused("QubesTagNotFoundError", "work", "admin.vm.tag.Remove", "mail", text="Tag not set for domain work: mail")
    refused("QubesInvalidTagError", "work", "admin.vm.tag.Set", "100%")


def walk_labels():
    labels = qubesd.lines("dom0", "admin.label.List")
    equal({name: int(qubesd.text("dom0", "admin.label.Index", name)) for name in labels}, {"red": 1, "green": 4, "black": 8})
    equal(qubesd.text("dom0", "admin.label.Get", "red"), "0xcc0000")
    qubesd.done("dom0", "admin.label.Create", "pink", "0xff00ff")
    equal(qubesd.text("dom0", "admin.label.Index", "pink"), "9")
    refused("QubesLabelInUseError", "dom0", "admin.label.Create", "pink", "0xff00ff")
    refused("QubesInvalidLabelValueError", "dom0", "admin.label.Create", "odd", "%s")
    qubesd.done("dom0", "admin.label.Remove", "pink")
    refused(ProtocolError, "dom0", "admin.label.Remove", "red", text="Can only remove custom labels")


def walk_pools():
    drivers = qubesd.drivers()
    equal(drivers["file-reflink"], ["revisions_to_keep", "dir_path", "setup_check", "ephemeral_volatile"])
    equal(drivers["linux-kernel"], ["dir_path"])
    config = f"name=more\ndir_path={folder}/images/50%more\nrevisions_to_keep=2\nsetup_check=no\n"
    qubesd.done("dom0", "admin.pool.Add", "file-reflink", config)
    refused("QubesPoolInUseError", "dom0", "admin.pool.Add", "file-reflink", config)
    refused("QubesException", "dom0", "admin.pool.Add", "file-reflink", "name=x\n")
    refused("StoragePoolException", "dom0", "admin.pool.Add", "file-reflink", f"name=x\ndir_path={folder}/no/50%/such\n")
    refused(PermissionDenied, "dom0", "admin.pool.Info", "no%such", text="Argument not in 'pools'")
    equal(qubesd.lines("dom0", "admin.pool.List"), ["main", "linux-kernel", "more"])
    for name in ("main", "linux-kernel", "more"):
        info = qubesd.pairs("dom0", "admin.pool.Info", name)
        equal((info["name"], info["driver"] in drivers), (name, True))
        equal([int(info[key]) > 0 for key in ("size", "usage") if key in info], [True, True] if "size" in info else [])
        for value in qubesd.pairs("dom0", "admin.pool.UsageDetails", name).values():
            int(value)
    equal(qubesd.pairs("dom0", "admin.pool.Info", "more")["included_in"], "main")
    qubesd.done("dom0", "admin.pool.Set.revisions_to_keep", "more", "0")
    qubesd.done("dom0", "admin.pool.Set.ephemeral_volatile", "more", "True")
    equal(qubesd.pairs("dom0", "admin.pool.Info", "more")["ephemeral_volatile"], "True")
    qubesd.done("dom0", "admin.pool.Remove", "more")
    refused("QubesPoolInUseError", "dom0", "admin.pool.Remove", "main")


def walk_volumes():
    for qube in qubesd.qubes():
        for name in qubesd.lines(qube, "admin.vm.volume.List"):
            info = qubesd.volume(qube, name)
            equal(info["source"] != "", info["snap_on_start"])
            equal(qubesd.lines(qube, "admin.vm.volume.ListSnapshots", name), [])
    equal(qubesd.lines("dom0", "admin.vm.volume.List"), [])
    equal(qubesd.lines("work", "admin.vm.volume.List"), ["root", "private", "volatile", "kernel"])
    qubesd.done("work", "admin.vm.volume.Resize", "private", str(2 * MIB))
    equal(qubesd.volume("work", "private")["size"], 2 * MIB)
    qubesd.done("work", "admin.vm.volume.Set.revisions_to_keep", "private", "2")
    qubesd.done("work", "admin.vm.volume.Set.ephemeral", "volatile", "True")
    equal(qubesd.volume("work", "volatile")["ephemeral"], True)
    qubesd.done("work", "admin.vm.volume.Set.ephemeral", "volatile", "False")
    for _ in range(2):
        qubesd.done("work", "admin.vm.Start")
        qubesd.done("work", "admin.vm.Shutdown", "wait")
    revisions = qubesd.lines("work", "admin.vm.volume.ListSnapshots", "private")
    qubesd.done("work", "admin.vm.volume.Revert", "private", revisions[-1])
    refused("QubesVolumeRevisionNotFoundError", "work", "admin.vm.volume.Revert", "private", "nosuch")
    refused(ProtocolError, "work", "admin.vm.volume.Revert", "private", "100%")
    qubesd.done("work", "admin.vm.volume.Clear", "private")
    token = qubesd.text("solo", "admin.vm.volume.CloneFrom", "private")
    qubesd.done("work", "admin.vm.volume.CloneTo", "private", token)
    refused("QubesVolumeCopyTokenNotFoundError", "work", "admin.vm.volume.CloneTo", "private", token)
    refused(PermissionDenied, "work", "admin.vm.volume.Info", "no%such", text="Argument not in 'work volumes'")
    refused("StoragePoolException", "work", "admin.vm.volume.Resize", "root", str(2 * MIB))
    refused("QubesValueError", "work", "admin.vm.volume.Set.ephemeral", "private", "True")
    for change, value in {"Resize": "1", "Set.rw": "True", "Set.revisions_to_keep": "1", "Clear": ""}.items():
        refused("QubesNotImplementedError", "work", f"admin.vm.volume.{change}", "kernel", value)


def walk_devices():
    classes = qubesd.lines("dom0", "admin.deviceclass.List")
    for devclass in classes:
        for qube in qubesd.qubes():
            for port in qubesd.available(qube, devclass).values():
                equal(port["interfaces"] != "", True)
            equal(qubesd.assignments(qube, devclass), {})
            equal(qubesd.assignments(qube, devclass, "Attached"), {})
    stick = qubesd.available("dom0", "block")["stick:0000:0000::?******"]
    device = {key: stick[key] for key in ("device_id", "port_id", "devclass", "backend_domain")}
    wanted = {**device, "mode": "auto-attach", "frontend_domain": "work", "_read-only": "yes", "_frontend-dev": "it's ='x' 100%"}
    qubesd.done("work", "admin.vm.device.block.Assign", qarg(device), write_device(wanted))
    equal(list(qubesd.assignments("work", "block").values()), [wanted])
    refused("DeviceAlreadyAssigned", "work", "admin.vm.device.block.Assign", qarg(device), write_device(wanted))
    refused("QubesVMNotRunningError", "work", "admin.vm.device.block.Attach", qarg(device), write_device({**wanted, "mode": "manual"}))
    refused(ProtocolError, "work", "admin.vm.device.block.Assign", "dom0+x", "mode='100%'")
    refused("QubesVMNotFoundError", "work", "admin.vm.device.block.Assign", "nosuch+x", "mode='required'")
    equal(qubesd.properties("work")["devices_denied"].value, "")
    qubesd.done("work", "admin.vm.Start")
    equal(list(qubesd.assignments("work", "block", "Attached").values()), [wanted])
    equal(qubesd.available("dom0", "block")["stick:0000:0000::?******"]["attachment"], "work")
    refused("DeviceAlreadyAttached", "work", "admin.vm.device.block.Attach", qarg(device), write_device({**wanted, "mode": "manual"}))
    qubesd.done("work", "admin.vm.device.block.Detach", qarg(device))
    refused("DeviceNotAssigned", "work", "admin.vm.device.block.Detach", qarg(device))
    anything = {**device, "device_id": "*", "port_id": "archive"}
    qubesd.done("work", "admin.vm.device.block.Attach", qarg(anything), write_device({**anything, "mode": "manual", "frontend_domain": "work"}))
    [attached] = qubesd.assignments("work", "block", "Attached").values()
    equal((attached["port_id"], attached["device_id"], attached["mode"]), ("archive", "0000:0000::?******", "manual"))
    qubesd.done("work", "admin.vm.Kill")
    equal(qubesd.assignments("work", "block", "Attached"), {})
    refused(ProtocolError, "work", "admin.vm.device.floppy.Available", None, text="no such method: 'admin.vm.device.floppy.Available'")


def walk_creation():
    qubesd.done("dom0", "admin.vm.Create.AppVM", None, "name=new label=4")
    equal(qubesd.qubes()["new"]["class"], "AppVM")
    equal(qubesd.property("new", "label").value, "green")
    qubesd.done("new", "admin.vm.property.Set", "memory", "700")
    qubesd.done("dom0", "admin.vm.CreateInPool.StandaloneVM", None, "name=alone label=red pool=main")
    qubesd.done("dom0", "admin.vm.Create.TemplateVM", None, "name=other label=black")
    qubesd.done("dom0", "admin.vm.Create.DispVM", "dvm", "name=once label=red")
    qubesd.done("dom0", "admin.vm.Create.RemoteVM", None, "name=far label=red")
    for name, kind in {"new": "AppVM", "alone": "StandaloneVM", "other": "TemplateVM", "once": "DispVM", "far": "RemoteVM"}.items():
        equal(qubesd.properties(name)["klass"].value, kind)
    refused("QubesVMAlreadyExistsError", "dom0", "admin.vm.Create.AppVM", None, "name=new label=red")
    refused("QubesLabelNotFoundError", "dom0", "admin.vm.Create.AppVM", None, "name=x label=100%")
    refused("QubesException", "dom0", "admin.vm.CreateInPool.AppVM", None, "name=x label=red pool=50%")
    refused("QubesValueError", "dom0", "admin.vm.Create.AppVM", None, "name=100% label=red")
    refused(ProtocolError, "dom0", "admin.vm.Create.AppVM", None, "100%")


def walk_clone():
    source, target = "work", "copy"
    equal(source in qubesd.qubes(), True)
    template, label = (qubesd.property(source, name).value for name in ("template", "label"))
    qubesd.done("dom0", "admin.vm.Create.AppVM", template, f"name={target} label={label}")
    for name in qubesd.lines(source, "admin.vm.property.List"):
        if name in ("name", "qid", "template", "label", "uuid", "installed_by_rpm"):
            continue
        value = qubesd.property(source, name)
        if not value.is_default:
            qubesd.done(target, "admin.vm.property.Set", name, value.text)
    for tag in qubesd.lines(source, "admin.vm.tag.List"):
        if not tag.startswith("created-by-"):
            qubesd.done(target, "admin.vm.tag.Set", tag)
    for name in qubesd.lines(source, "admin.vm.feature.List"):
        qubesd.done(target, "admin.vm.feature.Set", name, qubesd.text(source, "admin.vm.feature.Get", name))
    qubesd.done(source, "admin.vm.notes.Set", None, "Tür zu, 100%\n")
    qubesd.done(target, "admin.vm.notes.Set", None, qubesd.text(source, "admin.vm.notes.Get"))
    equal(qubesd.text(target, "admin.vm.notes.Get"), "Tür zu, 100%\n")
    rules = qubesd.text(source, "admin.vm.firewall.Get")
    equal(rules, "action=accept\n")
    qubesd.done(target, "admin.vm.firewall.Set", None, rules)
    refused("QubesValueError", target, "admin.vm.firewall.Set", None, "action=100%\n")
    for name in qubesd.lines(target, "admin.vm.volume.List"):
        if qubesd.volume(target, name)["save_on_stop"]:
            token = qubesd.text(source, "admin.vm.volume.CloneFrom", name)
            qubesd.done(target, "admin.vm.volume.CloneTo", name, token)
    for devclass in qubesd.lines("dom0", "admin.deviceclass.List"):
        for device in qubesd.assignments(source, devclass).values():
            copied = {**device, "frontend_domain": target}
            qubesd.done(target, f"admin.vm.device.{devclass}.Assign", qarg(device), write_device(copied))
            equal(list(qubesd.assignments(target, devclass).values()), [copied])
    mine, its = qubesd.properties(source), qubesd.properties(target)
    for name in mine:
        if name not in ("name", "qid", "uuid") and (mine[name].text, mine[name].is_default) != (its[name].text, its[name].is_default):
            raise AssertionError(f"{name}: {mine[name].text!r} became {its[name].text!r}")


def walk_life():
    events = qubesd.events("work")
    qubesd.done("work", "admin.vm.Start")
    qubesd.done("work", "admin.vm.Start")
    refused("QubesPropertyValueError", "work", "admin.vm.property.Set", "template", "solo")
    for change, state in (("Pause", "Paused"), ("Unpause", "Running"), ("Suspend", "Suspended"), ("Resume", "Running")):
        qubesd.done("work", f"admin.vm.{change}")
        equal(qubesd.qubes()["work"]["state"], state)
    refused("QubesVMNotPausedError", "work", "admin.vm.Unpause")
    refused(ProtocolError, "work", "admin.vm.Shutdown", "100%")
    qubesd.done("work", "admin.vm.Shutdown", "force+wait")
    equal(qubesd.qubes()["work"]["state"], "Halted")
    refused("QubesVMNotStartedError", "work", "admin.vm.Shutdown")
    refused("QubesVMNotRunningError", "work", "admin.vm.Pause")
    qubesd.done("work", "admin.vm.feature.Set", "last", "%")
    names = []
    for subject, name, values in events:
        names.append(name)
        equal(subject, "work")
        if name == "domain-pre-start":
            equal((values["start_guid"], int(values["mem_required"])), ("True", 0))
        if name == "domain-feature-set:last":
            equal(values, {"feature": "last", "value": "%"})
            break
    wanted = ["domain-pre-start", "domain-verify-files", "domain-pre-spawn", "domain-spawn", "domain-start", "domain-pre-paused", "domain-paused"]
    wanted += ["domain-pre-unpaused", "domain-unpaused"]
    equal([name for name in names if not name.startswith("device-")][: len(wanted)], wanted)
    equal(names.index("domain-pre-shutdown") < names.index("domain-stopped") < names.index("domain-shutdown"), True)
    qubesd.done("work", "admin.vm.feature.Remove", "last")


def walk_disposables():
    found = qubesd.text("dvm", "admin.vm.CreateDisposable", None, "uuid")
    equal(len(found), 41)
    qubesd.done(found, "admin.vm.Start")
    qubesd.done(found, "admin.vm.Kill")
    refused("QubesVMNotFoundError", found, "admin.vm.List")
    name = qubesd.text("dom0", "admin.vm.CreateDisposable")
    qubesd.done(name, "admin.vm.Remove")
    refused("QubesVMNotHaltedError", "dom0", "admin.vm.Start")
    refused("QubesVMNotStartedError", "work", "admin.vm.Kill")


def walk_removal():
    refused("QubesVMInUseError", "base", "admin.vm.Remove")
    users = []
    for name in qubesd.properties("dom0", "admin.property"):
        if qubesd.property("dom0", name, "admin.property").value == "base":
            users.append(name)
    for qube in qubesd.qubes():
        for name in ("is_preload", "template", "netvm", "guivm", "audiovm", "default_dispvm", "management_dispvm"):
            try:
                if qubesd.property(qube, name).value == "base":
                    users.append(f"{qube}.{name}")
            except AttributeError as error:
                equal(str(error), f"Invalid property '{name}' of {qube}")
    equal(users, ["default_template", "copy.template", "dvm.template", "new.template", "work.template"])
    for name in ("copy", "new", "alone", "other", "once", "far"):
        qubesd.done(name, "admin.vm.Remove")
        refused("QubesVMNotFoundError", name, "admin.vm.Remove", text=f"No such domain: '{name}'")
    equal(list(qubesd.qubes()), ["dom0", "base", "dvm", "solo", "work"])


def walk_mistakes():
    """What no tool does, but a program may."""
    refused(ProtocolError, "dom0", "admin.no.Such%", text="no such method: 'admin.no.Such%'")
    refused(ProtocolError, "dom0", "admin.vm.List", "x", text="unexpected argument")
    refused(ProtocolError, "dom0", "admin.vm.List", None, "x", text="unexpected payload")
    refused(ProtocolError, "work", "admin.pool.List", text="expected destination to be AdminVM")
    refused(ProtocolError, "dom0", "admin.vm.firewall.Get", text="expected destination to not be AdminVM")
    refused("QubesValueError", "1%", "admin.vm.List", text="VM name cannot start with hyphen, underscore, dot or numbers")
    refused("QubesVMInvalidUUIDError", "uuid:%", "admin.vm.List")


WALKS = [walk_ls, walk_prefs, walk_features_and_tags, walk_labels, walk_pools, walk_volumes, walk_devices, walk_creation]
WALKS += [walk_life, walk_clone, walk_disposables, walk_removal, walk_mistakes]

for walk in WALKS:
    before = qubesd.calls
    walk()
    print(f"{walk.__name__[len('walk_'):].replace('_', ' ')}: {qubesd.calls - before} calls")
