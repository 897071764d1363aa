// Each call of the system that a complete run makes goes wrong once, in each way that fits: see policy-cli/native/faults.c.
import type { ChildProcess, StdioOptions } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { FakeServer, reply } from "../../support/fake-server.ts";
import { LogSocket, plainLine } from "../../support/log-socket.ts";
import { firstFew, inParallel } from "../../support/parallel.ts";
import { PROGRAMS } from "../../support/programs.ts";
import { type Ended, runProgram } from "../../support/run-program.ts";
import { type End, judge, linesOf, type Report } from "./judge.ts";
import { nameOf, options, respond, SCENARIOS, type Scenario, writePolicy } from "./scenarios.ts";

/** A run that takes longer than this hangs, in seconds; the programs are given a limit of 1, and 1 more for all steps. */
const PATIENCE = 15;
/** When a run is asked to end that may wait for ever, in seconds. */
const LONG_ENOUGH = 4;
const WIDTH = 4;
/** Runs that sleep until their time limit need no processor. */
const SLEEPING_WIDTH = 48;

/** The ways in which a call can go wrong. */
const KINDS: { readonly [call: string]: string } = {
	open: "EIO EACCES EMFILE ENOMEM stall",
	fstat: "EIO ENOMEM stall",
	read: "EIO EINTR short end stall",
	opendir: "EIO EACCES EMFILE ENOMEM stall",
	readdir: "EIO stall",
	fstatat: "EIO EACCES ENOMEM stall",
	readlink: "EIO EACCES ENOMEM stall",
	socket: "EACCES EMFILE ENOMEM",
	connect: "EACCES ENOMEM EINTR stall",
	send: "EIO ENOMEM EINTR short stall",
	sendto: "EIO EACCES ENOMEM stall",
	shutdown: "EIO",
	poll: "ENOMEM EINTR stall",
	pipe2: "EMFILE ENOMEM",
	fork: "EAGAIN ENOMEM",
	execve: "EACCES ENOENT ENOMEM stall",
	waitpid: "EIO EINTR stall",
	write: "EIO EINTR short stall",
	setitimer: "EIO",
};

type FaultEnd = End | "waits until it is asked to end";

/** A call of a run, and what it is for. */
interface Made {
	readonly call: string;
	readonly number: number;
	readonly stage: "deciding" | "asking" | "answering" | "connecting";
	/** `end`: what is read there is that nothing more comes. `start`: the program has not taken its place yet. */
	readonly place:
		| "limit"
		| "policy"
		| "server"
		| "server end"
		| "program"
		| "program end"
		| "start"
		| "log"
		| "warning"
		| "answer";
}

/** What does not end in `denied`: the first row that fits. Words separated by blanks; what is left out is any. */
interface Exception {
	readonly stage?: string;
	readonly place?: string;
	readonly calls?: string;
	readonly kinds?: string;
	readonly scenarios?: string;
	readonly end: FaultEnd;
	readonly why: string;
}

