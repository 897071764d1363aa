// Telling the service manager: spec/admin-core.md 7.1.
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { notifyMoreTime, notifyReady } from "../../../admin-core/api/notify.ts";
import { logged, makeFolder } from "./stage.ts";

/** A program that is called like systemd-notify, and what it was told. */
function makeNotifier(t: ExecutionContext, status = 0): { program: string; told: () => string | null } {
	const folder = makeFolder(t);
	const [program, note] = [path.join(folder, "notify"), path.join(folder, "note")];
	fs.writeFileSync(
		program,
		`#!/bin/sh\nprintf '%s|' "$NOTIFY_SOCKET" "$@" > '${note}'\necho "no such manager" >&2\nexit ${status}\n`,
		{
			mode: 0o755,
		},
	);
	return { program, told: () => (fs.existsSync(note) ? fs.readFileSync(note, "utf8") : null) };
}

test.serial("without NOTIFY_SOCKET nobody is told", async (t) => {
	delete process.env["NOTIFY_SOCKET"];
	const { program, told } = makeNotifier(t);
	await notifyReady("ready", program);
	t.is(told(), null);
});

test.serial("with NOTIFY_SOCKET systemd-notify sends that we are ready, and our status in one line", async (t) => {
	process.env["NOTIFY_SOCKET"] = "@abstract";
	const { program, told } = makeNotifier(t);
	await notifyReady("serves 3 sockets\nMAINPID=1", program);
	t.is(told(), "@abstract|--ready|--status=serves 3 sockets MAINPID=1|");
	t.deepEqual(logged("cannot tell"), []);
});

test.serial("a start that takes long asks for more time, in microseconds", async (t) => {
	process.env["NOTIFY_SOCKET"] = "@abstract";
	const { program, told } = makeNotifier(t);
	await notifyMoreTime(90, program);
	t.is(told(), "@abstract|EXTEND_TIMEOUT_USEC=90000000|");
});

test.serial("where the manager cannot be told it is logged, and we go on", async (t) => {
	process.env["NOTIFY_SOCKET"] = "/run/none";
	await notifyReady("ready", makeNotifier(t, 1).program);
	t.is(logged('cannot tell "/run/none" that we are ready: no such manager').length, 1);
	await notifyReady("ready", "/nonexistent/systemd-notify");
	t.is(logged('cannot tell "/run/none" that we are ready: spawn /nonexistent/systemd-notify ENOENT').length, 1);
});
