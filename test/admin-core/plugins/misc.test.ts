// What qubes tell dom0 of themselves: spec/admin-core.md 2.4, 9.3, 12 (16). Their QubesDB is read by a stand-in for qubesdb-multiread.
import test, { type ExecutionContext } from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import type { Qube } from "../../../admin-core/model/qubes/qube.ts";
import { qubesPrograms } from "../../../admin-core/system/programs.ts";
import { QubesPrograms } from "../../support/qubes-programs.ts";
import { type Desk, expectAnswers } from "./desk.ts";
import { openDeskWithDirs } from "./qube-dirs.ts";

const fake = new QubesPrograms();

function open(t: ExecutionContext): Desk {
	return openDeskWithDirs(t, { programs: qubesPrograms() });
}

/** A qube asks for features, as `NAME=VALUE`. */
function request(desk: Desk, qube: string, ...pairs: readonly string[]): Promise<string> {
	fake.setQubesDb(qube, ...pairs.map((pair) => `/features-request/${pair.replace("=", " = ")}`));
	return desk.call(`${qube}>dom0`, "qubes.FeaturesRequest");
}

function featuresOf(desk: Desk, qube: string): string[] {
	return desk.app
		.qube(qube)
		.features.entries()
		.map(([name, value]) => `${name}=${value}`);
}

/** What a template asks for, and the features that it has then. */
const taken = test.macro({
	title: (_, asked: readonly string[] = [], _before, has: readonly string[] = []) =>
		`of ${asked.join(", ") || "nothing"} a template is given ${has.join(", ") || "nothing"}`,
	exec: async (t, asked: readonly string[], before: readonly string[], has: readonly string[]) => {
		const desk = open(t);
		for (const pair of before) desk.app.qube("base").features.set(...(pair.split("=") as [string, string]));
		t.is(await request(desk, "base", ...asked), "");
		t.deepEqual(featuresOf(desk, "base"), [...has]);
		t.is(desk.saved, 1);
	},
});

const OS = ["os-distribution=fedora", "os-distribution-like=rhel centos", "os-version=42.1-2", "os-eol=2026-02-28"];
test.serial(taken, OS, [], OS);
test.serial(taken, ["os-version=fc42"], [], []);
test.serial(taken, ["os-version=.1"], [], []);
test.serial(taken, ["os-eol=2026-02-30"], [], []);
test.serial(taken, ["os-eol=tomorrow"], [], []);
test.serial(taken, ["qubes-agent-version=4.3"], [], ["qubes-agent-version=4.3"]);
test.serial(taken, ["qubes-agent-version=4.3.1"], [], []);
test.serial(taken, ["qrexec=1", "gui=0", "gui-emulated=1"], [], ["qrexec=1", "gui=", "gui-emulated=1"]);
test.serial(taken, ["qrexec=1", "gui=1"], ["qrexec=", "gui=0"], ["qrexec=", "gui=0"]);
test.serial(taken, ["qrexec=yes", "vmexec=2"], [], []);
test.serial(taken, ["qubes-firewall=0", "vmexec=1"], ["qubes-firewall=1"], ["qubes-firewall=", "vmexec=1"]);
test.serial(taken, ["nosuch=1", "internal=1", "service.x=1"], [], []);
test.serial(
	taken,
	["supported-service.cups=1", "supported-service.no=0", "supported-feature.a=1", "supported-rpc.qubes.Copy=1"],
	["supported-service.old=1", "supported-rpc.old=1", "other=1"],
	["other=1", "supported-service.cups=1", "supported-feature.a=1", "supported-rpc.qubes.Copy=1"],
);
test.serial(taken, ["supported-service.=1", "supported-service.a/b=1", "supported-rpc.a\\x0a=1"], [], []);
test.serial(taken, [], ["supported-service.old=1"], ["supported-service.old=1"]);
test.serial(taken, ["supported-service.old=0"], ["supported-service.old=1"], ["supported-service.old=1"]);

