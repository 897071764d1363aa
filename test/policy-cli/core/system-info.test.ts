import test from "ava";
import { DataError } from "../../../policy-cli/core/errors.ts";
import { type Qube, SystemInfo } from "../../../policy-cli/core/system-info.ts";
import { parseJson } from "../../../policy-cli/host/node-json.ts";
import { DOM0_UUID, decide, type Entry, entry, house, systemOf, uuidOf } from "./fixtures.ts";

// The text (Q57).

for (const [what, json] of [
	["nothing", ""],
	["no JSON", "domains"],
	["half of it", '{"domains": {"a": {'],
	["something behind it", '{"domains": {}} x'],
	["null", "null"],
	["a list", "[]"],
	["a string", '"domains"'],
	["no domains", "{}"],
	["domains as null", '{"domains": null}'],
	["domains as list", '{"domains": []}'],
	["domains as text", '{"domains": "a"}'],
] as const) {
	test(`system information that is ${what} is a data error (Q57)`, (t) => {
		t.throws(() => SystemInfo.from(parseJson(json)), { instanceOf: DataError });
	});
}
test("more than domains is no error", (t) => {
	const system = SystemInfo.from({ version: 3, domains: { a: { x: 1 } } });
	t.is(system.find("a")?.name, "a");
});
for (const value of [null, [], "x", 1, true]) {
	test(`a qube that is ${JSON.stringify(value)} is a data error when it is looked for (Q57)`, (t) => {
		const system = SystemInfo.from({ domains: { a: value, b: entry("b") } });
		t.throws(() => system.find("a"), { instanceOf: DataError, message: /"a"/ });
		t.is(system.find("b")?.name, "b");
	});
}

// Looking up.

test("a qube is found by its name and by its uuid", (t) => {
	const system = systemOf(house());
	t.is(system.find("b")?.name, "b");
	t.is(system.find(`uuid:${uuidOf("b")}`), system.find("b"));
	t.is(system.find(`uuid:${DOM0_UUID}`)?.name, "dom0");
	t.is(system.find("b"), system.find("b"));
});
for (const name of ["", "B", "nosuch", "uuid:", "uuid:nosuch", "@adminvm", "constructor", "__proto__", "toString", uuidOf("b")]) {
	test(`no qube is found as "${name}"`, (t) => t.is(systemOf(house()).find(name), null));
}
test("a qube may have a name that every object has", (t) => {
	const system = SystemInfo.from({ domains: { constructor: entry("x") } });
	t.is(system.find("constructor")?.type(), "AppVM");
});
test("aliases by uuid are no qubes of their own", (t) => {
	const { b } = house();
	const system = systemOf({ b: b as Entry, [`uuid:${uuidOf("b")}`]: b as Entry });
	t.deepEqual(
		system.qubes().map((qube) => qube.name),
		["b"],
	);
	t.is(system.find(`uuid:${uuidOf("b")}`)?.name, "b");
});
test("a qube whose name only starts like uuid is a qube", (t) => {
	const system = systemOf({ "uuid-x": entry("x") });
	t.deepEqual(
		system.qubes().map((qube) => qube.name),
		["uuid-x"],
	);
});
test("a relay is a qube that some qube names as its relay", (t) => {
	const system = systemOf(house());
	t.true(system.isRelay("rel"));
	for (const name of ["a", "rem", "", "nosuch"]) t.false(system.isRelay(name), name);
	t.false(SystemInfo.from({ domains: { a: null, b: [], c: { relayvm: 1 } } }).isRelay("1"));
});

// Each field (spec 4).

type Question = (qube: Qube) => unknown;

function ask(question: Question, changes: Entry): unknown {
	return question(systemOf({ a: entry("a", changes) }).find("a") as Qube);
}

