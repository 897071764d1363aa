// Programs of Qubes: found on PATH, run with a time limit, and what they say when they fail.
import test from "ava";
import { qubesPrograms } from "../../../admin-core/system/programs.ts";
import { QubesPrograms } from "../../support/qubes-programs.ts";

const fake = new QubesPrograms();
const programs = qubesPrograms();

test.serial("what a qube has in its QubesDB is read, below a prefix, with values as they are", async (t) => {
	fake.setQubesDb("work", "/a/x = 1", "/a/y/z = v = \xe4 \\x0a", "/a/empty = ", "/b/x = 2");
	t.deepEqual(
		[...(await programs.readQubesDb("work", "/a/"))],
		[
			["x", "1"],
			["y/z", "v = \xe4 \\x0a"],
			["empty", ""],
		],
	);
	t.deepEqual([...(await programs.readQubesDb("work", "/c/"))], []);
});

test.serial("whole paths are understood too", async (t) => {
	fake.write("qubesdb-multiread", "#!/bin/sh\necho '/a/x = 1'\n");
	t.deepEqual([...(await programs.readQubesDb("work", "/a/"))], [["x", "1"]]);
});

test.serial("a service is called as root by dom0, with nothing to read", async (t) => {
	await programs.callService("work", "qubes.Hello");
	t.deepEqual(fake.takeCalls(), ["work: root:QUBESRPC qubes.Hello dom0"]);
	fake.write("qrexec-client", "#!/bin/sh\ncat\n");
	await t.notThrowsAsync(programs.callService("work", "qubes.Hello"));
});

/** A program that fails, and what is said. */
const failing = test.macro({
	title: (_, what = "") => `a program ${what} is an error that says so`,
	exec: async (t, _what: string, script: string, message: RegExp) => {
		fake.write("qubesdb-multiread", script);
		await t.throwsAsync(qubesPrograms(500).readQubesDb("work", "/a/"), { message });
	},
});

test.serial(
	failing,
	"that fails",
	"#!/bin/sh\necho one >&2; echo two >&2; exit 3\n",
	/^qubesdb-multiread -d work \/a\/: it ends with status 3: two$/,
);
test.serial(failing, "that is killed", "#!/bin/sh\nkill -9 $$\n", /: it ends with SIGKILL$/);
test.serial(failing, "that does not end", "#!/bin/sh\nexec sleep 60\n", /: it takes more than 0\.5 s$/);
test.serial(failing, "that prints without end", "#!/bin/sh\nexec yes\n", /: it prints more than 1048576 bytes$/);
test.serial(failing, "that prints something else", "#!/bin/sh\necho hello\n", /^QubesDB: want PATH = VALUE, not "hello"$/);
test.serial(failing, "that cannot be run", "#!/nonexistent/interpreter\n", /: there is no such program$/);

test.serial("a program that there is not is named", async (t) => {
	const path = process.env["PATH"] as string;
	process.env["PATH"] = "/nonexistent";
	await t.throwsAsync(programs.callService("work", "a"), {
		message: "qrexec-client -d work root:QUBESRPC a dom0: there is no such program",
	});
	process.env["PATH"] = path;
});