test.serial("a qube with a template says nothing of the system, only which services it has itself", async (t) => {
	const desk = open(t);
	const asked = [...OS, "qrexec=1", "vmexec=1", "supported-service.cups=1", "supported-feature.a=1"];
	t.is(await request(desk, "work", ...asked, "supported-rpc.mine=1"), "");
	t.deepEqual(featuresOf(desk, "work"), ["supported-rpc.mine=1"]);
	t.is(await request(desk, "work", "supported-rpc.other=1"), "");
	t.deepEqual(featuresOf(desk, "work"), ["supported-rpc.other=1"]);
});

test.serial("a standalone qube is asked like a template", async (t) => {
	const desk = open(t);
	t.is(await request(desk, "sys-net", "qrexec=1", "os-version=42"), "");
	t.deepEqual(featuresOf(desk, "sys-net"), ["os-version=42", "qrexec=1"]);
});

test.serial("handlers get what was asked for, as it was, and the store is saved after them", async (t) => {
	const desk = open(t);
	const told: unknown[] = [];
	const handler = async (_qube: Qube, _event: string, args: { readonly [name: string]: unknown }): Promise<void> => {
		await Promise.resolve();
		told.push(args, desk.saved);
	};
	desk.app.qube("work").addHandler("features-request", handler, { async: true });
	await request(desk, "work", "a=x y", "b/c=");
	t.deepEqual(told, [
		{
			untrusted_features: new Map([
				["a", "x y"],
				["b/c", ""],
			]),
		},
		0,
	]);
	t.is(desk.saved, 1);
});

test.serial("a template is told when it can be called for the first time, and only then", async (t) => {
	const desk = open(t);
	const base = desk.app.qube("base");
	const told: unknown[] = [];
	base.addHandler("template-postinstall", async () => void told.push(base.features.get("os-version")), { async: true });
	await request(desk, "base", "os-version=41");
	await request(desk, "base", "qrexec=0");
	t.deepEqual(told, []);
	base.features.delete("qrexec");
	await request(desk, "base", "qrexec=1", "os-version=42");
	await request(desk, "base", "qrexec=1");
	t.deepEqual(told, ["42"]);
});

test.serial("a feature that somebody prevents does not take the others with it", async (t) => {
	const desk = open(t);
	desk.app.qube("base").addHandler("domain-feature-pre-set:os-version", () => {
		throw new AdminError("QubesValueError", "not here");
	});
	t.is(await request(desk, "base", "os-distribution=debian", "os-version=13", "vmexec=1"), "");
	t.deepEqual(featuresOf(desk, "base"), ["os-distribution=debian", "vmexec=1"]);
	t.is(desk.saved, 1);
});

test.serial("one value with other characters, and nothing of it is taken", async (t) => {
	const desk = open(t);
	for (const value of ["<b>", "a/b", "a\\x0a", "\xe4", "a;b"]) {
		const reply = await request(desk, "base", "vmexec=1", `other=${value}`);
		t.is(reply, 'ProtocolError: value of "other" in QubesDB: characters that are not allowed', value);
	}
	t.deepEqual(featuresOf(desk, "base"), []);
	t.is(desk.saved, 0);
});

test.serial("a qube whose QubesDB cannot be read is told so", async (t) => {
	const desk = open(t);
	const reply = await desk.call("vault>dom0", "qubes.FeaturesRequest");
	t.is(reply, "QubesException: qubesdb-multiread -d vault /features-request/: it ends with status 1: no QubesDB of vault");
	t.is(desk.saved, 0);
});

