// admin.vm.notes.*: spec/admin-core.md 8.9, 12 (16, 17).
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { expectAnswers } from "./desk.ts";
import { openDeskWithDirs } from "./qube-dirs.ts";

/** Notes that are taken, and how they are given back. */
const kept = test.macro<[given: string, read?: string]>({
	title: (_, given, read = given) => `the notes ${JSON.stringify(given)} are kept${read === given ? "" : ` as "${read}"`}`,
	exec: async (t, given, read = given) => {
		const desk = openDeskWithDirs(t);
		await expectAnswers(t, desk, [
			["work", "admin.vm.notes.Get", "", ""],
			["work", "admin.vm.notes.Set", given, ""],
			["work", "admin.vm.notes.Get", "", read],
		]);
		t.is(fs.readFileSync(path.join(desk.dir, "appvms/work/notes.txt"), "utf8"), read);
		t.is(desk.saved, 0);
	},
});

test(kept, "a\tb\n\n  c\n");
test(kept, "ä € 😀 ok");
test(kept, "\n");
test(kept, "a\r\nb", "a_\nb");
test(kept, "\0\x1b[31m\x7f\x85", "__[31m__");
test(kept, "a\u202eb\u200bc\u2028d\ufeff", "a_b_c_d_");
test(kept, "\ue000\u{e0001}\u0378", "___");

test("notes may be as long as a request", async (t) => {
	const desk = openDeskWithDirs(t);
	const notes = "x".repeat(65_000);
	t.is(await desk.call("base", "admin.vm.notes.Set", notes), "");
	t.is(await desk.call("base", "admin.vm.notes.Get"), notes);
	t.is(fs.statSync(path.join(desk.dir, "vm-templates/base/notes.txt")).size, 65_000);
});

test("notes that are no UTF-8 are refused before anybody is asked; on the disk they are an error", async (t) => {
	const desk = openDeskWithDirs(t);
	let asked = 0;
	desk.app.qube("dom0").addHandler("admin-permission:admin.vm.notes.Set", () => {
		asked++;
	});
	t.is(await desk.call("work", "admin.vm.notes.Set", Buffer.from("a\xffb", "latin1")), "QubesValueError: notes: want UTF-8");
	t.is(await desk.call("work", "admin.vm.notes.Set", "a"), "");
	t.is(asked, 1);
	fs.writeFileSync(path.join(desk.dir, "appvms/work/notes.txt"), Buffer.from([0xc3]));
	t.regex(await desk.call("work", "admin.vm.notes.Get"), /^QubesException: \S+\/work\/notes\.txt: want UTF-8$/);
});

test("whoever watches over permissions sees the notes as they would be kept", async (t) => {
	const desk = openDeskWithDirs(t);
	const seen: unknown[] = [];
	desk.app.qube("vault").addHandler("admin-permission:admin.vm.notes.*", (_subject, _event, { notes }) => {
		seen.push(notes);
	});
	await desk.call("vault>work", "admin.vm.notes.Set", "a\x07");
	await desk.call("vault>work", "admin.vm.notes.Get");
	t.deepEqual(seen, ["a_", undefined]);
});

test("dom0 and qubes on other machines have no notes here, and notes are not set to nothing", (t) => {
	const remote = "QubesVMError: far: a qube of class RemoteVM has no notes.txt";
	return expectAnswers(t, openDeskWithDirs(t), [
		["dom0", "admin.vm.notes.Get", "", "ProtocolError: expected destination to not be AdminVM"],
		["dom0", "admin.vm.notes.Set", "a", "ProtocolError: expected destination to not be AdminVM"],
		["far", "admin.vm.notes.Get", "", remote],
		["far", "admin.vm.notes.Set", "a", remote],
		["work", "admin.vm.notes.Set", "", "ProtocolError: expected payload"],
	]);
});

test("many writes at once leave one of them, whole", async (t) => {
	const desk = openDeskWithDirs(t);
	const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(1000));
	await Promise.all(texts.map((text) => desk.call("work", "admin.vm.notes.Set", text)));
	t.true(texts.includes(await desk.call("work", "admin.vm.notes.Get")));
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "appvms/work")), ["notes.txt"]);
});

test("notes and rules go with the qube, and their directory", async (t) => {
	const desk = openDeskWithDirs(t);
	await desk.call("work", "admin.vm.notes.Set", "a");
	await desk.call("work", "admin.vm.firewall.Set", "action=drop");
	await desk.app.qube("work").fireAsync("domain-remove-from-disk");
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "appvms")), []);
});

test("what is set while a qube is made or removed comes after that", async (t) => {
	const desk = openDeskWithDirs(t);
	const meanwhile = (made: Promise<string>): Promise<string[]> =>
		Promise.all([made, desk.call("new", "admin.vm.notes.Set", "a"), desk.call("new", "admin.vm.firewall.Set", "action=drop")]);
	t.deepEqual(await meanwhile(desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red")), ["", "", ""]);
	t.is(await desk.call("new", "admin.vm.notes.Get"), "a");
	t.is(await desk.call("new", "admin.vm.firewall.Get"), "action=drop\n");
	const gone = "QubesVMNotFoundError: No such domain: 'new'";
	t.deepEqual(await meanwhile(desk.call("new", "admin.vm.Remove")), ["", gone, gone]);
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "appvms")), []);
});