const ERRORS = "EIO EACCES EMFILE ENOMEM";
const EXCEPTIONS: readonly Exception[] = [
	{ calls: "read connect send poll waitpid write", kinds: "EINTR short", end: "same", why: "it is done again, or goes on" },
	{ place: "limit", end: "same", why: "the kernel refuses no time that we give; the limits of the steps remain" },
	{ place: "log", kinds: ERRORS, end: "same", why: "what cannot be logged goes to standard error" },
	{ place: "warning", kinds: "EIO", end: "same", why: "nobody is left to be told; the decision stands" },
	{ stage: "asking", kinds: "stall", end: "waits until it is asked to end", why: "the user takes the time it takes" },
	{
		stage: "connecting",
		kinds: "stall",
		end: "waits until it is asked to end",
		why: "a qube may take 120 s to start, a service takes its time",
	},
	{
		...{ stage: "asking connecting", calls: "shutdown", end: "waits until it is asked to end" },
		why: "the other side believes that more is to come; shutdown of a connected unix socket does not fail",
	},
	{
		place: "server, server end",
		calls: "poll",
		kinds: ERRORS,
		end: "same",
		why: "it tells when to read; reading is tried, then it is called again",
	},
	{ place: "server end, program end", kinds: "end", end: "same", why: "it is the end" },
	{ place: "start", calls: "read", kinds: "end", end: "same", why: "it is the end" },
	{ place: "program", calls: "write", kinds: "EIO", end: "same", why: "a program is judged by its status, not by what it reads" },
	{
		...{ stage: "asking", place: "server, program", calls: "read", kinds: "end", end: "denied, with two lines" },
		why: "an answer of the agent that is none is logged as such (spec 6.6)",
	},
	{
		...{ stage: "asking", place: "server", calls: "send sendto", kinds: ERRORS, end: "denied, with two lines" },
		why: "the same: whether a request was wanted shows in the answer",
	},
	{
		...{ scenarios: "notify", stage: "answering", place: "server", calls: "send sendto", kinds: ERRORS, end: "same" },
		why: "the same, and the answer to a notification is empty",
	},
	{
		...{ scenarios: "notify", stage: "answering", place: "server, server end", kinds: ERRORS, end: "same, with an error line" },
		why: "that the user cannot be told changes nothing",
	},
	{
		...{ scenarios: "deny", place: "answer", kinds: "stall", end: "denied, with two lines" },
		why: "a denial is logged before it is answered",
	},
	{
		...{ scenarios: "deny", place: "answer", end: "denied, with two lines and no answer" },
		why: "the same, and an answer that was begun is not followed by another",
	},
	{ place: "answer", kinds: "EIO", end: "denied, without an answer", why: "an answer that was begun is not followed by another" },
];

const home = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-faults-"));
const slots = Array.from({ length: SLEEPING_WIDTH }, (_, index) => index);
const asked: string[] = [];
let logs: readonly LogSocket[];
const servers: FakeServer[] = [];

test.before(async () => {
	writePolicy(home);
	fs.mkdirSync(`${home}/rpc`);
	for (const name of ["qubesd", "rpc/policy.Ask", "rpc/policy.Notify"]) {
		const answer = reply((request) => {
			asked.push(nameOf(request));
			return respond(request);
		});
		servers.push(await FakeServer.listen(`${home}/${name}`, answer));
	}
	fs.writeFileSync(`${home}/qrexec-client`, CLIENT, { mode: 0o755 });
	logs = await Promise.all(slots.map((slot) => LogSocket.open(`${home}/log${slot}`)));
});

test.after.always(() => {
	for (const server of servers) server.close();
	fs.rmSync(home, { recursive: true, force: true });
});

/** Reaches another GuiVM, or connects to a service that ends with status 7. */
const CLIENT = `#!/bin/sh
echo "$*" >> "$(dirname "$0")/client-calls"
case "$*" in
*policy.Ask*) cat > /dev/null; printf allow:b ;;
*policy.Notify*) cat > /dev/null ;;
*) echo from the service; exit 7 ;;
esac
`;

