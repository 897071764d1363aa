// The executable: the same bytes each time, small, static, and modest; and what comes of a machine without a compiler.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { writeSystem } from "../../bench/scenarios.ts";
import { FakeServer, reply } from "../../support/fake-server.ts";
import { PROGRAMS } from "../../support/programs.ts";
import { runToEnd } from "../../support/run-program.ts";

const MAX_EXECUTABLE_BYTES = 2.5 * 1024 * 1024;
const MAX_MEMORY_KIB = 4 * 1024;

const home = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-build-"));
test.after.always(() => fs.rmSync(home, { recursive: true, force: true }));

const cache = process.env["QUBES_BUILD_CACHE"] ?? path.resolve("node_modules/.cache/quickjs");

test("two builds in different folders give the same bytes", async (t) => {
	const copies = ["one", "another/deeper"].map((name) => copyRepository(path.join(home, name)));
	const executables: Buffer[] = [];
	for (const copy of copies) {
		const { status, stdout, stderr } = await build(copy, { QUBES_BUILD_CACHE: cache });
		t.is(status, 0, stdout + stderr);
		executables.push(fs.readFileSync(path.join(copy, "dist/bin/qrexec-policy-exec")));
	}
	const [one, another] = executables as [Buffer, Buffer];
	t.true(one.equals(another), "the executables differ");
	for (const file of ["dist/qrexec-policy-exec.cjs", "dist/build/exec.quickjs.js"]) {
		const [a, b] = copies.map((copy) => fs.readFileSync(path.join(copy, file))) as [Buffer, Buffer];
		t.true(a.equals(b), `${file} differs`);
	}
});

test("the executable is linked statically, without any library", (t) => {
	const { status, stdout } = spawnSync("readelf", ["-dl", PROGRAMS.native.argv[0]], { encoding: "utf8" });
	t.is(status, 0);
	t.regex(stdout, /LOAD/);
	t.notRegex(stdout, /NEEDED|INTERP/);
});

test("the executable may not be changed and run, and its stack may not be run", (t) => {
	const { stdout } = spawnSync("readelf", ["-lW", PROGRAMS.native.argv[0]], { encoding: "utf8" });
	t.regex(stdout, /GNU_STACK.* RW /);
	t.notRegex(stdout, /RWE/);
});

test("the executable has at most 2.5 MiB", (t) => {
	const { size } = fs.statSync(PROGRAMS.native.argv[0]);
	t.true(size <= MAX_EXECUTABLE_BYTES, `${size} bytes`);
});

test("a call of the policy that comes with the examples takes at most 4 MiB of memory, with 33 qubes", async (t) => {
	const socket = path.join(home, "qubesd");
	const systemInfo = fs.readFileSync(writeSystem(home, 33), "utf8");
	const none = path.join(home, "none");
	const agent = path.join(home, "rpc");
	fs.mkdirSync(agent);
	let pid = 0;
	const peaks: number[] = [];
	const look = (): void => {
		peaks.push(Number(/VmHWM:\s*(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]));
	};
	const qubesd = reply(() => {
		look();
		return `0\0${systemInfo}`;
	});
	// The last thing that it does before it answers: all that it needs has been there.
	const notified = reply(() => {
		look();
		return "";
	});
	const servers = [await FakeServer.listen(socket, qubesd), await FakeServer.listen(path.join(agent, "policy.Notify"), notified)];
	t.teardown(() => {
		for (const server of servers) server.close();
	});
	const policy = path.join(home, "policy.d");
	fs.cpSync("examples/policy.d", policy, { recursive: true });
	fs.appendFileSync(path.join(policy, "90-default.policy"), "test.Memory * * * allow notify=yes\n");
	const args = [
		"--path",
		policy,
		"--legacy-dir",
		none,
		"--qubesd-internal-socket",
		socket,
		"--rpc-dir",
		agent,
		"--log-socket",
		none,
	];
	const child = spawn(PROGRAMS.native.argv[0], [...args, "vm0", "vm1", "test.Memory"], {
		stdio: ["ignore", "pipe", "ignore"],
	});
	pid = child.pid as number;
	let stdout = "";
	child.stdout.on("data", (chunk) => {
		stdout += chunk;
	});
	const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
	t.is(status, 0);
	t.regex(stdout, /result=allow/);
	t.is(peaks.length, 2);
	t.log(`${peaks.join(" and ")} KiB`);
	for (const peak of peaks) t.true(peak > 0 && peak <= MAX_MEMORY_KIB, `${peak} KiB`);
});

