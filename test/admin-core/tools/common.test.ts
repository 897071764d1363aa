// What all commands have in common: spec/admin-core.md 10.1.
import test from "ava";
import type { Run } from "../../../admin-core/tools/command.ts";
import { run as qubesPrefs } from "../../../admin-core/tools/qubes-prefs.ts";
import { run as qvmClone } from "../../../admin-core/tools/qvm-clone.ts";
import { run as qvmCreate } from "../../../admin-core/tools/qvm-create.ts";
import { run as qvmDevice } from "../../../admin-core/tools/qvm-device.ts";
import { run as qvmFeatures } from "../../../admin-core/tools/qvm-features.ts";
import { run as qvmLs } from "../../../admin-core/tools/qvm-ls.ts";
import { run as qvmPool } from "../../../admin-core/tools/qvm-pool.ts";
import { run as qvmPrefs } from "../../../admin-core/tools/qvm-prefs.ts";
import { run as qvmRemove } from "../../../admin-core/tools/qvm-remove.ts";
import { run as qvmService } from "../../../admin-core/tools/qvm-service.ts";
import { run as qvmTags } from "../../../admin-core/tools/qvm-tags.ts";
import { run as qvmVolume } from "../../../admin-core/tools/qvm-volume.ts";
import { fail, NOTHING, runTool, runWith } from "./fake-qubesd.ts";

/** Each command with a line that makes a first call, and that call. */
const COMMANDS: readonly (readonly [name: string, run: Run, line: readonly string[], first: string])[] = [
	["qubes-prefs", qubesPrefs, ["default-kernel"], "dom0: admin.property.Get+default_kernel"],
	["qvm-prefs", qvmPrefs, ["work", "memory"], "L"],
	["qvm-features", qvmFeatures, ["work", "gui"], "L"],
	["qvm-tags", qvmTags, ["work"], "L"],
	["qvm-service", qvmService, ["work"], "L"],
	["qvm-ls", qvmLs, [], "L"],
	["qvm-remove", qvmRemove, ["-f", "work"], "L"],
	["qvm-create", qvmCreate, ["-l", "red", "new"], "dom0: admin.label.List"],
	["qvm-clone", qvmClone, ["work", "new"], "L"],
	["qvm-device", qvmDevice, ["block", "detach", "work"], "L"],
	["qvm-pool", qvmPool, ["list"], "dom0: admin.pool.List"],
	["qvm-volume", qvmVolume, ["revert", "work:private"], "L"],
];

for (const [name, run, line, first] of COMMANDS) {
	test(`${name} --help names its options, but not --force-root, and asks the daemon nothing`, async (t) => {
		for (const option of ["--help", "-h", "--he"]) {
			if (option === "--he" && ["qubes-prefs", "qvm-prefs", "qvm-ls", "qvm-create", "qvm-pool"].includes(name)) continue;
			const { status, out, err, calls } = await runTool(run, [option]);
			t.is(status, 0);
			t.true(out.startsWith(`usage: ${name} [OPTION...]`));
			t.regex(out, /--verbose/);
			t.notRegex(out, /force-root|show-hidden/);
			t.deepEqual([err, calls], ["", []]);
		}
	});

	test(`${name} --version says its name`, async (t) => {
		const { status, out } = await runTool(run, ["--version"]);
		t.is(status, 0);
		t.true(out.startsWith(`${name} `));
	});

	test(`${name} takes --force-root, abbreviated too, and does the same`, async (t) => {
		const plain = await runTool(run, line, { [first]: fail("QubesException", "stop here") });
		for (const more of [["--force-root"], ["--force-r", "-vv", "-q", "--verbose", "--quiet"]]) {
			t.deepEqual(await runTool(run, [...more, ...line], { [first]: fail("QubesException", "stop here") }), plain);
			t.deepEqual(await runTool(run, [...line, ...more], { [first]: fail("QubesException", "stop here") }), plain);
		}
		t.deepEqual(plain.calls, [first]);
	});

	test(`${name} ends with 1 where the daemon is absent, and says where it was looked for`, async (t) => {
		const text = `${name}: error: cannot reach qubesd at "/nonexistent/sock": no such socket: is qubesd running?\n`;
		const wanted = { status: 1, out: "", err: text };
		t.deepEqual(await runWith(run, line, { QUBESD_SOCKET: "/nonexistent/sock" }), wanted);
		t.deepEqual(await runWith(run, ["--socket=/nonexistent/sock", ...line], { QUBESD_SOCKET: "/other" }), wanted);
	});

	test(`${name} ends with 1 where the reply is empty`, async (t) => {
		const { status, out, err } = await runTool(run, line, { [first]: NOTHING });
		t.deepEqual([status, out], [1, ""]);
		t.true(err.startsWith(`${name}: error: Got empty response from qubesd`));
	});

	for (const [kind, format, message] of [
		["QubesException", "full to 100%%", "full to 100%"],
		["QubesException", "full to 100% of it", "full to 100% of it"],
		["QubesVMError", "%s", "%s"],
		["PermissionDenied", "no 100%%", "no 100%%"],
		["ProtocolError", "line\nforged: \x1b[1m", "line\\nforged: \\x1b[1m"],
	] as const) {
		test(`${name} ends with 1 and one line for ${kind} ${JSON.stringify(format)}`, async (t) => {
			const { status, out, err } = await runTool(run, line, { [first]: fail(kind, format) });
			t.deepEqual([status, out, err], [1, "", `${name}: error: ${message}\n`]);
		});
	}

	test(`${name} ends with 2 and its usage for an unknown option`, async (t) => {
		for (const option of ["--unknown", "-Z"]) {
			const { status, out, err, calls } = await runTool(run, [option, ...line]);
			t.deepEqual([status, out, calls], [2, "", []]);
			t.regex(err, new RegExp(`^usage: ${name} .*\n${name}: error: [^\n]+\n$`, "i"));
		}
	});

	test(`${name} --completion prints a script for its name`, async (t) => {
		const { status, out } = await runTool(run, ["--completion"]);
		t.is(status, 0);
		t.regex(out, new RegExp(`complete .* ${name}\n$`));
	});

	test(`${name} completes its options, without the hidden ones`, async (t) => {
		const { status, out, calls } = await runTool(run, ["--get-completions", ...line, "--"]);
		t.deepEqual([status, calls], [0, []]);
		t.true(out.includes("--verbose\n") && out.includes("--socket\n"));
		t.notRegex(out, /force-root/);
	});
}

