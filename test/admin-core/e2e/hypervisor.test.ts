// A hypervisor as a plugin (spec 12, decided 3), in the built qubesd: a program that is run for each qube.
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { House } from "./house.ts";

const MANIFEST = { name: "sleepers", api: 1, module: "./index.cjs", hypervisors: ["sleepers"] };

/** Each qube is a `sleep` of its own; one called `vault` does not boot. */
const MODULE = `
const { spawn } = require("node:child_process");
exports.hypervisors = {
	sleepers: ({ ended }) => {
		const running = new Map();
		const gone = (child) => new Promise((resolve) => (child === undefined ? resolve() : child.once("exit", resolve)));
		const end = (name, signal) => {
			const child = running.get(name);
			running.delete(name);
			child?.kill(signal);
			return gone(child);
		};
		const send = (signal) => async ({ name }) => void running.get(name).kill(signal);
		return {
			name: "sleepers",
			start: async ({ name }) => {
				if (name === "vault") throw Object.assign(new Error("no room for vault"), { kind: "QubesMemoryError" });
				const child = spawn("sleep", ["60"]);
				running.set(name, child);
				child.once("exit", () => running.delete(name) && ended(name));
			},
			shutdown: ({ name }) => end(name, "SIGTERM"),
			kill: ({ name }) => end(name, "SIGKILL"),
			pause: send("SIGSTOP"),
			unpause: send("SIGCONT"),
			suspend: send("SIGSTOP"),
			resume: send("SIGCONT"),
			console: async ({ name }) => "/proc/" + running.get(name).pid + "/fd/0",
			usage: ({ name }) => ({ memory: running.has(name) ? 409600 : 0, maxMemory: 4096000, cpuTime: 2500000, cpuUsage: 1, onlineVcpus: 2 }),
			machine: () => ({ memory: 16000, processors: 8 }),
		};
	},
};
`;

async function open(t: ExecutionContext): Promise<House> {
	const plugins = fs.mkdtempSync("/tmp/hypervisor-");
	t.teardown(() => fs.rmSync(plugins, { recursive: true }));
	fs.mkdirSync(`${plugins}/sleepers`);
	fs.writeFileSync(`${plugins}/sleepers/manifest.json`, JSON.stringify(MANIFEST));
	fs.writeFileSync(`${plugins}/sleepers/index.cjs`, MODULE);
	return House.open(t, { options: ["--plugins", plugins, "--hypervisor", "sleepers"] });
}

function call(house: House, method: string, qube = "work"): Promise<string> {
	return house.call(`${method}+ dom0 name ${qube}\0`);
}

/** The process that is the qube. */
async function processOf(house: House): Promise<number> {
	return Number(/^0\0\/proc\/(\d+)\//.exec(await call(house, "admin.vm.Console"))?.[1]);
}

/** Waits until a process sleeps (S) or is stopped (T): signals take their time. */
async function untilState(pid: number, state: string): Promise<void> {
	while (/^State:\s+(\w)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] !== state) await sleep(10);
}

test("what boots qubes starts, stops, pauses and ends them", async (t) => {
	const house = await open(t);
	t.is(await call(house, "admin.vm.Start"), "0\0");
	t.is(await call(house, "admin.vm.CurrentState"), "0\0mem=409600 mem_static_max=4096000 cputime=2500000 power_state=Running");
	const pid = await processOf(house);
	await untilState(pid, "S");
	t.is(await call(house, "admin.vm.Pause"), "0\0");
	await untilState(pid, "T");
	t.is(await call(house, "admin.vm.Unpause"), "0\0");
	await untilState(pid, "S");
	t.is(await call(house, "admin.vm.Shutdown"), "0\0");
	t.false(fs.existsSync(`/proc/${pid}`));
	t.regex(await call(house, "admin.vm.CurrentState"), /power_state=Halted$/);
	t.is(await house.call("admin.property.Get+no_cpus dom0 name dom0\0"), "0\0default=True type=int 8");
});

test("a qube that does not boot is halted, and the reason reaches the client", async (t) => {
	const house = await open(t);
	t.is(await call(house, "admin.vm.Start", "vault"), "2\0QubesMemoryError\0\0no room for vault\0");
	t.regex(await call(house, "admin.vm.List", "vault"), /state=Halted/);
});

test("a qube that ends by itself is cleaned up after, and listeners are told", async (t) => {
	const house = await open(t);
	t.is(await call(house, "admin.vm.Start"), "0\0");
	const stream = await house.listen("admin.Events+ dom0 name work\0");
	process.kill(await processOf(house), "SIGKILL");
	await stream.until(/domain-stopped.*domain-shutdown/s);
	stream.close();
	t.regex(await call(house, "admin.vm.List"), /state=Halted/);
});

test("a hypervisor that nobody brings is refused at the start, with the names of those that there are", async (t) => {
	const error = await t.throwsAsync(House.open(t, { options: ["--hypervisor", "xen"] }));
	t.regex(error?.message ?? "", /there is no hypervisor 'xen': want one of none/);
});
