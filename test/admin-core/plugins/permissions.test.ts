// What qubes other than dom0 see is what the policy would let them ask for: spec/admin-core.md 7.6.
import test, { type ExecutionContext } from "ava";
import type { App } from "../../../admin-core/model/app.ts";
import type { Emitter } from "../../../admin-core/model/events/emitter.ts";
import type { EventArgs } from "../../../admin-core/model/events/handler-table.ts";
import type { PolicyQuestion } from "../../../admin-core/model/policy.ts";
import { makeHouse } from "../model/house.ts";
import { type Desk, openDesk } from "./desk.ts";

/** A house whose policy allows the calls that are listed, as `vault work admin.vm.List+`, and what it was asked. */
function open(t: ExecutionContext, ...allowed: readonly string[]): { desk: Desk; app: App; asked: PolicyQuestion[] } {
	const asked: PolicyQuestion[] = [];
	const allows = (question: PolicyQuestion): boolean => {
		asked.push(question);
		return allowed.includes(lineOf(question));
	};
	const app = makeHouse({ policy: { allows } });
	return { desk: openDesk(t, app), app, asked };
}

function lineOf({ source, target, service, argument }: PolicyQuestion): string {
	return `${source} ${target} ${service}+${argument}`;
}

function namesIn(reply: string): string[] {
	return reply.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")[0] as string]));
}

type Sees = (item: [Emitter, string, EventArgs]) => boolean;

/** What of the event stream a qube hears. */
function listen(app: App, source: string, dest = "dom0"): Sees {
	const args = { dest: app.qube(dest), arg: "" };
	const filters = app.qube(source).fire("admin-permission:admin.Events", args, { pre: true }) as Sees[];
	return (item) => filters.every((sees) => sees(item));
}

test.serial("dom0 sees all qubes and all events, and the policy is not asked", async (t) => {
	const { desk, app, asked } = open(t);
	t.is(namesIn(await desk.call("dom0", "admin.vm.List")).length, 7);
	t.true(listen(app, "dom0")([app.qube("work"), "domain-start", {}]));
	t.deepEqual(asked, []);
});

test.serial("another qube sees those qubes that it could call admin.vm.List for", async (t) => {
	const { desk, asked } = open(t, "vault work admin.vm.List+", "vault @adminvm admin.vm.List+", "work base admin.vm.List+");
	t.deepEqual(namesIn(await desk.call("vault>dom0", "admin.vm.List")), ["dom0", "work"]);
	t.deepEqual(
		asked.map(({ target }) => target),
		["@adminvm", "base", "disp1", "dvm", "sys-net", "vault", "work"],
	);
	const { domains } = JSON.parse(asked[0]?.systemInfo ?? "") as { domains: { [name: string]: object } };
	t.like(domains["work"], { type: "AppVM", tags: [] });
});

test.serial("a qube that is called tells of itself without another question", async (t) => {
	const { desk, asked } = open(t);
	t.deepEqual(namesIn(await desk.call("vault>work", "admin.vm.List")), ["work"]);
	t.deepEqual(asked, []);
});

test.serial("without somebody who knows the policy other qubes see nothing", async (t) => {
	const desk = openDesk(t);
	t.is(await desk.call("vault>dom0", "admin.vm.List"), "");
	t.false(listen(desk.app, "vault")([desk.app.qube("vault"), "domain-start", {}]));
});

test.serial("an event is heard where admin.Events could be called for it at the qube that it is about", (t) => {
	const { app, asked } = open(t, "vault work admin.Events+domain-feature-set_a_b", "vault work admin.Events+domain-add");
	const sees = listen(app, "vault");
	const work = app.qube("work");
	t.true(sees([work, "domain-feature-set:a:b", {}]));
	t.false(sees([work, "domain-feature-set:c", {}]));
	t.true(sees([app, "domain-add", { vm: work }]));
	t.false(sees([app, "domain-add", { vm: app.qube("base") }]));
	t.false(sees([app, "property-set:clockvm", { name: "clockvm", newvalue: work }]));
	t.deepEqual(asked.map(lineOf).slice(-2), [
		"vault base admin.Events+domain-add",
		"vault @adminvm admin.Events+property-set_clockvm",
	]);
});

test.serial("at another qube than dom0 events are filtered too", (t) => {
	const { app } = open(t, "vault work admin.Events+domain-start");
	const sees = listen(app, "vault", "work");
	t.true(sees([app.qube("work"), "domain-start", {}]));
	t.false(sees([app.qube("work"), "domain-shutdown", {}]));
});

test.serial("a qube that was removed is judged as it was, also when another has its name", (t) => {
	const { app, asked } = open(t, "vault work admin.Events+domain-delete");
	const sees = listen(app, "vault");
	const work = app.qube("work");
	work.tags.add("managed");
	app.remove(work);
	t.true(sees([app, "domain-delete", { vm: work }]));
	app.create("StandaloneVM", [
		["name", "work"],
		["label", "red"],
	]);
	sees([app, "domain-delete", { vm: work }]);
	for (const { systemInfo } of asked) {
		const { domains } = JSON.parse(systemInfo) as { domains: { [name: string]: object } };
		t.deepEqual(Object.keys(domains).length, 7);
		t.like(domains["work"], { type: "AppVM", tags: ["managed"] });
	}
});

for (const [property, value, form] of [
	["ip", "10.137.0.256", "IPv4Address"],
	["ip", "", "IPv4Address"],
	["ip6", "fe80::1%eth0", "IPv6Address"],
	["mac", "00:16:3E:5e:6c:00", "MAC address"],
	["uuid", "x", "UUID"],
	["memory", "1 000", "int"],
] as const) {
	test.serial(`that "${value}" is no ${property} is said before anybody is asked`, async (t) => {
		const { desk, app } = open(t);
		app.qube("vault").addHandler("admin-permission:*", () => t.fail());
		const message = `QubesValueError: Failed to parse property value as ${form}`;
		t.is(await desk.call("vault>work", `admin.vm.property.Set+${property}`, value), message);
	});
}

test.serial("a call that waits while its source is removed is refused", async (t) => {
	const { desk, app } = open(t);
	const work = app.qube("work");
	let go = (): void => undefined;
	work.addHandler(
		"domain-pre-start",
		async () =>
			new Promise<void>((resolve) => {
				go = resolve;
			}),
	);
	const start = desk.call("work", "admin.vm.Start");
	const shutdown = desk.call("vault>work", "admin.vm.Shutdown");
	await new Promise(setImmediate);
	app.remove(app.qube("vault"));
	go();
	t.is(await start, "");
	t.is(await shutdown, "PermissionDenied: vault was removed");
	t.is(work.powerState, "Running");
});

test.serial("who was removed hears nothing more, even if another qube has the name", (t) => {
	const { app } = open(t, "vault work admin.Events+domain-start");
	const sees = listen(app, "vault");
	app.remove(app.qube("vault"));
	app.create("StandaloneVM", [
		["name", "vault"],
		["label", "red"],
	]);
	t.false(sees([app.qube("work"), "domain-start", {}]));
});