for (const scenario of SCENARIOS) {
	test.serial(`${scenario.name}: nothing goes wrong when no call goes wrong`, async (t) => {
		asked.length = 0;
		fs.writeFileSync(`${home}/client-calls`, "");
		const { status, stdout, logged } = await runFaulty(scenario, "count");
		t.deepEqual(
			{ status, stdout, logged },
			{ status: scenario.status, stdout: scenario.stdout, logged: linesOf(scenario, home) },
		);
		t.deepEqual([...asked, ...fs.readFileSync(`${home}/client-calls`, "utf8").split("\n").slice(0, -1)], scenario.asked);
	});

	test.serial(
		`${scenario.name}: whichever call goes wrong, it ends in a denial with one line, or in what the table of exceptions says`,
		async (t) => {
			const calls = await findCalls(scenario);
			t.true(calls.length > 50, "these are too few calls for a complete run");
			const faults = calls.flatMap((made) => (KINDS[made.call] ?? "EIO").split(" ").map((kind) => ({ made, kind })));
			const isSleeping = ({ made, kind }: Fault): boolean =>
				kind === "stall" || findEnd(scenario, made, kind).startsWith("waits");
			const [sleeping, busy] = [faults.filter(isSleeping), faults.filter((fault) => !isSleeping(fault))];
			const results = [
				...(await inParallel(busy, WIDTH, (fault) => checkFault(scenario, fault))),
				...(await inParallel(sleeping, SLEEPING_WIDTH, (fault) => checkFault(scenario, fault))),
			];
			const wrong = results.filter((text) => text !== null && text !== NOT_MET) as string[];
			const notMet = results.filter((text) => text === NOT_MET).length;
			t.log(`${calls.length} calls, ${faults.length} faults, ${notMet} of which met no call`);
			t.true(notMet * 20 <= faults.length);
			t.is(firstFew(wrong, 20), "");
		},
	);
}

test("each row of the table of exceptions is of use", async (t) => {
	const used = new Set<Exception>();
	for (const scenario of SCENARIOS) {
		for (const made of await findCalls(scenario)) {
			for (const kind of (KINDS[made.call] ?? "EIO").split(" ")) {
				const row = findException(scenario, made, kind);
				if (row !== undefined) used.add(row);
			}
		}
	}
	t.deepEqual(
		EXCEPTIONS.filter((row) => !used.has(row)),
		[],
	);
});

for (const kind of ["EIO", "EACCES", "ENOMEM"]) {
	test.serial(`a denying policy file behind a link that stat refuses with ${kind} is not left out`, async (t) => {
		const scenario = SCENARIOS.find(({ name }) => name === "deny") as Scenario;
		const { stdout } = await runFaulty(scenario, `fstatat:1:${kind}`);
		t.is(stdout, "result=deny\n");
	});
}

for (const scenario of SCENARIOS.filter(({ name }) => /GuiVM|five/.test(name))) {
	test.serial(`${scenario.name}: a program whose status is not known has not succeeded`, async (t) => {
		const { status } = await runFaulty(scenario, "waitpid:1:ECHILD");
		t.not(status, 0);
	});
}

interface Fault {
	readonly made: Made;
	readonly kind: string;
}

type RunReport = Ended & Report;

async function runFaulty(scenario: Scenario, fault: string, askedToEnd?: number): Promise<RunReport> {
	const slot = slots.pop() as number;
	try {
		const args = [...options(home, `${home}/log${slot}`), "--", ...scenario.words];
		const started = (child: ChildProcess): void => {
			if (askedToEnd !== undefined) setTimeout(() => child.kill("SIGTERM"), askedToEnd * 1000).unref();
		};
		const stdio: StdioOptions = ["pipe", "pipe", "pipe", "pipe"];
		const ended = await runProgram(PROGRAMS.faults, args, { env: { QREXEC_FAULT: fault }, seconds: PATIENCE, stdio, started });
		const errors = ended.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("WARNING:root:"));
		return {
			...ended,
			logged: [...(await (logs[slot] as LogSocket).drain()).map((line) => plainLine(line).replace(/^<\d+>/, "")), ...errors],
		};
	} finally {
		slots.push(slot);
	}
}

/** The calls that a run makes, and what each is for. */
async function findCalls(scenario: Scenario): Promise<Made[]> {
	const { extra } = await runFaulty(scenario, "count");
	const lines = extra.trim().split("\n");
	// The child tells of its call while we go on.
	const inOrder = lines.flatMap((line) =>
		line.startsWith("execve") ? [] : line.startsWith("fork") ? [line, "execve 1"] : [line],
	);
	const trace = inOrder.map((line) => line.split(" ") as [string, string]);
	const names = trace.map(([call]) => call);
	let limits = 0;
	let place: Made["place"] = "limit";
	return trace.map(([call, number], index) => {
		const [before, after] = [names[index - 1], names[index + 1]];
		if (call === "setitimer") limits++;
		const isAnswer = !scenario.five && !names.slice(index + 1).includes("write");
		place = placeOf(call, before, after, place, isAnswer);
		return { call, number: Number(number), stage: stageOf(scenario, limits), place: isEnd(names, index, place) };
	});
}