/** Those of which the first word is a qube that has to be there. */
const ABOUT_A_QUBE = ["qvm-prefs", "qvm-features", "qvm-tags", "qvm-service", "qvm-remove", "qvm-clone"];

for (const [name, run, line] of COMMANDS.filter(([name]) => ABOUT_A_QUBE.includes(name))) {
	test(`${name} ends with 2 for a qube that is not there, after one call`, async (t) => {
		const { status, out, err, calls } = await runTool(
			run,
			line.map((word) => (word === "work" ? "nosuch" : word)),
		);
		t.deepEqual([status, out, calls], [2, "", ["L"]]);
		t.regex(err, /^usage: [^\n]+\n[a-z-]+: error: no such domain: 'nosuch'\n$/);
	});

	test(`${name} ends with 2 without words`, async (t) => {
		const { status, calls } = await runTool(run, []);
		t.deepEqual([status, calls], [2, []]);
	});

	test(`${name} completes VMNAME`, async (t) => {
		const { out, calls } = await runTool(run, ["--get-completions", "-v", "sys"]);
		t.deepEqual([out, calls], ["sys-firewall\nsys-net\n", ["L"]]);
	});
}

test("a word with colons, which bash takes apart, is completed behind its last colon", async (t) => {
	const answers = {
		"vault: admin.vm.volume.List": "",
		"work: admin.vm.volume.List": "root\nprivate\n",
		...Object.fromEntries(["dom0", "debian", "sys-firewall", "sys-net"].map((name) => [`${name}: admin.vm.volume.List`, ""])),
	};
	const complete = async (...line: string[]) => (await runTool(qvmVolume, ["--get-completions", ...line], answers)).out;
	t.is(await complete("info", "work", ":", "p"), "private\n");
	t.is(await complete("info", "work", ":"), "root\nprivate\n");
	t.is(await complete("info", "work:p"), "work:private\n");
	t.is(await complete("info", "work", ":", "private", "re"), "revisions_to_keep\nrevisions\n");
});

test("--store and --socket exclude each other", async (t) => {
	const { status, err, calls } = await runTool(qvmLs, ["--store", "qubes.xml", "--socket", "x"]);
	t.deepEqual([status, calls], [2, []]);
	t.true(err.endsWith("qvm-ls: error: --store and --socket exclude each other\n"));
});

test("a completion that cannot be found is none, not an error", async (t) => {
	const { status, out, err } = await runTool(qvmPrefs, ["--get-completions", ""], { L: NOTHING });
	t.deepEqual([status, out, err], [0, "", ""]);
});