test.serial("qubes.NotifyTools is the same from another place, with letters and digits only", async (t) => {
	const desk = open(t);
	fake.setQubesDb(
		"sys-net",
		"/qubes-tools/version = 1",
		"/qubes-tools/os = Windows",
		"/qubes-tools/qrexec = 1",
		"/qubes-tools/gui = 0",
	);
	t.is(await desk.call("sys-net>dom0", "qubes.NotifyTools"), "");
	t.deepEqual(featuresOf(desk, "sys-net"), ["qrexec=1", "gui="]);
	t.is(desk.saved, 1);
	fake.setQubesDb("base", "/qubes-tools/qrexec = 1", "/qubes-tools/os = a.b");
	t.regex(await desk.call("base>dom0", "qubes.NotifyTools"), /^ProtocolError: value of "os"/);
	t.deepEqual(featuresOf(desk, "base"), []);
});

test.serial("updates that wait are a feature of the qube that they are for", async (t) => {
	const desk = open(t);
	const waiting = (): (string | undefined)[] =>
		["dom0", "base", "sys-net", "work", "disp1"].map((name) => desk.app.qube(name).features.get("updates-available"));
	await expectAnswers(t, desk, [
		["dom0>dom0", "qubes.NotifyUpdates", "1", ""],
		["sys-net>dom0", "qubes.NotifyUpdates", "0", ""],
		["disp1>dom0", "qubes.NotifyUpdates", "12\n", ""],
	]);
	t.deepEqual(waiting(), ["1", "1", "", undefined, undefined]);
	t.is(desk.saved, 3);
	await desk.call("work>dom0", "qubes.NotifyUpdates", "0");
	t.is(waiting()[1], "1", "a qube does not know whether its template was updated meanwhile");
	await desk.call("base>dom0", "qubes.NotifyUpdates", "0");
	t.is(waiting()[1], "");
	desk.app.qube("base").powerState = "Running";
	await desk.call("work>dom0", "qubes.NotifyUpdates", "5");
	t.is(waiting()[1], "", "a template that runs tells it itself");
});

test.serial("what is no number of updates is refused", async (t) => {
	const desk = open(t);
	for (const payload of ["x", "-1", "01", "1 ", " 1", "1\n\n", "1.5", "12345678901234567890", "\n"]) {
		const reply = await desk.call("base>dom0", "qubes.NotifyUpdates", payload);
		t.is(reply, "ProtocolError: number of updates: want a decimal number", JSON.stringify(payload));
	}
	t.deepEqual(featuresOf(desk, "base"), []);
	t.is(desk.saved, 0);
});

test.serial("they are called at dom0, by qubes that run here", (t) =>
	expectAnswers(t, open(t), [
		["work>work", "qubes.FeaturesRequest", "", "ProtocolError: expected destination to be AdminVM"],
		["work>dom0", "qubes.FeaturesRequest", "x", "ProtocolError: unexpected payload"],
		["work>dom0", "qubes.FeaturesRequest+x", "", "ProtocolError: unexpected argument"],
		["work>dom0", "qubes.NotifyTools", "x", "ProtocolError: unexpected payload"],
		["work>dom0", "qubes.NotifyUpdates", "", "ProtocolError: expected payload"],
		["dom0>dom0", "qubes.FeaturesRequest", "", "QubesVMError: dom0 asks itself for no features"],
		["far>dom0", "qubes.FeaturesRequest", "", "QubesVMError: far: a qube of class RemoteVM has no features to tell of"],
		["far>dom0", "qubes.NotifyTools", "", /^QubesVMError: far: /],
		["far>dom0", "qubes.NotifyUpdates", "1", /^QubesVMError: far: /],
	]),
);

test.serial("they can be forbidden, before QubesDB is read", async (t) => {
	const desk = open(t);
	desk.app.qube("vault").addHandler("admin-permission:qubes.*", () => {
		throw new AdminError("PermissionDenied", "no");
	});
	await expectAnswers(t, desk, [
		["vault>dom0", "qubes.FeaturesRequest", "", "PermissionDenied: no"],
		["vault>dom0", "qubes.NotifyTools", "", "PermissionDenied: no"],
		["vault>dom0", "qubes.NotifyUpdates", "1", "PermissionDenied: no"],
	]);
});
