// Asking the built qrexec-policy-exec what qubes other than dom0 may see: spec/admin-core.md 7.6.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { describeSystem } from "../../../admin-core/model/system-info.ts";
import { PolicyProgram } from "../../../admin-core/system/policy-program.ts";
import { makeHouse } from "../model/house.ts";

const PROGRAM = path.resolve("dist/bin/qrexec-policy-exec");

function folder(t: ExecutionContext): string {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "policy-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	return dir;
}

/** Asks a policy about calls of `vault`; `time` is what the clock says, `log` what is written to the log. */
interface Asking {
	time: number;
	readonly dir: string;
	readonly log: string[];
	ask(target: string, argument?: string, systemInfo?: string): boolean;
	write(policy: string): void;
}

function asking(t: ExecutionContext, policy: string, program = PROGRAM): Asking {
	const dir = folder(t);
	const log: string[] = [];
	const write = process.stderr.write.bind(process.stderr);
	process.stderr.write = (text) => log.push(String(text)) > 0;
	t.teardown(() => {
		process.stderr.write = write;
	});
	const info = describeSystem(makeHouse().qubes());
	const asker: Asking = {
		...{ time: 0, dir, log },
		ask: (target, argument = "", systemInfo = info) =>
			evaluator.allows({ service: "admin.vm.List", argument, source: "vault", target, systemInfo }),
		write: (text) => fs.writeFileSync(path.join(dir, "10-test.policy"), text),
	};
	const evaluator = new PolicyProgram({ program, policyDirs: [dir], now: () => asker.time });
	asker.write(policy);
	return asker;
}

/** A program that writes its name to `calls` each time it runs. */
function script(t: ExecutionContext, text: string): { program: string; calls: () => number } {
	const dir = folder(t);
	const program = path.join(dir, "program");
	fs.writeFileSync(program, `#!/bin/sh\necho x >> ${dir}/calls\ncat > /dev/null\n${text}\n`, { mode: 0o755 });
	const file = path.join(dir, "calls");
	return { program, calls: () => (fs.existsSync(file) ? fs.readFileSync(file, "utf8").length / 2 : 0) };
}

test.serial("only what is allowed without a question is allowed", (t) => {
	const { ask, log } = asking(
		t,
		[
			"admin.vm.List * vault work allow target=dom0",
			"admin.vm.List * vault base ask default_target=dom0",
			"admin.vm.List * vault dvm deny",
			"admin.vm.List +x vault sys-net allow target=dom0",
			"admin.vm.List * vault @adminvm allow",
			"admin.vm.List * vault @default allow target=dom0",
		].join("\n"),
	);
	const allowed = ["@adminvm", "base", "disp1", "dvm", "sys-net", "vault", "work"].filter((name) => ask(name));
	t.deepEqual(allowed, ["@adminvm", "work"]);
	t.true(ask("sys-net", "x"));
	t.deepEqual(log, []);
});

test.serial("a tag that a qube gets counts at once, another policy after a second", (t) => {
	const asker = asking(t, "admin.vm.List * vault @tag:seen allow target=dom0");
	t.false(asker.ask("work"));
	const app = makeHouse();
	app.qube("work").tags.add("seen");
	const info = describeSystem(app.qubes());
	t.true(asker.ask("work", "", info));
	asker.write("admin.vm.List * * * deny");
	asker.time = 999;
	t.true(asker.ask("work", "", info));
	asker.time = 1000;
	t.false(asker.ask("work", "", info));
});

test.serial("a policy that cannot be read allows nothing, which is logged once", (t) => {
	const asker = asking(t, "admin.vm.List * vault * allow\nnonsense");
	for (const target of ["work", "base", "dvm"]) t.false(asker.ask(target));
	t.is(asker.log.length, 1);
	t.regex(asker.log[0] ?? "", /10-test\.policy:2:/);
	asker.write("admin.vm.List * vault * allow target=dom0");
	asker.time = 1000;
	t.true(asker.ask("work"));
});

test.serial("the same question is asked once in a second", (t) => {
	const { program, calls } = script(t, `echo '{"decision":"allow"}'`);
	const asker = asking(t, "", program);
	for (const target of ["work", "work", "base", "work"]) t.true(asker.ask(target));
	t.is(calls(), 2);
});

for (const [what, text, message] of [
	["that ends with another status", "echo broken >&2; exit 2", /status 2: broken/],
	["that prints what is no verdict", "echo hello", /JSON/],
	["that prints nothing", "", /JSON/],
	["whose status contradicts what it prints", `echo '{"decision":"allow"}'; exit 1`, /status 1 with the decision allow/],
	["that prints without end", "yes", /ENOBUFS/],
	["that does not end", "exec sleep 60", /ETIMEDOUT/],
] as const) {
	test.serial(`a program ${what} allows nothing, and is left alone for ten seconds`, (t) => {
		const { program, calls } = script(t, text);
		const asker = asking(t, "", program);
		for (const target of ["work", "work", "base"]) t.false(asker.ask(target));
		t.is(calls(), 1);
		t.is(asker.log.length, 1);
		t.regex(asker.log[0] ?? "", message);
		asker.time = 9_999;
		t.false(asker.ask("work"));
		t.is(calls(), 1);
	});
}

test.serial("a program that does not exist allows nothing, and is found when it does", (t) => {
	const program = path.join(folder(t), "program");
	const asker = asking(t, "", program);
	t.false(asker.ask("work"));
	t.regex(asker.log[0] ?? "", /ENOENT/);
	fs.copyFileSync(script(t, `echo '{"decision":"allow"}'`).program, program);
	asker.time = 10_000;
	t.true(asker.ask("work"));
});