const STRINGS: readonly (readonly [field: string, question: Question])[] = [
	["type", (qube) => qube.type()],
	["power_state", (qube) => qube.isRunning()],
	["icon", (qube) => qube.icon()],
	["uuid", (qube) => qube.uuid()],
];
const OPTIONAL: readonly (readonly [field: string, question: Question])[] = [
	["default_dispvm", (qube) => qube.defaultDispvm()],
	["relayvm", (qube) => qube.relayvm()],
	["transport_rpc", (qube) => qube.transportRpc()],
	["uuid", (qube) => qube.uuidOrNull()],
];
const BAD: readonly (readonly [field: string, question: Question, ...values: unknown[]])[] = [
	...STRINGS.map(([field, question]) => [field, question, undefined, null, 1, true, [], {}] as const),
	...OPTIONAL.map(([field, question]) => [field, question, 1, false, [], {}] as const),
	["guivm", (qube) => qube.guivm(), undefined, 1, [], {}],
	["tags", (qube) => qube.hasTag("x"), undefined, null, "x", { x: true }, 1],
	["template_for_dispvms", (qube) => qube.isDisposableTemplate(), undefined, null, "True", 1, []],
];
for (const [field, question, ...values] of BAD) {
	for (const value of values) {
		test(`${field} as ${JSON.stringify(value) ?? "nothing"} is a data error, where ${question} is asked (Q57)`, (t) => {
			const found = value === undefined ? "missing" : "of the wrong type";
			const message = new RegExp(`qube "a": "${field}" is ${found}: want `);
			t.throws(() => ask(question, { [field]: value }), { instanceOf: DataError, message });
		});
	}
}
for (const [field, question] of OPTIONAL) {
	test(`${field} may be null or missing, where ${question} is asked`, (t) => {
		t.is(ask(question, { [field]: null }), null);
		t.is(ask(question, { [field]: undefined }), null);
		t.is(ask(question, { [field]: "x" }), "x");
	});
}
test("an empty relay or transport is not set, an empty default_dispvm names no qube", (t) => {
	t.is(
		ask((qube) => qube.relayvm(), { relayvm: "" }),
		null,
	);
	t.is(
		ask((qube) => qube.transportRpc(), { transport_rpc: "" }),
		null,
	);
	t.is(decide("… @dispvm allow", "a→@dispvm", {}, house({ a: { default_dispvm: "" } })), "deny no-default-dispvm");
});
test("nobody may be the guivm", (t) => {
	t.is(
		ask((qube) => qube.guivm(), { guivm: null }),
		null,
	);
	t.is(
		ask((qube) => qube.guivm(), { guivm: "sys-gui" }),
		"sys-gui",
	);
});
test("only Running is running", (t) => {
	for (const state of ["Halted", "Paused", "running", "Running ", "Transient", ""]) {
		t.is(
			ask((qube) => qube.isRunning(), { power_state: state }),
			false,
			state,
		);
	}
	t.is(
		ask((qube) => qube.isRunning(), { power_state: "Running" }),
		true,
	);
});
for (const [value, wanted] of [
	[null, false],
	[undefined, false],
	["", false],
	["0", true],
	["1", true],
	[" ", true],
] as const) {
	test(`internal as ${JSON.stringify(value) ?? "nothing"} is ${wanted}`, (t) => {
		t.is(
			ask((qube) => qube.isInternal(), { internal: value }),
			wanted,
		);
	});
}

// What is not needed is not missed (Q57).

for (const [rules, call, qube, field, wanted] of [
	["… b allow", "a→b", "b", "tags", "allow b"],
	["… b allow", "a→b", "b", "icon", "allow b"],
	["… b allow", "a→b", "b", "power_state", "allow b"],
	["… b allow", "a→b", "b", "template_for_dispvms", "allow b"],
	["… b allow", "a→b", "c", "type", "allow b"],
	["… b allow", "a→b", "b", "type", "deny data-error quiet"],
	["… b allow autostart=no", "a→b", "b", "power_state", "deny data-error quiet"],
	["@tag:t1 b allow", "a→b", "a", "tags", "deny data-error quiet"],
	["@type:AppVM b allow", "a→b", "a", "type", "deny data-error quiet"],
	["… @dispvm allow", "a→@dispvm", "dvm", "template_for_dispvms", "deny data-error quiet"],
	["… * allow", "a→@dispvm:c", "c", "template_for_dispvms", "deny data-error quiet"],
	["… b ask", "a→b", "a", "uuid", "deny data-error quiet"],
	["… @tag:t2 ask", "a→b", "c", "tags", "deny data-error quiet"],
	["… b ask ; … @type:AppVM deny", "a→b", "c", "type", "deny data-error quiet"],
	["… b ask ; … * deny", "a→b", "c", "template_for_dispvms", "deny data-error quiet"],
	["… b ask autostart=no", "a→b", "b", "power_state", "deny data-error quiet"],
	["… b deny", "a→b", "b", "type", "deny denied-by-rule"],
	["… b allow ; … @tag:x allow", "a→b", "b", "tags", "allow b"],
] as const) {
	test(`${rules}: ${call} is ${wanted} where ${qube} has no ${field} (Q57)`, (t) => {
		t.is(decide(rules, call, {}, house({ [qube]: { [field]: undefined } })), wanted);
	});
}
