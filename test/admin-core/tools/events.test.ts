// The stream of events as commands read it: spec/admin-core.md 7.5.
import test from "ava";
import { encodeEvent } from "../../../admin-core/api/wire.ts";
import { readEvents } from "../../../admin-core/tools/events.ts";

const STREAM = Buffer.concat([
	encodeEvent("", "connection-established", []),
	encodeEvent("work", "domain-volume-copy-progress", [
		["volume", "private"],
		["done", "0"],
		["size", "9"],
	]),
	encodeEvent("work", "property-set:netvm", [
		["name", "netvm"],
		["newvalue", ""],
		["oldvalue", "sys-net"],
	]),
]).toString();

const EVENTS = [
	{ name: "connection-established", args: {} },
	{ name: "domain-volume-copy-progress", args: { volume: "private", done: "0", size: "9" } },
	{ name: "property-set:netvm", args: { name: "netvm", newvalue: "", oldvalue: "sys-net" } },
];

function read(text: string): { events: unknown[]; rest: string } {
	const { events, rest } = readEvents(text);
	return { events: events.map(({ name, args }) => ({ name, args: Object.fromEntries(args) })), rest };
}

test("events are read as the daemon writes them, empty values too", (t) => {
	t.deepEqual(read(STREAM), { events: EVENTS, rest: "" });
});

test("events that come in two pieces are the same, wherever they are cut", (t) => {
	for (let cut = 0; cut <= STREAM.length; cut++) {
		const first = read(STREAM.slice(0, cut));
		const second = read(first.rest + STREAM.slice(cut));
		t.deepEqual([...first.events, ...second.events], EVENTS, `${cut}`);
		t.is(second.rest, "");
	}
});

test("a denial is no event", (t) => {
	t.deepEqual(read("2\0PermissionDenied\0\0Got no permission\0").events, []);
	t.deepEqual(read("2\0PermissionDenied\0\0%s\0no\0\0").events, []);
});
