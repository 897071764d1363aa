// "Admin core in five minutes" of README.md works as it is typed.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { runToEnd } from "../../support/run-program.ts";

/** The commands of the section, in a folder of the test's own. */
function commands(dir: string): string {
	const [, block = ""] =
		/\n## Admin core in five minutes\n.*?\n```sh\n(.*?)\n```/s.exec(fs.readFileSync("README.md", "utf8")) ?? [];
	return block.replaceAll("/tmp/house", dir);
}

test("Admin core in five minutes works as it is typed", async (t) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "five-minutes-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	const script = commands(dir);
	t.is(script.split("\n").filter((line) => line.startsWith("dist/bin/")).length, 12);
	const { status, stdout, stderr } = await runToEnd(["bash", "-c", `${script}\nwait`], { seconds: 60 });
	t.is(status, 0, stderr);
	t.notRegex(stderr, /error/);
	t.regex(stdout, /^mail-copy +Halted +AppVM +green +debian/m);
	t.regex(stdout, /^decision +(allow|ask|deny)$/m);
	t.is(fs.statSync(path.join(dir, "appvms/mail-copy/private.img")).size, 3 * 2 ** 30);
});
