// qvm-tags: spec/admin-core.md 10.3 and 11.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-tags.ts";
import { fail, runTool } from "./fake-qubesd.ts";

const LIST = "work: admin.vm.tag.List";
const ABSENT = fail("QubesTagNotFoundError", "Tag not set for domain work: x");

for (const line of [["work"], ["work", "list"], ["work", "ls"], ["work", "l"]]) {
	test(`qvm-tags ${line.join(" ")} lists the tags, sorted`, async (t) => {
		const outcome = await runTool(run, line, { [LIST]: "b\na\nB\n" });
		t.deepEqual(outcome, { status: 0, out: "B\na\nb\n", err: "", calls: ["L", LIST] });
	});
}

test("qvm-tags --json is a list", async (t) => {
	t.deepEqual(JSON.parse((await runTool(run, ["work", "--json"], { [LIST]: "b\na\n" })).out), ["a", "b"]);
	t.deepEqual(JSON.parse((await runTool(run, ["work", "--json"], { [LIST]: "" })).out), []);
});

for (const [line, reply, status, out] of [
	[["work", "list", "x"], "1", 0, "x\n"],
	[["work", "l", "x"], "0", 1, ""],
	[["work", "ls", "x", "--json"], "1", 0, "true\n"],
	[["work", "ls", "x", "--json"], "0", 1, "false\n"],
] as const) {
	test(`qvm-tags ${line.join(" ")} ends with ${status} if the daemon says ${reply}`, async (t) => {
		const call = "work: admin.vm.tag.Get+x";
		t.deepEqual(await runTool(run, line, { [call]: reply }), { status, out, err: "", calls: ["L", call] });
	});
}

for (const [words, method] of [
	[["add", "a", "set"], "Set"],
	[["del", "d", "unset", "u"], "Remove"],
] as const) {
	for (const word of words) {
		test(`qvm-tags work ${word} x y calls ${method} for each`, async (t) => {
			const calls = [`work: admin.vm.tag.${method}+x`, `work: admin.vm.tag.${method}+y`] as const;
			const outcome = await runTool(run, ["work", word, "x", "y"], { [calls[0]]: "", [calls[1]]: "" });
			t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L", ...calls] });
		});
	}
}

test("deleting a tag that is absent is fine, and the others are deleted", async (t) => {
	const { status, err, calls } = await runTool(run, ["work", "del", "x", "y"], {
		"work: admin.vm.tag.Remove+x": ABSENT,
		"work: admin.vm.tag.Remove+y": "",
	});
	t.deepEqual([status, err, calls.length], [0, "", 3]);
});

for (const [kind, message] of [
	["QubesInvalidTagError", "disallowed characters"],
	["PermissionDenied", "Permission denied"],
] as const) {
	test(`${kind} ends with 1, and no further tag is added`, async (t) => {
		const { status, err, calls } = await runTool(run, ["work", "add", "x", "y"], {
			"work: admin.vm.tag.Set+x": fail(kind, message),
		});
		t.deepEqual([status, err, calls.length], [1, `qvm-tags: error: ${message}\n`, 2]);
	});
}

for (const line of [
	["work", "what"],
	["work", "constructor"],
	["work", "add"],
	["work", "del"],
	["work", "list", "x", "y"],
	["work", "add", ""],
]) {
	test(`qvm-tags ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("actions and tags are completed", async (t) => {
	t.is((await runTool(run, ["--get-completions", "work", ""])).out, "list\nadd\ndel\n");
	t.is((await runTool(run, ["--get-completions", "work", "del", "p"], { [LIST]: "play\nwork\n" })).out, "play\n");
});