test("without a compiler the Node bundle takes the place of the executable, and the build says what is missing", async (t) => {
	const copy = copyRepository(path.join(home, "no-compiler"));
	const bin = path.join(home, "only-node");
	fs.mkdirSync(bin);
	fs.symlinkSync(process.execPath, path.join(bin, "node"));
	const { CC: _, ...env } = process.env;
	const { status, stdout, stderr } = await build(copy, { ...env, PATH: bin, CC: "" });
	t.is(status, 0, stdout + stderr);
	t.regex(stderr, /no native executable: there is no C compiler: install gcc or clang/);
	const launcher = path.join(copy, "dist/bin/qrexec-policy-exec");
	const link = path.join(home, "link");
	fs.symlinkSync(launcher, link);
	for (const program of [launcher, link]) {
		const answer = await runToEnd([program, "--version"]);
		t.deepEqual([answer.status, answer.stdout, answer.stderr], [0, `qrexec-policy-exec ${version()}\n`, ""]);
	}
	const refused = await build(copy, { ...env, PATH: bin, CC: "" }, ["sanitize"]);
	t.not(refused.status, 0, "the programs for tests have no stand-in");
});

for (const tool of ["make", "objcopy", "xz"]) {
	test(`without ${tool} the Node bundle takes the place of the executable, and the build says what is missing`, async (t) => {
		const copy = copyRepository(path.join(home, `no-${tool}`));
		const bin = path.join(home, `all-but-${tool}`);
		fs.mkdirSync(bin);
		for (const dir of ["/usr/bin", "/bin", path.dirname(process.execPath)]) {
			for (const name of fs.readdirSync(dir)) {
				if (name !== tool && !fs.existsSync(path.join(bin, name))) fs.symlinkSync(path.join(dir, name), path.join(bin, name));
			}
		}
		const { status, stdout, stderr } = await build(copy, { PATH: bin });
		t.is(status, 0, stdout + stderr);
		t.regex(stderr, new RegExp(`no native executable: missing: ${tool}: install .*apt-get install build-essential xz-utils`));
		t.is((await runToEnd([path.join(copy, "dist/bin/qrexec-policy-exec"), "--version"])).status, 0);
	});
}

test("without apt and without QuickJS the build says that QUICKJS_DIR helps", async (t) => {
	const copy = copyRepository(path.join(home, "no-apt"));
	const bin = path.join(home, "failing-apt");
	fs.mkdirSync(bin);
	fs.writeFileSync(path.join(bin, "apt-get"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
	const env = { PATH: `${bin}:${process.env["PATH"]}`, QUBES_BUILD_CACHE: path.join(home, "empty-cache") };
	const { status, stdout, stderr } = await build(copy, env);
	t.is(status, 0, stdout + stderr);
	t.regex(stderr, /no native executable: there is no apt to fetch the source of .* with: .*QUICKJS_DIR/);
});

test("a variant that does not exist is refused before anything is built", async (t) => {
	const { status, stderr } = await build(copyRepository(path.join(home, "no-variant")), {}, ["nope"]);
	t.is(status, 2);
	t.is(stderr, 'no variant "nope": want release, sanitize, faults\n');
});

function version(): string {
	return (JSON.parse(fs.readFileSync("package.json", "utf8")) as { version: string }).version;
}

/** What a build reads, in a folder of its own, so that dist/ stays as it is. */
function copyRepository(copy: string): string {
	fs.mkdirSync(copy, { recursive: true });
	for (const name of [
		"build.mjs",
		"package.json",
		"tsconfig.json",
		"tsconfig.quickjs.json",
		"policy-cli",
		"admin-core",
		"storage-reflink",
	]) {
		fs.cpSync(name, path.join(copy, name), { recursive: true });
	}
	fs.symlinkSync(path.resolve("node_modules"), path.join(copy, "node_modules"));
	return copy;
}

function build(
	copy: string,
	env: NodeJS.ProcessEnv,
	variants: readonly string[] = [],
): Promise<{ status: number | null; stdout: string; stderr: string }> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, ["build.mjs", ...variants], { cwd: copy, env: { ...process.env, ...env } });
		let [stdout, stderr] = ["", ""];
		child.stdout.on("data", (chunk) => {
			stdout += chunk;
		});
		child.stderr.on("data", (chunk) => {
			stderr += chunk;
		});
		child.on("close", (status) => resolve({ status, stdout, stderr }));
	});
}