function stageOf({ name, five }: Scenario, limits: number): Made["stage"] {
	// The limit is taken away while the user is asked, or while the service runs.
	if (limits <= 1) return "deciding";
	if (limits === 2 && name.startsWith("ask")) return "asking";
	return limits === 3 && five ? "connecting" : "answering";
}

function placeOf(
	call: string,
	before: string | undefined,
	after: string | undefined,
	place: Made["place"],
	isAnswer: boolean,
): Made["place"] {
	switch (call) {
		case "setitimer":
			return "limit";
		case "opendir":
			return "policy";
		case "socket":
			return after === "connect" ? "server" : "log";
		case "pipe2":
			return "start";
		case "poll":
			if (place === "start" && before === "read") return "program";
			return place === "policy" ? "server" : place;
		case "write":
			if (place === "program") return "program";
			return isAnswer ? "answer" : "warning";
		default:
			return place;
	}
}

/** Marks the read that finds nothing more: the last one of a server or a program. */
function isEnd(names: readonly string[], index: number, place: Made["place"]): Made["place"] {
	if (names[index] !== "read" || (place !== "server" && place !== "program")) return place;
	const [next, one] = names.slice(index + 1);
	const more = next === "read" || (next === "poll" && one === "read");
	return more ? place : `${place} end`;
}

function findException({ name }: Scenario, { call, stage, place }: Made, kind: string): Exception | undefined {
	const fits = (list: string | undefined, word: string, separator = " "): boolean =>
		list === undefined || list.split(separator).includes(word);
	return EXCEPTIONS.find(
		(row) =>
			fits(row.calls, call) &&
			fits(row.kinds, kind) &&
			fits(row.stage, stage) &&
			fits(row.place, place, ", ") &&
			fits(row.scenarios, name),
	);
}

function findEnd(scenario: Scenario, made: Made, kind: string): FaultEnd {
	return findException(scenario, made, kind)?.end ?? "denied";
}

const NOT_MET = "the fault met no call";

/** What is wrong with the end of a run; null if nothing is. */
async function checkFault(scenario: Scenario, fault: Fault): Promise<string | null> {
	const { made, kind } = fault;
	const end = findEnd(scenario, made, kind);
	const name = `${made.call}:${made.number}:${kind}`;
	// When something comes is chance, and so is how often it is waited for: the fault may have met no call.
	for (let attempt = 1; ; attempt++) {
		const report = await runFaulty(scenario, name, end.startsWith("waits") ? LONG_ENOUGH : undefined);
		const wrong = judgeRun(scenario, fault, end, report);
		if (wrong === null) return null;
		if (report.extra === "" && judge(scenario, home, "same", report) === null) {
			if (attempt < 3) continue;
			return NOT_MET;
		}
		const { status, stdout, logged } = report;
		return `${name} (${made.stage}, ${made.place}): want ${end}, but ${wrong}: ${JSON.stringify({ status, stdout, logged })}`;
	}
}

/** What is wrong with the end of a run; null if nothing is. */
function judgeRun(scenario: Scenario, { made }: Fault, end: FaultEnd, report: RunReport): string | null {
	if (report.hung) return "it hangs";
	const started = scenario.five && ["start", "program"].includes(made.place);
	const waits = end === "waits until it is asked to end";
	const wrong = judge(scenario, home, waits ? "denied" : end, report, started);
	if (wrong !== null || end.startsWith("same") || end.startsWith("denied, with two")) return wrong;
	const isEnded = report.logged.some((line) => line.endsWith("stopped by SIGTERM"));
	return waits === isEnded ? null : "it was ended, or did not wait";
}
