// Odd command lines: very long, empty, not UTF-8. Always a denial with its line.
import test from "ava";
import { reply } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { runToEnd } from "../../support/run-program.ts";
import { isDenied } from "./is-denied.ts";
import { Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const LONG = "x".repeat(100_000);

for (const program of HOSTS) {
	const { name } = program;

	for (const [title, words] of [
		["source", [LONG, "b", "s.S+x"]],
		["target", ["a", LONG, "s.S+x"]],
		["service", ["a", "b", LONG]],
		["argument", ["a", "b", `s.S+${LONG}`]],
	] as const) {
		test(`${name}: a ${title} of 100000 characters that no rule is for is a denial`, async (t) => {
			const stage = await Stage.open(t, { policy: "* * * c allow\n", notify: reply("") });
			const ended = await stage.run(program, [...words]);
			await isDenied(t, stage, { ...ended, stderr: ended.stderr.replace(/^WARNING:root:.*\n/, "") }, /qrexec: /);
		});
	}

	test(`${name}: three words of 100000 characters are a denial`, async (t) => {
		const stage = await Stage.open(t);
		await isDenied(t, stage, await stage.run(program, [LONG, LONG, LONG]), /qrexec: x/);
	});

	test(`${name}: a service of 65000 bytes, as long as qrexec knows, can be allowed`, async (t) => {
		const stage = await Stage.open(t);
		const { status } = await stage.run(program, ["a", "b", `s.S+${"x".repeat(64_995)}`]);
		t.is(status, 0);
	});

	test(`${name}: an option with a value of 100000 characters is a denial`, async (t) => {
		const stage = await Stage.open(t, { notify: reply("") });
		await isDenied(t, stage, await stage.run(program, CALL, { options: ["--path", `/${LONG}`] }), /qrexec: s\.S\+x: a -> b: /);
	});

	for (const [title, words] of [
		["source", '"$bad" b s.S+x'],
		["target", 'a "$bad" s.S+x'],
		["service", 'a b "$bad"'],
		["argument", 'a b "s.S+$bad"'],
	] as const) {
		for (const [what, bytes] of [
			["a lone byte", "\\377"],
			["half a character", "x\\303"],
			["a surrogate", "\\355\\240\\200"],
		] as const) {
			test(`${name}: ${what} that is not UTF-8 in the ${title} is a denial`, async (t) => {
				const stage = await Stage.open(t, { notify: reply("") });
				const ended = await stage.runInShell(program, `bad=$(printf '${bytes}'); exec "$@" ${words}`, []);
				await isDenied(t, stage, ended, /^<14>qrexec: .*: denied: .*UTF-8/);
			});
		}
	}

	test(`${name}: an option that is not UTF-8 is a denial`, async (t) => {
		const stage = await Stage.open(t, { notify: reply("") });
		const [file, ...options] = stage.command(program, []).slice(0, -1);
		const script = `exec "$@" "--path=$(printf '/\\377')" a b s.S+x`;
		await isDenied(t, stage, await runToEnd(["sh", "-c", script, "sh", file as string, ...options]), /qrexec: s\.S\+x: a -> b: /);
	});

	for (const [title, words] of [
		["source", ["", "b", "s.S+x"]],
		["service", ["a", "b", ""]],
		["word", ["", "", ""]],
	] as const) {
		test(`${name}: an empty ${title} is a denial`, async (t) => {
			const stage = await Stage.open(t, { policy: "s.S * * * allow\n", notify: reply("") });
			await isDenied(t, stage, await stage.run(program, [...words]), /^<14>qrexec: .*: denied: /);
		});
	}
}
